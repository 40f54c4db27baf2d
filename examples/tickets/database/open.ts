/** Opens the database that the user asked for. */

import type { Database } from './database.ts'
import { embedded } from './embedded.ts'
import { createSchema } from './schema.ts'
import { server } from './server.ts'

export interface OpenOptions {
  /** Of a PostgreSQL server; `undefined` for the one inside this program. */
  readonly url: string | undefined
  readonly schema: string
}

/**
 * With the tables of the example, empty.
 *
 * @throws `InputError` when the server does not answer, or the schema is not ours.
 */
export async function openDatabase({ url, schema }: OpenOptions): Promise<Database & AsyncDisposable> {
  const database = url === undefined ? await embedded() : await server({ url, schema })
  try {
    await createSchema(database, schema)
  } catch (error) {
    await database.close()
    throw error
  }
  return { ...database, [Symbol.asyncDispose]: () => database.close() }
}

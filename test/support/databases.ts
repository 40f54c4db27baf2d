/** The databases that the tickets example runs on: PostgreSQL in the program, and the server of this machine. */

import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import type { Database } from '../../examples/tickets/database/database.ts'
import { embedded } from '../../examples/tickets/database/embedded.ts'
import { createSchema } from '../../examples/tickets/database/schema.ts'
import { server } from '../../examples/tickets/database/server.ts'

/** The server of this machine. */
export const SERVER = process.env['DATABASE_URL'] ?? 'postgres://postgres@127.0.0.1:5432/test'

/** In CI it has to be there. */
export const serverIsThere = process.env['CI'] !== undefined || (await answers())

async function answers(): Promise<boolean> {
  const client = new Client({ connectionString: SERVER })
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end()
  }
}

/** A schema that no other test uses. */
export function freshSchema(): string {
  return `sluice_test_${randomUUID().replaceAll('-', '')}`
}

let inProgram: Promise<Database> | undefined

/** Tables of its own for a test, which leaves nothing behind. The database in the program is started once. */
export async function freshDatabase(where: 'embedded' | 'server'): Promise<Database & AsyncDisposable> {
  const schema = freshSchema()
  const database = where === 'server' ? await server({ url: SERVER, schema }) : await (inProgram ??= embedded())
  await createSchema(database, schema)
  return {
    ...database,
    [Symbol.asyncDispose]: async () => {
      await database.execute(`drop schema ${schema} cascade`)
      if (where === 'server') await database.close()
    },
  }
}

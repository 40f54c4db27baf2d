/** PostgreSQL in this program, with PGlite: nothing to install, and gone when the program ends. */

import { PGlite, type Transaction } from '@electric-sql/pglite'
import { dataDir } from '@electric-sql/pglite-prepopulatedfs'
import type { Database, Query } from './database.ts'

/** Starts it, with the files of a fresh database, which saves making them. It has one connection: others wait. */
export async function embedded(): Promise<Database> {
  const pglite = await PGlite.create({ loadDataDir: await dataDir() })
  const query = on(pglite)
  const [shown] = await query<{ server_version: string }>('show server_version')
  return {
    name: `PostgreSQL ${shown?.server_version.split(' ')[0]}, embedded`,
    query,
    execute: async (script) => void (await pglite.exec(script)),
    transaction: (work) => pglite.transaction((transaction) => work(on(transaction))),
    close: () => pglite.close(),
  }
}

function on(connection: Pick<Transaction, 'query'>): Query {
  return async <Row extends object>(sql: string, values: readonly unknown[] = []) => {
    const { rows } = await connection.query<Row>(sql, [...values])
    return rows
  }
}

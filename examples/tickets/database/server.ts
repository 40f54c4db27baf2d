/** A PostgreSQL server, with pg. */

import { Pool, type PoolClient } from 'pg'
import { InputError } from '../../command-line/input-error.ts'
import type { Database, Query } from './database.ts'

export interface ServerOptions {
  /** `postgres://user:password@host:5432/database` */
  readonly url: string
  /** Where the tables are. */
  readonly schema: string
  /** Connections at the same time. Default 5. */
  readonly connections?: number | undefined
}

/** @throws `InputError` when it does not answer. */
export async function server({ url, schema, connections = 5 }: ServerOptions): Promise<Database> {
  const pool = new Pool({
    connectionString: url,
    max: connections,
    connectionTimeoutMillis: 10_000,
    application_name: 'sluice-tickets',
    // Dropping a table that may be there is not worth a notice.
    options: `-c search_path=${schema} -c client_min_messages=warning`,
  })
  // A connection that breaks while nobody uses it is replaced; one in use fails its statement.
  pool.on('error', () => {})
  const version = await versionOf(pool, url)
  return {
    name: `PostgreSQL ${version} at ${new URL(url).host}`,
    query: on(pool),
    execute: async (script) => void (await pool.query(script)),
    transaction: (work) => transaction(pool, work),
    close: () => pool.end(),
  }
}

async function versionOf(pool: Pool, url: string): Promise<string | undefined> {
  try {
    const [shown] = await on(pool)<{ server_version: string }>('show server_version')
    return shown?.server_version.split(' ')[0]
  } catch (error) {
    await pool.end()
    const { protocol, host, pathname } = new URL(url)
    const text = `${protocol}//${host}${pathname} does not answer (${reasonOf(error)}); expected a PostgreSQL server`
    throw new InputError(text, { cause: error })
  }
}

/** A host with several addresses fails once for each, in an error without a message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  return error instanceof Error ? error.message : String(error)
}

async function transaction<T>(pool: Pool, work: (query: Query) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken = false
  try {
    await client.query('begin')
    const result = await work(on(client))
    await client.query('commit')
    return result
  } catch (error) {
    // A connection that cannot even roll back is of no more use.
    await client.query('rollback').catch(() => {
      broken = true
    })
    throw error
  } finally {
    client.release(broken)
  }
}

function on(connection: Pool | PoolClient): Query {
  return async <Row extends object>(sql: string, values: readonly unknown[] = []) => {
    const { rows } = await connection.query<Row>(sql, [...values])
    return rows
  }
}

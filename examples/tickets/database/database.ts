/** What the example needs of a database: PostgreSQL, embedded or as a server. */

/** Runs one statement, with `$1`, `$2` ... for its values, and gives its rows. */
export type Query = <Row extends object>(sql: string, values?: readonly unknown[]) => Promise<readonly Row[]>

export interface Database {
  /** For people: `PostgreSQL 18.6, embedded`. */
  readonly name: string
  readonly query: Query
  /** Runs any number of statements. */
  readonly execute: (script: string) => Promise<void>
  /** Runs several statements as one: all of them have happened, or none when `work` rejects. */
  readonly transaction: <T>(work: (query: Query) => Promise<T>) => Promise<T>
  readonly close: () => Promise<void>
}

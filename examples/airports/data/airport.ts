/** A row of the CSV as an airport. */

import { InputError } from '../../command-line/input-error.ts'

/** What is counted of an airport. */
export interface Airport {
  /** `large_airport`, `heliport`, `closed` ... */
  readonly type: string
  /** Two letters, ISO 3166. */
  readonly country: string
}

/** Airports by country. */
export type Counts = ReadonlyMap<string, number>

/** What a header must have. */
export const NEEDED = 'the columns type and iso_country'

/** Where it stands in a row. */
export interface Columns {
  readonly count: number
  readonly type: number
  readonly country: number
}

/** @throws `InputError` when one is missing. */
export function columnsOf(header: readonly string[]): Columns {
  const [type, country] = [header.indexOf('type'), header.indexOf('iso_country')]
  if (type >= 0 && country >= 0) return { count: header.length, type, country }
  const got = header.slice(0, 20).join(', ').slice(0, 200)
  throw new InputError(`row 1: expected a header with ${NEEDED}, got: ${got}`)
}

/** @throws `InputError`, which says the row by its number. */
export function airportOf(row: readonly string[], { count, type, country }: Columns, number: number): Airport {
  if (row.length === count) return { type: field(row, type), country: field(row, country) }
  throw new InputError(`row ${number}: expected ${count} fields as in the header, got ${row.length}`)
}

/** Trimmed, because a line may end with a carriage return where others have none. */
function field(row: readonly string[], column: number): string {
  return (row[column] ?? '').trim()
}

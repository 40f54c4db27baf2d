/** What the steps have in common: an airport, and counting it. */

import type { Airport } from '../data/airport.ts'

/** The columns that are read. */
export const COLUMNS = ['type', 'iso_country'] as const

export type Row = Readonly<Record<(typeof COLUMNS)[number], string>>

export function airportOf({ type, iso_country }: Row): Airport {
  return { type, country: iso_country }
}

export function isClosed({ type }: Airport): boolean {
  return type === 'closed'
}

/** Counts one more. */
export function count({ country }: Airport, counts: Map<string, number>): Map<string, number> {
  return counts.set(country, (counts.get(country) ?? 0) + 1)
}

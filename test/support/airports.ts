/** Airports that are made up: sources in memory, and what counting them has to give. */

import type { Source } from '../../examples/airports/data/source.ts'

/** A row: its type and its country. */
export type Row = readonly [type: string, country: string]

/** A source in memory that comes in chunks of so many bytes. */
export function textSource(text: string | Uint8Array, chunk = 64): Source {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  return {
    name: 'test.csv',
    async *open() {
      for (let from = 0; from < bytes.length; from += chunk) yield bytes.subarray(from, from + chunk)
    },
  }
}

export function csvOf(rows: readonly Row[]): string {
  return ['type,name,iso_country', ...rows.map(([type, country]) => `${type},"A ""b"", c",${country}`), ''].join('\n')
}

/** Counted the plain way. */
export function expectedOf(rows: readonly Row[]) {
  const open = rows.filter(([type]) => type !== 'closed')
  const countries = new Map<string, number>()
  for (const [, country] of open) countries.set(country, (countries.get(country) ?? 0) + 1)
  return { rows: rows.length, airports: open.length, countries }
}

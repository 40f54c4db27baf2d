/** The result, for people. */

import { table, whole } from '../table.ts'
import type { Outcome } from './pipeline.ts'

/** The table, and what the run was like. */
export function report({ totals, complete, kills }: Outcome, ms: number): string {
  const { rows, airports, countries, batches, repeated } = totals
  const seconds = ms / 1000
  const run = `${whole(rows)} rows in ${seconds.toFixed(2)} s, ${whole(rows / seconds)} rows/s, ${whole(batches)} batches`
  const killed = `${whole(kills)} counters killed, ${whole(repeated)} batches came twice and were counted once`
  const top = table(countries)
  return [
    ...(top.length > 0 ? [...top, ''] : []),
    `${whole(airports)} open airports in ${whole(countries.size)} countries`,
    complete ? run : `interrupted after ${run}`,
    ...(kills > 0 ? [killed] : []),
    '',
  ].join('\n')
}

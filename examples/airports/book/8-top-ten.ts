/** 8. The top ten: each stage sorts its own countries and hands on ten of them; one event comes out. */

import type { Flow } from 'sluice/flow'
import type { Airport } from '../data/airport.ts'
import { count } from './airport.ts'

type Counted = readonly [country: string, airports: number]

export function topTen(airports: Flow<Airport>, stages: number): Flow<Counted[]> {
  return airports
    .partition({ key: 'country', stages })
    .reduce(() => new Map<string, number>(), count)
    .takeSort(10, mostFirst)
}

/** Countries with as many airports stand in the order of their codes. */
function mostFirst([one, m]: Counted, [other, n]: Counted): boolean {
  return m > n || (m === n && one <= other)
}

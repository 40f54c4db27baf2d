/** 5. Counted where they were parsed: every stage has seen airports of every country, so each has an answer of its own. */

import type { Flow } from 'sluice/flow'
import type { Airport } from '../data/airport.ts'
import { count } from './airport.ts'

export function noPartition(airports: Flow<Airport>) {
  return airports.reduce(() => new Map<string, number>(), count)
}

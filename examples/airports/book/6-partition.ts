/** 6. Partitioned by country: all airports of a country meet in the same stage, so there is one answer for each. */

import type { Flow } from 'sluice/flow'
import type { Airport } from '../data/airport.ts'
import { count } from './airport.ts'

export function partition(airports: Flow<Airport>, stages: number) {
  return airports.partition({ key: 'country', stages }).reduce(() => new Map<string, number>(), count)
}

/** 7. Grouped: the same answer from lists of airports, which have to be kept until the end. */

import type { Flow } from 'sluice/flow'
import type { Airport } from '../data/airport.ts'

export function groupBy(airports: Flow<Airport>, stages: number) {
  return airports
    .partition({ key: 'country', stages })
    .groupBy(({ country }) => country)
    .onTrigger((groups) => [[...groups].map(([country, group]) => [country, group.length] as const), groups])
}

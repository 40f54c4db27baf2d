/** 3. A flow, with a bottleneck: its stages share what is cheap, and all of them wait for the one producer that parses. */

import { Flow, files } from 'sluice/flow'
import type { Airport } from '../data/airport.ts'
import { airportOf, COLUMNS, isClosed } from './airport.ts'

export function oneParser(path: string, stages: number): Flow<Airport> {
  return Flow.from(files.csv(path, { columns: COLUMNS }), { stages })
    .map(airportOf)
    .reject(isClosed)
}

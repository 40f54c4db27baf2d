/** 2. Streamed: one airport after another, whatever the size of the file. The first is there at once. */

import { files } from 'sluice/flow'
import type { Airport } from '../data/airport.ts'
import { airportOf, COLUMNS, isClosed } from './airport.ts'

export async function* streamed(path: string): AsyncGenerator<Airport> {
  for await (const row of files.csv(path, { columns: COLUMNS })) {
    const airport = airportOf(row)
    if (!isClosed(airport)) yield airport
  }
}

/** 1. Eager: all text, then all rows, then all airports, then the open ones; each list is complete before the next begins. */

import { readFile } from 'node:fs/promises'
import Papa from 'papaparse'
import { InputError } from '../../command-line/input-error.ts'
import type { Airport } from '../data/airport.ts'
import { airportOf, isClosed, type Row } from './airport.ts'

export async function eager(path: string): Promise<readonly Airport[]> {
  const text = await readFile(path, 'utf8')
  const { data, errors } = Papa.parse<Row>(text, { header: true, delimiter: ',', skipEmptyLines: true })
  const [mistake] = errors
  if (mistake !== undefined) throw new InputError(`${path}: ${mistake.message}`)
  return data.map(airportOf).filter((airport) => !isClosed(airport))
}

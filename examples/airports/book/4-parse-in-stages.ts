/** 4. The producer only reads lines, and the stages parse them: what costs most is where it can be shared. */

import { Flow, files } from 'sluice/flow'
import type { Airport } from '../data/airport.ts'
import { isClosed } from './airport.ts'
import type { LineParser } from './line-parser.ts'

export function parseInStages(path: string, stages: number, parse: LineParser): Flow<Airport> {
  return Flow.from(files.lines(path), { stages }).mapBatch(parse).reject(isClosed)
}

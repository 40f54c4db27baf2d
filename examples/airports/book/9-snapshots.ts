/** 9. Snapshots: a slow stream, and what is counted so far, whenever a stage has got so many airports more. */

import { setTimeout } from 'node:timers/promises'
import { Flow, files, Window } from 'sluice/flow'
import type { Counts } from '../data/airport.ts'
import { airportOf, COLUMNS, count, isClosed } from './airport.ts'

export interface SnapshotOptions {
  readonly stages: number
  /** Airports between two snapshots of a stage. */
  readonly every: number
  /** Milliseconds that a batch of the stream takes to arrive. */
  readonly delay: number
}

/** What one stage has counted; the countries of the others are others. */
export interface Snapshot {
  readonly stage: number
  readonly counts: Counts
  /** There is no more to come. */
  readonly done: boolean
}

export function snapshots(path: string, { stages, every, delay }: SnapshotOptions) {
  return Flow.from(files.csv(path, { columns: COLUMNS }), { maxDemand: 100, minDemand: 0 })
    .mapBatch(async (rows) => {
      if (delay > 0) await setTimeout(delay)
      return rows
    })
    .map(airportOf)
    .reject(isClosed)
    .partition({ key: 'country', stages, window: Window.global().triggerEvery(every) })
    .reduce(() => new Map<string, number>(), count)
    .onTrigger((counts, { index }, { trigger }) => {
      const snapshot: Snapshot = { stage: index, counts: new Map(counts), done: trigger === 'done' }
      return [[snapshot], counts]
    })
}

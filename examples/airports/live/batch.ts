/** What flows through the pipeline. */

import type { Airport } from '../data/airport.ts'

/**
 * The unit of work. Reading a source twice gives the same batches with the same ids, which is what lets the tally count
 * each of them once, however often it comes.
 */
export interface Batch {
  readonly id: number
  /** Rows of the source that it stands for. */
  readonly rows: number
  readonly airports: readonly Airport[]
}

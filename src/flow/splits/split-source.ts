/** A source that can be read in parts, by several at the same time. */

import { BatchSource } from '../../stage/interop/batch-source.ts'
import type { SourceMeter } from '../../stage/interop/source-meter.ts'

/** Parts that are wanted for each reader: so many that who is done first finds some to take from the others. */
export const PARTS_A_READER = 6

/**
 * A `BatchSource` whose events lie in parts that can be read independently of each other: ranges of a file, pages of a table, objects
 * in a bucket. A part is plain data, so that it can be read in another thread; what is read there is not sent through this one. Within
 * one thread the parts are read one after another.
 *
 * @example
 * ```ts run
 * import { Flow, SplitSource } from 'sluice/flow'
 *
 * class Months extends SplitSource<string, number> {
 *   override plan() {
 *     return [1, 2, 3]
 *   }
 *   override async *open(month: number) {
 *     yield [`first of ${month}`, `second of ${month}`] // read them here
 *   }
 * }
 * console.log(await Flow.from(new Months()).count()) // 6
 * ```
 */
export abstract class SplitSource<out T, Split = unknown> extends BatchSource<T> {
  /**
   * The parts, in the order of the events. `count` is how many are useful, more than there are readers, so that who is done first takes
   * from the others; any other number is fine.
   */
  abstract plan(count: number): readonly Split[] | Promise<readonly Split[]>

  /** The events of one part, in arrays of which none is empty. Leaving the loop closes it. */
  abstract open(split: Split, meter?: SourceMeter): AsyncGenerator<readonly T[], void, undefined>

  override async *batches(meter?: SourceMeter): AsyncGenerator<readonly T[], void, undefined> {
    for (const split of await this.plan(1)) yield* this.open(split, meter)
  }
}

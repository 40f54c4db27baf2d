/** Which of several stages a message is for, as a function of the user's says. */

import { show } from '../../stage/show.ts'
import { BroadwayError } from '../errors.ts'
import type { Message } from '../message.ts'
import type { PartitionBy } from '../options/checked-options.ts'

/**
 * The number of a stage, of `count`.
 *
 * @throws what `partitionBy` throws; `BroadwayError` `bad_return` when it names no partition.
 */
export function partitionOf(message: Message, partitionBy: PartitionBy, count: number): number {
  const given = partitionBy(message)
  if (Number.isSafeInteger(given) && given >= 0) return given % count
  const text = `partitionBy returned ${show(given)}, expected an integer >= 0: its remainder by ${count} is the partition`
  throw new BroadwayError('bad_return', text)
}

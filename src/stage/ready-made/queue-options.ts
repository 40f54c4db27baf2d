/** The options of a queue, checked. */

import { StageError } from '../errors.ts'
import { type ProducerOptions, refuseUnknownOptions } from '../producer-options.ts'

/**
 * What happens to an event that comes when the queue is full: it waits until there is room, is refused, is dropped, or takes
 * the place of the oldest one.
 */
export type Overflow = 'wait' | 'reject' | 'drop_newest' | 'drop_oldest'

export interface QueueProducerOptions<Out> extends Pick<ProducerOptions<Out>, 'demand' | 'dispatcher'> {
  /** Events kept while nobody has asked for them, >= 1 or `Infinity`. Default 10000. */
  readonly capacity?: number | undefined
  /** What to do with more. Default `wait`. */
  readonly overflow?: Overflow | undefined
  /** With `wait`: events whose callers may wait for room, >= 1 or `Infinity`; who comes then is refused. Default 10000. */
  readonly maxWaiting?: number | undefined
}

export interface CheckedQueueOptions<Out> {
  readonly capacity: number
  readonly overflow: Overflow
  readonly maxWaiting: number
  readonly producer: ProducerOptions<Out>
}

const DEFAULT_CAPACITY = 10_000
const DEFAULT_WAITING = 10_000
const OVERFLOWS: readonly unknown[] = ['wait', 'reject', 'drop_newest', 'drop_oldest']
const KNOWN = ['capacity', 'overflow', 'maxWaiting', 'demand', 'dispatcher']

/** @throws `StageError` `bad_options`, which names the option, the value and what is allowed. */
export function checkQueueOptions<Out>(queue: string, options: QueueProducerOptions<Out>): CheckedQueueOptions<Out> {
  const bad = (option: string, value: unknown, expected: string): StageError =>
    new StageError('bad_options', `${option} of ${queue}: expected ${expected}, got ${String(value)}`)
  refuseUnknownOptions(queue, options, KNOWN)
  const { capacity = DEFAULT_CAPACITY, overflow = 'wait', maxWaiting, ...producer } = options
  if (!isCount(capacity)) throw bad('capacity', capacity, 'an integer >= 1 or Infinity')
  if (!OVERFLOWS.includes(overflow)) throw bad('overflow', overflow, `one of ${OVERFLOWS.join(', ')}`)
  if (maxWaiting !== undefined && overflow !== 'wait') {
    throw bad('maxWaiting', maxWaiting, `none, because with overflow '${overflow}' nobody waits`)
  }
  if (maxWaiting !== undefined && !isCount(maxWaiting))
    throw bad('maxWaiting', maxWaiting, 'an integer >= 1 or Infinity')
  // What was asked for by somebody who has gone waits in the stage's buffer: none of it may be dropped.
  return {
    capacity,
    overflow,
    maxWaiting: maxWaiting ?? DEFAULT_WAITING,
    producer: { ...producer, bufferSize: Infinity },
  }
}

function isCount(value: unknown): boolean {
  return value === Infinity || (Number.isInteger(value) && Number(value) >= 1)
}

/** How messages that failed are handled again, as users write it, and as it has been read. */

import type { OptionReader } from '../../stage/option-reader.ts'
import type { Failure, Message } from '../message.ts'
import { type CheckedBackoff, readBackoff } from './backoff-options.ts'

/** How long a message waits before it is handled again. */
export interface BackoffOptions {
  /**
   * `exp`: `min` after the first attempt, and twice as long after each one more; `rand`: anything from `min` to `max`; `rand_exp`:
   * anything from `min` to what would be the next step of `exp`. Never more than `max`. Default `rand_exp`: what failed together
   * does not come back together.
   */
  readonly type?: 'exp' | 'rand' | 'rand_exp' | undefined
  /** Milliseconds, >= 0. Default 1000. */
  readonly min?: number | undefined
  /** Milliseconds, >= min. Default 30000. */
  readonly max?: number | undefined
}

/** Has messages that failed handled again, in the pipeline. `M` is the message that the callback gets. */
export interface RetryOptions<M = Message> {
  /** How often a message is handled at most, >= 2: 3 is two times more. Then it has failed for good. */
  readonly attempts: number
  readonly backoff?: BackoffOptions | undefined
  /** Whether a message is handled again. Gets why it failed, and the message as the callback got it. Default: always. */
  readonly when?: ((failure: Failure, message: M) => boolean) | undefined
}

/** Retries, read. */
export interface CheckedRetry {
  readonly attempts: number
  readonly backoff: CheckedBackoff<'exp' | 'rand' | 'rand_exp'>
  readonly when: ((failure: Failure, message: Message) => unknown) | undefined
}

const TYPES = ['rand_exp', 'exp', 'rand'] as const

/** @throws `BroadwayError` `bad_options`. */
export function readRetry(options: OptionReader, inherited?: CheckedRetry): CheckedRetry | undefined {
  if (!options.has('retry')) return inherited
  const given = options.get('retry')
  if (given === false) return undefined
  if (typeof given !== 'object') throw options.bad('retry', 'false, or { attempts, backoff, when }')
  const retry = options.at('retry', ['attempts', 'backoff', 'when'])
  const attempts = retry.integer('attempts', 2)
  if (attempts === undefined) throw retry.bad('attempts', 'a whole number >= 2')
  const backoff = readBackoff(retry.at('backoff', ['type', 'min', 'max'], retry.get('backoff') ?? {}), TYPES)
  return { attempts, backoff, when: retry.method('when', 'a function of a failure and a message') }
}

/** The options of waiting between attempts to connect, checked. */

import type { OptionReader } from '../../stage/option-reader.ts'
import type { BackoffOptions, BackoffType } from '../connection/backoff.ts'

/** How the connection comes back. */
export interface ReconnectOptions {
  /** Milliseconds until the second attempt at least. Default 1000. */
  readonly backoffMin?: number | undefined
  /** Milliseconds between attempts at most. Default 30000. */
  readonly backoffMax?: number | undefined
  /** Default `rand_exp`. */
  readonly backoffType?: BackoffType | undefined
}

export const BACKOFF_OPTIONS: readonly string[] = ['backoffMin', 'backoffMax', 'backoffType']
const MIN = 1000
const MAX = 30_000

/** @throws `RabbitMQError` `bad_options`. */
export function readBackoff(options: OptionReader): BackoffOptions {
  const type = options.oneOf('backoffType', ['rand_exp', 'exp', 'rand', 'stop']) ?? 'rand_exp'
  const givenMin = options.integer('backoffMin', 0)
  const givenMax = options.integer('backoffMax', 0)
  const min = givenMin ?? Math.min(MIN, givenMax ?? MIN)
  const max = givenMax ?? Math.max(min, MAX)
  if (min > max) throw options.bad('backoffMin', `at most backoffMax, which is ${max}`)
  return { type, min, max }
}

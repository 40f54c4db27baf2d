/** The options of waiting between attempts to connect. */

import { readBackoff } from '../broadway/options/backoff-options.ts'
import type { OptionReader } from '../stage/option-reader.ts'
import type { BackoffOptions, BackoffType } from './backoff.ts'

/** How the connection comes back. */
export interface ReconnectOptions {
  /** Milliseconds until the second attempt at least. Default 1000. */
  readonly backoffMin?: number | undefined
  /** Milliseconds between attempts at most. Default 30000. */
  readonly backoffMax?: number | undefined
  /** Default `rand_exp`. */
  readonly backoffType?: BackoffType | undefined
}

const KEYS = { type: 'backoffType', min: 'backoffMin', max: 'backoffMax' }
export const RECONNECT_OPTIONS: readonly string[] = Object.values(KEYS)

/** @throws what the options are refused with. */
export function readReconnect(options: OptionReader): BackoffOptions {
  return readBackoff(options, ['rand_exp', 'exp', 'rand', 'stop'], KEYS)
}

/** How to wait for tasks. */

import { checkTimeout } from '../../process/call.ts'
import { ProcessError } from '../../process/errors.ts'

export interface WaitOptions {
  /** Milliseconds, or `Infinity`. Default 5000. */
  readonly timeout?: number | undefined
}

export interface YieldManyOptions extends WaitOptions {
  /** Stops waiting after so many outcomes; the other tasks go on and can be waited for. Default: all. */
  readonly limit?: number | undefined
  /** What happens to those that are late: nothing, they are ignored, or killed. Default `nothing`. */
  readonly onTimeout?: 'nothing' | 'ignore' | 'kill_task' | undefined
}

export const DEFAULT_TIMEOUT = 5000

export function timeoutOf(options: WaitOptions | undefined): number {
  return checkTimeout(options?.timeout) ?? DEFAULT_TIMEOUT
}

/** The options of `yieldMany`, checked. */
export function yieldManyOptions(options: YieldManyOptions): {
  [K in keyof YieldManyOptions]-?: Exclude<YieldManyOptions[K], undefined>
} {
  const { limit = Infinity, onTimeout = 'nothing' } = options
  if (!(limit >= 1)) throw refused('limit', 'a number of tasks >= 1', limit)
  if (onTimeout !== 'nothing' && onTimeout !== 'ignore' && onTimeout !== 'kill_task') {
    throw refused('onTimeout', "'nothing', 'ignore' or 'kill_task'", onTimeout)
  }
  return { timeout: timeoutOf(options), limit, onTimeout }
}

function refused(option: string, expected: string, got: unknown): ProcessError {
  return new ProcessError('bad_argument', `${option} of yieldMany: expected ${expected}, got ${String(got)}`)
}

/** What can be set for a worker thread, and reading it. */

import type { ResourceLimits } from 'node:worker_threads'
import type { OptionReader } from '../stage/option-reader.ts'

export interface ThreadOptions {
  /** Limits of its memory, in megabytes; who exceeds them ends, with `WorkerError` `out_of_memory`. Default: those of Node. */
  readonly resourceLimits?: ResourceLimits | undefined
  /**
   * Milliseconds within which it has to answer while it has work: when a callback does not return, the thread is ended, with
   * `WorkerError` `unresponsive`, after at most twice that time. Default `Infinity`.
   */
  readonly deadline?: number | undefined
  /** Its environment variables. Default: a copy of those of the program. */
  readonly env?: Readonly<Record<string, string>> | undefined
}

export const THREAD_OPTIONS: readonly string[] = ['resourceLimits', 'deadline', 'env']

/** Those that are given. @throws what the reader throws, which names the option, the value and what is allowed. */
export function readThreadOptions(options: OptionReader): ThreadOptions {
  const deadline = options.get('deadline') === Infinity ? Infinity : options.duration('deadline')
  const resourceLimits = valuesOf(options, 'resourceLimits', isNumber, '{ maxOldGenerationSizeMb: 64 } or the like')
  const env = valuesOf(options, 'env', isString, 'an object of strings')
  return {
    ...(deadline === undefined ? {} : { deadline }),
    ...(resourceLimits === undefined ? {} : { resourceLimits }),
    ...(env === undefined ? {} : { env }),
  }
}

/** An object whose values are all of a kind. */
function valuesOf<T>(
  options: OptionReader,
  key: string,
  fits: (value: unknown) => value is T,
  expected: string,
): Record<string, T> | undefined {
  const values: Record<string, T> = {}
  const given = options.object(key)
  if (given === undefined) return undefined
  for (const [name, value] of Object.entries(given)) {
    if (!fits(value)) throw options.bad(key, expected)
    values[name] = value
  }
  return values
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

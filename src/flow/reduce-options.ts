/** The options of `reduce`. */

import { show } from '../stage/show.ts'
import { FlowError } from './errors.ts'
import { type Combine, checkFunction } from './operation.ts'

export interface ReduceOptions<State> {
  /**
   * Puts two accumulators together. With it each stage before a partition or shuffle accumulates for itself what it would send, and
   * sends that now and then, so that few accumulators cross instead of many events; into other threads they must be plain data. An
   * accumulator as `initial` makes it must add nothing. The reducer must be the first operation of its step. In a global window; in
   * fixed ones every event is sent, and those that count events, with `triggerEvery` too, are refused.
   */
  readonly combine?: ((state: State, other: State) => State) | undefined
}

/** @throws `FlowError` `bad_options`. */
export function readCombine(options: unknown): Combine | undefined {
  if (typeof options !== 'object' || options === null) {
    throw new FlowError('bad_options', `reduce: expected an object of options last, got ${show(options)}`)
  }
  const unknown = Object.keys(options).find((name) => name !== 'combine')
  if (unknown !== undefined) throw new FlowError('bad_options', `reduce has no option ${unknown}; known is combine`)
  const { combine }: { readonly combine?: unknown } = options
  if (combine === undefined) return undefined
  checkFunction('combine of reduce', combine)
  return isCombine(combine) ? { asked: true, merge: combine } : undefined
}

/** What accumulators it takes only its user knows. */
function isCombine(combine: unknown): combine is Combine['merge'] {
  return typeof combine === 'function'
}

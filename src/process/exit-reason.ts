/**
 * Why a process ended. `normal`, `shutdown` and `{ shutdown: detail }` are orderly; everything else (`killed`, `noproc`,
 * a word of your own, an `Error`) is a failure that links pass on and supervisors react to.
 */

import { inspect } from 'node:util'

/** An orderly end with a detail, Elixir's `{:shutdown, detail}`. */
export interface Shutdown {
  readonly shutdown: unknown
}

/** Why a process ended: a word, `{ shutdown: detail }`, or the `Error` that it crashed with. */
export type ExitReason = 'normal' | 'shutdown' | 'killed' | 'noproc' | (string & {}) | Shutdown | Error

/** True for `normal`, `shutdown` and `{ shutdown: detail }`: transient children are not restarted, nothing is reported. */
export function isOrderly(reason: ExitReason): boolean {
  return reason === 'normal' || isShutdown(reason)
}

/** True for `shutdown` and `{ shutdown: detail }`. */
export function isShutdown(reason: ExitReason): boolean {
  return reason === 'shutdown' || (typeof reason === 'object' && !(reason instanceof Error) && 'shutdown' in reason)
}

/** One line for a reason: the word itself, `Error: message`, or `shutdown: detail`. */
export function describeReason(reason: ExitReason): string {
  if (typeof reason === 'string') return reason
  if (reason instanceof Error) return `${reason.name}: ${reason.message}`
  return `shutdown: ${inspect(reason.shutdown, { depth: 1, breakLength: Infinity })}`
}

/** What was thrown, as a reason: an `Error` is one already, anything else is wrapped so that a stack is kept. */
export function reasonOf(thrown: unknown): ExitReason {
  if (thrown instanceof Error) return thrown
  return new Error(`a callback threw ${inspect(thrown, { depth: 1 })}, expected an Error`, { cause: thrown })
}

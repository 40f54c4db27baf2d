/** Errors and exit reasons on their way between threads. */

import { inspect } from 'node:util'
import { type ExitReason, reasonOf } from '../process/exit-reason.ts'
import type { WireError, WireReason } from './wire.ts'

/** An exit reason, or anything that was thrown, as it is sent. */
export function sendable(reason: unknown): WireReason {
  if (typeof reason === 'string') return reason
  if (reason instanceof Error) return { error: sendableError(reason) }
  if (typeof reason === 'object' && reason !== null && 'shutdown' in reason) {
    return { shutdown: cloneableOrText(reason.shutdown) }
  }
  return { value: cloneableOrText(reason) }
}

/** The exit reason that was sent. */
export function receivedReason(wire: WireReason): ExitReason {
  if (typeof wire === 'string') return wire
  if ('shutdown' in wire) return wire
  return 'error' in wire ? receivedError(wire.error) : reasonOf(wire.value)
}

export function sendableError(error: Error): WireError {
  const { name, message, stack, cause } = error
  const more: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(error)) {
    if (key !== 'name' && key !== 'cause' && isCloneable(value)) more[key] = value
  }
  return { name, message, stack, cause: cause === undefined ? undefined : sendable(cause), more }
}

const builtIn: readonly ErrorConstructor[] = [TypeError, RangeError, SyntaxError, ReferenceError, URIError, EvalError]

export function receivedError({ name, message, stack, cause, more }: WireError): Error {
  const Type = builtIn.find((type) => type.name === name) ?? Error
  const error = new Type(message, cause === undefined ? undefined : { cause: receivedCause(cause) })
  define(error, 'name', name)
  define(error, 'stack', stack)
  return Object.assign(error, more)
}

function receivedCause(cause: WireReason): unknown {
  return typeof cause === 'object' && 'value' in cause ? cause.value : receivedReason(cause)
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, writable: true, enumerable: false })
}

function cloneableOrText(value: unknown): unknown {
  return isCloneable(value) ? value : inspect(value, { depth: 1, breakLength: Infinity })
}

/** Only for what is small and rare. */
export function isCloneable(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value !== 'function' && typeof value !== 'symbol'
  try {
    structuredClone(value)
    return true
  } catch {
    return false
  }
}

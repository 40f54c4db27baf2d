/** The errors of the kernel. Thrown = the caller's mistake or a timeout; how a process ended is an exit reason instead. */

import type { ExitReason } from './exit-reason.ts'

/**
 * - `use_this`: a free function was called inside a callback; inside a process the method of `this` owns what it makes.
 * - `bad_name`: what was given as a name is neither a class nor made by `name(Class, id)`.
 * - `name_taken`: another process holds the name.
 * - `noproc`: a message was sent to a name that nobody holds.
 * - `not_a_message`: a stub was called for something that is no public method of the class.
 * - `bad_argument`: a value of the wrong kind; the text says what was expected.
 * - `not_running`: an instance was made with `new` and has no process, so that it can be unit-tested, not run.
 */
export type ProcessErrorCode =
  | 'use_this'
  | 'bad_name'
  | 'name_taken'
  | 'noproc'
  | 'not_a_message'
  | 'bad_argument'
  | 'not_running'

/** A mistake in using processes; `code` is stable. */
export class ProcessError extends Error {
  readonly code: ProcessErrorCode

  constructor(code: ProcessErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ProcessError'
    this.code = code
  }
}

/**
 * - `timeout`: no reply in time. The target is unharmed and may still do the work; its late reply is dropped.
 * - `noproc`: the target was not running when it was called.
 * - `exit`: the target ended before it replied; `reason` says why, `cause` is the crash.
 * - `failed`: the work given to `later` failed; the target lives, `cause` is the failure.
 * - `calling_self`: a process called itself, which could only wait for ever.
 * - `aborted`: the signal given with the call fired; `cause` is its reason.
 */
export type CallErrorCode = 'timeout' | 'noproc' | 'exit' | 'failed' | 'calling_self' | 'aborted'

/** A call that got no reply; `code` is stable. */
export class CallError extends Error {
  readonly code: CallErrorCode
  /** The name and number of the process that was called. */
  readonly target: string
  /** The method that was called. */
  readonly method: string
  /** Why the target ended; only for `exit` and `noproc`. */
  readonly reason: ExitReason | undefined

  constructor(
    code: CallErrorCode,
    target: string,
    method: string,
    message: string,
    detail: { readonly reason?: ExitReason | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = 'CallError'
    this.code = code
    this.target = target
    this.method = method
    this.reason = detail.reason
    if (detail.reason === detail.cause) printOnce(this)
  }
}

/** The reason is the cause, too: in print the crash stands once. */
export function printOnce(error: { readonly reason: ExitReason | undefined }): void {
  Object.defineProperty(error, 'reason', { enumerable: false })
}

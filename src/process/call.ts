/**
 * One call on its way: the tag in the target's mailbox, the deadline, and the promise of the caller, in one flat object.
 *
 * A failure is made into a `CallError` in a microtask that hands its outcome to the caller's promise, because then V8 finds
 * the caller's `await` and the stack of the error shows where the call was made. A call that succeeds pays nothing for it.
 */

import type { DeadlineList, Expiring } from './deadlines.ts'
import { CallError, type CallErrorCode, ProcessError } from './errors.ts'
import { describeReason, type ExitReason } from './exit-reason.ts'
import { CALL, type Method, type Tag } from './message.ts'
import type { Process } from './process.ts'

/** How long to wait, and when to give up waiting. */
export interface CallOptions {
  /** Milliseconds until the call fails with `timeout`; `Infinity` waits as long as it takes. Default 5000. */
  readonly timeout?: number | undefined
  /** Gives up waiting when it fires: the call fails with `aborted`. The target is not disturbed. */
  readonly signal?: AbortSignal | undefined
}

export const DEFAULT_CALL_TIMEOUT = 5000

/** The timeout of a call as it was given. */
export function checkTimeout(timeout: number | undefined): number | undefined {
  if (timeout === undefined || timeout >= 0) return timeout
  throw new ProcessError('bad_argument', `timeout: expected milliseconds >= 0 or Infinity, got ${String(timeout)}`)
}

const settled = Promise.resolve()

const OPEN = 0
const ANSWERED = 1
const FAILED = 2

export class Call implements Tag<unknown[]>, Expiring {
  declare readonly $payload?: unknown[]
  // The fields of a tag come first, in its order.
  readonly kind: number
  readonly subject: Method

  previousDeadline: Expiring | undefined
  nextDeadline: Expiring | undefined
  deadlineList: DeadlineList | undefined
  deadline: number

  readonly method: string
  readonly target: Process
  readonly timeout: number
  #state: typeof OPEN | typeof ANSWERED | typeof FAILED
  /** What came before anybody waited for it: the reply, or what makes the error. */
  #reply: unknown
  #makeError: (() => CallError) | undefined
  #resolve: ((value: unknown) => void) | undefined
  #reject: ((error: unknown) => void) | undefined
  #stopListening: (() => void) | undefined
  /** Called when the caller gives up waiting. */
  onGivenUp: (() => void) | undefined

  constructor(target: Process, method: string, handler: Method, timeout: number) {
    this.kind = CALL
    this.subject = handler
    this.previousDeadline = undefined
    this.nextDeadline = undefined
    this.deadlineList = undefined
    this.deadline = 0
    this.method = method
    this.target = target
    this.timeout = timeout
    this.#state = OPEN
    this.#reply = undefined
    this.#makeError = undefined
    this.#resolve = undefined
    this.#reject = undefined
    this.#stopListening = undefined
    this.onGivenUp = undefined
  }

  /** Still has no outcome. */
  get open(): boolean {
    return this.#state === OPEN
  }

  /** What the caller gets, once the message is on its way. */
  outcome(signal: AbortSignal | undefined): Promise<unknown> {
    // The usual call has its reply already: it needs no deadline, and without the functions that settle a promise it is a
    // sixth faster.
    if (this.#state === ANSWERED) return Promise.resolve(this.#reply)
    return new Promise((resolve, reject) => {
      if (this.#makeError !== undefined) return failInCallersFrame(resolve, reject, this.#makeError)
      this.#resolve = resolve
      this.#reject = reject
      const { runtime } = this.target
      runtime.deadlines.add(this, this.timeout)
      runtime.scheduler.markTurn()
      if (signal !== undefined) this.#listen(signal)
    })
  }

  /** The reply; a second one, or one that comes too late, is dropped. */
  reply(value: unknown): void {
    if (this.#state !== OPEN) return
    this.#state = ANSWERED
    const resolve = this.#resolve
    if (resolve === undefined) {
      this.#reply = value
      return
    }
    this.#close()
    resolve(value)
  }

  /** The work given to `later` failed. */
  failed(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error)
    this.#fail('failed', `${this.#title} failed: ${text}`, undefined, error)
  }

  targetEnded(reason: ExitReason): void {
    const cause = reason instanceof Error ? reason : undefined
    this.#fail('exit', `${this.#title} got no reply: the process ended with ${describeReason(reason)}`, reason, cause)
  }

  notRunning(): void {
    const reason = this.target.exitReason ?? 'noproc'
    const text = `${this.#title} got no reply: the process is not running, it ended with ${describeReason(reason)}`
    this.#fail('noproc', text, reason)
  }

  callingSelf(): void {
    const text = `${this.#title}: a process cannot call itself, it would wait for ever; call the method directly as this.${this.method}(...)`
    this.#fail('calling_self', text)
  }

  expire(): void {
    const { awaiting } = this.target
    const busy =
      awaiting === undefined ? '' : `; it was held by an await in ${awaiting} (a call to itself waits for ever)`
    this.#giveUp('timeout', `${this.#title} got no reply within ${this.timeout} ms${busy}`)
  }

  /** Gives up waiting when the signal fires. */
  #listen(signal: AbortSignal): void {
    const abort = (): void => this.aborted(signal)
    signal.addEventListener('abort', abort, { once: true })
    this.#stopListening = () => signal.removeEventListener('abort', abort)
  }

  aborted(signal: AbortSignal): void {
    this.#giveUp('aborted', `${this.#title} was given up by its signal`, signal.reason)
  }

  #giveUp(code: CallErrorCode, message: string, cause?: unknown): void {
    if (!this.open) return
    this.#fail(code, message, undefined, cause)
    this.onGivenUp?.()
  }

  get #title(): string {
    return `call ${this.method}() to ${this.target}`
  }

  #close(): void {
    this.target.runtime.deadlines.remove(this)
    this.#stopListening?.()
  }

  #fail(code: CallErrorCode, message: string, reason?: ExitReason, cause?: unknown): void {
    if (this.#state !== OPEN) return
    this.#state = FAILED
    const makeError = (): CallError => new CallError(code, `${this.target}`, this.method, message, { reason, cause })
    if (this.#resolve === undefined || this.#reject === undefined) {
      this.#makeError = makeError
      return
    }
    this.#close()
    failInCallersFrame(this.#resolve, this.#reject, makeError)
  }
}

/** The message is a call. */
export function isCall(tag: Tag): tag is Call {
  return tag.kind === CALL
}

/** Rejects a promise with an error that is made where V8 sees who awaits it. */
export function failInCallersFrame<T>(
  resolve: (value: T | PromiseLike<T>) => void,
  reject: (error: unknown) => void,
  makeError: () => unknown,
): void {
  const thrown: Promise<never> = settled.then(() => {
    throw makeError()
  })
  thrown.then(resolve, reject)
}

/** Calls a method of a process and promises its reply. */
export function call(
  target: Process,
  method: string,
  handler: Method,
  args: readonly unknown[],
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const message = new Call(target, method, handler, timeout)
  if (!target.alive) message.notRunning()
  else if (target.runtime.current === target) message.callingSelf()
  else if (signal?.aborted) message.aborted(signal)
  else target.deliverNow(message, args)
  return message.outcome(signal)
}

/** How the outside holds a process: an opaque ref, with typed stubs for its messages. */

import { inspect } from 'node:util'
import { type CallOptions, checkTimeout, DEFAULT_CALL_TIMEOUT } from './call.ts'
import { ProcessError } from './errors.ts'
import type { ExitReason } from './exit-reason.ts'
import type { Later } from './later.ts'
import { INFO } from './message.ts'
import type { Process } from './process.ts'
import { type StopOptions, stop } from './stop.ts'
import type { Target } from './stubs.ts'

/** The members of our base classes, which are no messages. */
type BaseKeys<T> = T extends { readonly $base?: infer Base } ? keyof NonNullable<Base> : never

/** The keys of the public methods that a class adds to our base: its messages. */
export type MessageKeys<T> = {
  [K in Exclude<keyof T, BaseKeys<T> | `$${string}`>]: T[K] extends (...args: never) => unknown ? K : never
}[Exclude<keyof T, BaseKeys<T> | `$${string}`>]

/** What a caller gets for what the method returns: promises and `Later` are unwrapped. */
export type Reply<R> = Answer<Awaited<R>>

type Answer<V> = V extends Later<infer Value> ? Value : V

/** The calls that a class declares itself, in `$calls`, because their replies depend on their arguments. */
type OwnCalls<T> = T extends { readonly $calls?: infer Own } ? NonNullable<Own> : unknown

/** Every message of a process as a call: the promise of its reply. */
export type Calls<T> = {
  readonly [K in MessageKeys<T>]: K extends keyof OwnCalls<T>
    ? OwnCalls<T>[K]
    : T[K] extends (...args: infer Args extends readonly unknown[]) => infer R
      ? (...args: Args) => Promise<Reply<R>>
      : never
}

/** Every message of a process as a cast: sent, and forgotten. */
export type Casts<T> = {
  readonly [K in MessageKeys<T>]: T[K] extends (...args: infer Args extends readonly unknown[]) => unknown
    ? (...args: Args) => void
    : never
}

/** A ref with other options for its calls. */
export interface CallsWith<T> {
  readonly call: Calls<T>
}

/**
 * A process, seen from outside. It stays valid when the process has ended: calls then fail with `CallError` `noproc`,
 * casts and sends are dropped. Refs of one process are the same object.
 */
export interface Ref<T = unknown> extends AsyncDisposable {
  /** The type of the process; exists for the compiler only. */
  readonly $type?: T | undefined
  /** Number of the process, unique in its runtime. */
  readonly id: number
  /** False from the moment it ends. */
  readonly alive: boolean
  /**
   * Sends a message and promises the reply: `await ref.call.method(...)`. Fails with `CallError` when there is none within
   * 5000 ms, or when the process ends first.
   */
  readonly call: Calls<T>
  /** Sends a message and does not wait: `ref.cast.method(...)`. Never fails; the dead drop it. */
  readonly cast: Casts<T>
  /** Calls with another timeout (milliseconds) or with a signal to give up: `ref.with({ timeout: 500 }).call.method()`. */
  with(options: CallOptions): CallsWith<T>
  /** Sends any value; it arrives at `handleInfo`. */
  send(message: unknown): void
  /**
   * Asks the process to stop, in the order of its mailbox, and waits for its end. `terminate` runs. At the deadline
   * (default 5000 ms) it is killed. With `drain` it first finishes what it holds.
   *
   * @throws `CallError` `noproc` when it is not running, `timeout` when it had to be killed, `exit` when it ended with
   * another reason, `calling_self` inside the process.
   */
  stop(options?: StopOptions): Promise<void>
  /** Sends an exit signal: ends a process that does not trap exits; one that does gets an `Exit` message. */
  exit(reason: ExitReason): void
  /** Ends it at once, trapping or not. Others see the reason `killed`. */
  kill(): void
  /** Resolves with the exit reason when the process has ended. Never rejects. */
  readonly done: Promise<ExitReason>
  /** Name and number, for texts. */
  toString(): string
  /** Stops the process, if it still runs: for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** The ref of a process in this thread. */
export class ProcessRef implements Ref, Target {
  readonly process: Process
  #calls: object | undefined = undefined
  #casts: object | undefined = undefined

  constructor(process: Process) {
    this.process = process
  }

  get id(): number {
    return this.process.id
  }

  get alive(): boolean {
    return this.process.alive
  }

  get call(): object {
    return (this.#calls ??= this.#stubs(undefined, undefined))
  }

  get cast(): object {
    if (this.#casts === undefined) {
      const { stubs } = this.process
      if (stubs === undefined) throw withoutMessages(this)
      this.#casts = new stubs.Casts(this)
    }
    return this.#casts
  }

  with(options: CallOptions): { readonly call: object } {
    return { call: this.#stubs(options.timeout, options.signal) }
  }

  #stubs(timeout: number | undefined, signal: AbortSignal | undefined): object {
    const { stubs } = this.process
    if (stubs === undefined) throw withoutMessages(this)
    return new stubs.Calls(this, checkTimeout(timeout) ?? stubs.callTimeout ?? DEFAULT_CALL_TIMEOUT, signal)
  }

  send(message: unknown): void {
    this.process.deliver(INFO, message)
  }

  stop(options: StopOptions = {}): Promise<void> {
    return stop(this.process, options)
  }

  exit(reason: ExitReason): void {
    const { runtime } = this.process
    this.process.signalSent(runtime.current ?? runtime.main, reason)
  }

  kill(): void {
    this.process.kill()
  }

  get done(): Promise<ExitReason> {
    return new Promise((resolve) => this.process.onEnd(resolve))
  }

  holder(): Process {
    return this.process
  }

  toString(): string {
    return this.process.toString()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.process.alive) return
    await stop(this.process, { reason: 'shutdown' }).catch((error: { readonly code?: string }) => {
      if (error.code === 'timeout') throw error
    })
  }
}

// In logs a ref is its name, not the insides of the process.
Object.defineProperty(ProcessRef.prototype, inspect.custom, {
  value(this: ProcessRef) {
    return `Ref<${this}>`
  },
})

/** The same ref, as one of a process of a type that the caller knows. */
export function typedRef<T>(ref: Ref): Ref<T> {
  return ref as Ref<T>
}

/** The process behind a ref. */
export function processOf(ref: Ref): Process {
  if (ref instanceof ProcessRef) return ref.process
  throw new ProcessError('bad_argument', `expected a ref of this runtime, got ${String(ref)}`)
}

function withoutMessages(ref: ProcessRef): ProcessError {
  return new ProcessError('not_a_message', `${ref} has no messages to call or cast; use send`)
}

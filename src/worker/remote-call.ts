/** A call that came from another thread: its outcome goes back there, at once, before anything that its target does next. */

import { Call } from '../process/call.ts'
import type { Method } from '../process/message.ts'
import type { Process } from '../process/process.ts'

/** Where the outcome goes. */
export interface Caller {
  replied(value: unknown): void
  failed(error: unknown): void
}

export class RemoteCall extends Call {
  readonly #caller: Caller
  #open = true

  constructor(target: Process, method: string, handler: Method, caller: Caller) {
    super(target, method, handler, Infinity)
    this.#caller = caller
  }

  override get open(): boolean {
    return this.#open
  }

  override reply(value: unknown): void {
    if (!this.#open) return
    this.#open = false
    this.#caller.replied(value)
  }

  override failed(error: unknown): void {
    if (!this.#open) return
    this.#open = false
    this.#caller.failed(error)
  }

  /** The caller hears of the end of the process itself. */
  override targetEnded(): void {
    this.#open = false
  }

  /** The caller has given up waiting. */
  abandon(): void {
    if (!this.#open) return
    this.#open = false
    this.onGivenUp?.()
  }
}

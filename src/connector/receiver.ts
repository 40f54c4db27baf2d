/**
 * Asks a server for messages as they are asked for: one request at a time, for no more than the demand. It ends when there is no
 * demand, and begins again with it.
 */

import type { Process } from '../process/process.ts'

/** How a source talks to its server; `T` is a message as it comes from there. */
export interface ReceiverPlan<T> {
  /** Messages received at once at most. */
  readonly max: number
  /** Milliseconds until a server that had nothing is asked again; 0 where the request itself waits for messages. */
  readonly interval: number
  /**
   * Milliseconds that an answer which is on its way has when it is stopped, until the request is aborted: messages that are not
   * received are the server's again only later. Default 0.
   */
  readonly grace?: number | undefined
  /** Receives up to `max`, maybe none; rejects when the signal fires, which is that of this request alone. */
  receive(max: number, signal: AbortSignal): Promise<readonly T[]>
  /** Emits them. */
  received(messages: readonly T[]): void
  /** They came when nobody wanted them any more. What it throws is logged. */
  giveBack(messages: readonly T[]): Promise<void>
  /** Says in the log what happened; gives the milliseconds until the next request, 0 for at once, `undefined` for none. */
  failed(error: unknown): number | undefined
}

export class Receiver<T> {
  readonly #process: Process
  readonly #plan: ReceiverPlan<T>
  /** Ends the waiting for messages. */
  readonly #enough = new AbortController()
  #isStopping = false
  /** Messages that were asked for and not received. */
  #demand = 0
  /** A request is on its way, or the time for the next has not come. */
  #isBusy = false
  #receiving: Promise<void> | undefined = undefined
  #isAnswered = false

  constructor(process: Process, plan: ReceiverPlan<T>) {
    this.#process = process
    this.#plan = plan
    process.onEnd(() => this.#enough.abort())
  }

  /** The last request that has ended was answered. */
  get isAnswered(): boolean {
    return this.#isAnswered
  }

  /** So many more are wanted. */
  ask(demand: number): void {
    this.#demand += demand
    this.#receive()
  }

  /** Receives no more; what comes all the same goes back. */
  async stop(): Promise<void> {
    this.#isStopping = true
    const { grace = 0 } = this.#plan
    const timer = grace > 0 ? this.#process.setTimer(grace, () => this.#enough.abort()) : undefined
    if (timer === undefined) this.#enough.abort()
    await this.#receiving
    timer?.cancel()
  }

  #receive(): void {
    const { signal } = this.#enough
    if (this.#isBusy || this.#demand === 0 || this.#isStopping || signal.aborted) return
    // Before the request, since demand may come while it is made.
    this.#isBusy = true
    this.#receiving = this.#request(Math.min(this.#demand, this.#plan.max), signal)
      // What `emit` throws has ended the process.
      .catch(() => {})
  }

  async #request(max: number, signal: AbortSignal): Promise<void> {
    // Not all clients stop to listen when a request has ended.
    const own = new AbortController()
    const abort = (): void => own.abort(signal.reason)
    signal.addEventListener('abort', abort)
    let messages: readonly T[]
    try {
      messages = await this.#plan.receive(max, own.signal)
      this.#isAnswered = true
    } catch (error) {
      if (this.#isStopping || signal.aborted) return
      this.#isAnswered = false
      const wait = this.#plan.failed(error)
      if (wait === undefined) this.#enough.abort()
      else this.#later(wait)
      return
    } finally {
      signal.removeEventListener('abort', abort)
    }
    if (this.#isStopping || signal.aborted) return this.#giveBack(messages)
    this.#demand -= messages.length
    if (messages.length > 0) this.#plan.received(messages)
    if (messages.length === 0 && this.#plan.interval > 0) return this.#later(this.#plan.interval)
    this.#isBusy = false
    this.#receive()
  }

  #later(ms: number): void {
    const again = (): void => {
      this.#isBusy = false
      this.#receive()
    }
    if (ms === 0) again()
    else this.#process.setTimer(ms, again)
  }

  async #giveBack(messages: readonly T[]): Promise<void> {
    if (messages.length === 0) return
    try {
      await this.#plan.giveBack(messages)
    } catch (err) {
      const process = this.#process
      process.runtime.logger.warn(
        { err, process: `${process}` },
        `${process} could not give back ${messages.length} messages, which came while it was stopping; they are delivered again later`,
      )
    }
  }
}

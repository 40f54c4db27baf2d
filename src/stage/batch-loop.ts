/** Runs `handleEvents` over the batches of one message, one after another, and asks for more after each. */

import { isPromise } from '../otp/server-behaviour.ts'
import type { Process } from '../process/process.ts'
import { channels } from '../telemetry/channels.ts'
import { Batcher, refill } from './batches.ts'
import { NONE } from './buffer.ts'
import { reportExcess } from './inlet.ts'
import type { Subscription } from './subscription.ts'

/** The stage whose events are handled. */
export interface BatchHost {
  readonly process: Process
  readonly stopRequested: boolean
  handleBatch(events: readonly unknown[], subscription: Subscription): unknown
  /** What the callback returned, before more is asked for. */
  handled(result: unknown): void
  /** The message is done, after at least one of its batches was awaited. */
  messageDone(): void
}

export class BatchLoop {
  readonly #host: BatchHost
  readonly #process: Process
  readonly #batcher = new Batcher()
  // The message that is being cut
  #subscription: Subscription | undefined = undefined
  #events: readonly unknown[] = NONE
  #offset = 0
  /** Whose batch is awaited, and the batch. */
  #awaiting: Subscription | undefined = undefined
  #batch: readonly unknown[] = NONE
  #ask = 0

  constructor(host: BatchHost) {
    this.#host = host
    this.#process = host.process
  }

  /** Handles one message; false when a batch is awaited, `messageDone` then comes later. */
  run(subscription: Subscription, events: readonly unknown[]): boolean {
    const { inflow } = subscription
    const demand = inflow?.automatic === true ? inflow : undefined
    const { length } = events
    if (demand !== undefined && length <= demand.max - demand.min && length <= demand.demand) {
      // The usual message is one batch, which needs no cutting.
      return this.#handle(events, subscription, refill(demand, length))
    }
    this.#subscription = subscription
    this.#events = events
    this.#offset = 0
    this.#batcher.begin(demand, length)
    return this.#step(subscription)
  }

  readonly #resume = (result: unknown): void => {
    const subscription = this.#awaiting
    if (subscription === undefined) return
    this.#batch = NONE
    this.#host.handled(result)
    if (this.#ask > 0 && !this.#over()) subscription.ask(this.#ask)
    if (this.#over() || this.#step(subscription)) this.#host.messageDone()
  }

  /** Handles the batches that are left; false when one is awaited. */
  #step(subscription: Subscription): boolean {
    const batcher = this.#batcher
    while (this.#subscription === subscription && batcher.next()) {
      if (batcher.excess > 0) reportExcess(this.#process, subscription, batcher.excess)
      if (!this.#handle(this.#cut(batcher.size), subscription, batcher.ask)) return false
      if (this.#over()) break
    }
    this.#subscription = undefined
    this.#events = NONE
    return true
  }

  /** Handles one batch; false when it is awaited. */
  #handle(batch: readonly unknown[], subscription: Subscription, ask: number): boolean {
    const host = this.#host
    if (channels.stageBatch.hasSubscribers) {
      channels.stageBatch.publish({ id: this.#process.id, stage: `${this.#process}`, events: batch.length })
    }
    const result = host.handleBatch(batch, subscription)
    if (result !== undefined && !Array.isArray(result) && isPromise(result)) {
      this.#awaiting = subscription
      this.#batch = batch
      this.#ask = ask
      this.#process.awaiting = 'handleEvents'
      this.#process.await(result, this.#resume)
      return false
    }
    this.#host.handled(result)
    // The output goes on first, then more is asked for.
    if (ask > 0 && !this.#over()) subscription.ask(ask)
    return true
  }

  /** Shows the batch that is awaited and what is left of its message. */
  each(see: (events: readonly unknown[]) => void): void {
    see(this.#batch)
    see(this.#events.slice(this.#offset))
  }

  #cut(size: number): readonly unknown[] {
    const events = this.#events
    const from = this.#offset
    this.#offset = from + size
    return size === events.length ? events : events.slice(from, from + size)
  }

  /** A callback asked to stop: what is left of the message is abandoned. */
  #over(): boolean {
    return this.#host.stopRequested || !this.#process.alive
  }
}

/** The demand of a processor that keeps messages: what it keeps counts as on its way, and nothing is asked for in its place. */

import type { Subscription } from '../../stage/subscription.ts'

/** Of one subscription. */
interface Flow {
  /** Asked for, and not there yet. */
  toCome: number
  /** Done with, and not asked for again. */
  free: number
}

export class HeldDemand {
  readonly #minDemand: number
  readonly #maxDemand: number
  readonly #flows = new Map<Subscription, Flow>()

  constructor(minDemand: number, maxDemand: number) {
    this.#minDemand = minDemand
    this.#maxDemand = maxDemand
  }

  /** A producer has come. */
  begin(subscription: Subscription): void {
    this.#flows.set(subscription, { toCome: this.#maxDemand, free: 0 })
    subscription.ask(this.#maxDemand)
  }

  /** A producer has gone. */
  forget(subscription: Subscription): void {
    this.#flows.delete(subscription)
  }

  arrived(subscription: Subscription, count: number): void {
    const flow = this.#flows.get(subscription)
    if (flow !== undefined) flow.toCome -= count
  }

  /** Messages have left the processor; asks for others when few are still to come. */
  done(subscription: Subscription, count: number): void {
    const flow = this.#flows.get(subscription)
    if (flow === undefined) return
    flow.free += count
    if (flow.free === 0 || flow.toCome > this.#minDemand) return
    subscription.ask(flow.free)
    flow.toCome += flow.free
    flow.free = 0
  }
}

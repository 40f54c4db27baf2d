/**
 * The places that one subscription has for children: a place is taken by an event and free again when its child has gone for
 * good. Free places are asked for together, as soon as there are `minDemand` of them.
 * Source: GenStage's `ConsumerSupervisor`, whose code waits for so many ends, where its documentation speaks of so many that
 * still run. Other than there, events beyond what was asked for refill nothing, so that the demand does not grow.
 */

import type { Subscription } from '../subscription.ts'

export class Intake {
  readonly subscription: Subscription
  readonly #min: number
  /** Asked for and not yet received. */
  #outstanding: number
  /** Children of events that nobody asked for: they have no place. */
  #excess = 0
  #free = 0
  /** The events of a message are being started: what is free by the end of it is asked for together. */
  #starting = false

  constructor(subscription: Subscription, min: number, max: number) {
    this.subscription = subscription
    this.#min = min
    this.#outstanding = max
  }

  /** A message of events arrives; returns how many of them nobody asked for. */
  begin(events: number): number {
    this.#starting = true
    const excess = Math.max(0, events - this.#outstanding)
    this.#outstanding -= events - excess
    this.#excess += excess
    return excess
  }

  /** All events of a message were started. */
  end(): void {
    this.#starting = false
    this.#ask()
  }

  /** A child has gone for good, or did not start. */
  free(): void {
    if (this.#excess > 0) this.#excess--
    else this.#free++
    if (!this.#starting) this.#ask()
  }

  #ask(): void {
    const free = this.#free
    // A subscription that has ended is asked for nothing, nor does who stops ask for more.
    if (free < this.#min || free === 0 || this.subscription.inflow === undefined) return
    if (this.subscription.ends.consumer.stopping) return
    this.#free = 0
    this.#outstanding += free
    this.subscription.ask(free)
  }
}

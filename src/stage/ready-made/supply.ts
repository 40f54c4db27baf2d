/** One producer of a gate: what it was asked for by hand. */

import type { Subscription } from '../subscription.ts'
import { checkSubscription } from '../subscription-options.ts'

export class Supply {
  readonly #subscription: Subscription
  readonly #min: number
  readonly #max: number
  /** Events asked for and not yet here. */
  #coming = 0

  constructor(subscription: Subscription) {
    const { min, max } = checkSubscription(subscription.options)
    this.#subscription = subscription
    this.#min = min
    this.#max = max
  }

  /** Events have come; those that nobody asked for change nothing. */
  arrived(count: number): void {
    this.#coming = Math.max(0, this.#coming - count)
  }

  /**
   * Sees to it that as many events are on their way, or held already, as are wanted: never more than `maxDemand`, and only
   * when no more than `minDemand` are left.
   */
  want(count: number, held = 0): void {
    const have = this.#coming + held
    const missing = Math.min(count, this.#max) - have
    if (missing <= 0 || have > this.#min) return
    this.#coming += missing
    this.#subscription.ask(missing)
  }
}

/** Ends the program when all is sold. */

import { setTimeout } from 'node:timers/promises'
import { CallError, GenServer, name } from 'sluice'
import type { Broker } from './broker/broker.ts'
import { Customers } from './customers.ts'

export interface ClosingTimeOptions {
  readonly broker: () => Pick<Broker, 'bookings' | 'confirmations'>
  /** Customers put bookings into the queue. */
  readonly customers: boolean
  /** Called when every booking is in the queue, and out of it; and so is every confirmation. */
  readonly close: () => void
}

/** Milliseconds between two looks. */
const EVERY = 20

/** A process that looks now and then, and is stopped before those whom it asks. */
export class ClosingTime extends GenServer {
  readonly #options: ClosingTimeOptions

  constructor(options: ClosingTimeOptions) {
    super()
    this.#options = options
    // Beside the mailbox: a look that is due when it is stopped would count as a message that is lost.
    this.later(() => this.#wait())
  }

  async #wait() {
    const { signal } = this
    while (!(await this.#allIsSold())) {
      await setTimeout(EVERY, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
    }
    this.#options.close()
  }

  async #allIsSold() {
    const { broker, customers } = this.#options
    const { bookings, confirmations } = broker()
    try {
      if (customers && !(await name(Customers).call.haveAsked())) return false
      return (await bookings.isDone()) && (await confirmations.isDone())
    } catch (error) {
      // Whoever was asked is busy, or is being restarted.
      if (error instanceof CallError) return false
      throw error
    }
  }
}

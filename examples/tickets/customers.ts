/** Customers: they put bookings into the queue, as fast as it takes them or at a rate. */

import { GenServer } from 'sluice'
import type { Booking } from './booking.ts'
import type { BrokerQueue } from './broker/broker.ts'

export interface CustomersOptions {
  readonly queue: () => Pick<BrokerQueue<Booking>, 'publish' | 'hasRoom'>
  readonly bookings: () => Iterator<Booking>
  /** How many of them; may be `Infinity`. */
  readonly count: number
  /** Bookings a second; `undefined`: as many as the queue takes. */
  readonly rate: number | undefined
}

/** Bookings that come together. */
const MANY = 100
/** Milliseconds until customers look again whether there is room. */
const CROWDED = 10
const MORE = Symbol('more')

/** When it is to stop it finishes what it has begun: what the queue was given is in. */
export class Customers extends GenServer {
  readonly #queue: ReturnType<CustomersOptions['queue']>
  readonly #bookings: Iterator<Booking>
  readonly #rate: number | undefined
  #left: number
  #started = performance.now()
  #asked = 0

  constructor({ queue, bookings, count, rate }: CustomersOptions) {
    super()
    this.#queue = queue()
    this.#bookings = bookings()
    this.#left = count
    this.#rate = rate
    this.sendAfter(MORE, 0)
  }

  /** All bookings are in the queue. */
  haveAsked(): boolean {
    return this.#left === 0
  }

  override async handleInfo(message: unknown) {
    if (message !== MORE) {
      super.handleInfo(message)
      return
    }
    while (!(await this.#queue.hasRoom())) {
      if (this.stopping) return
      await this.sleep(CROWDED)
    }
    await this.#book(Math.min(this.#left, this.#due()))
    if (this.#left > 0 && !this.stopping) this.sendAfter(MORE, this.#rest())
  }

  /** Waits while the queue is full. */
  async #book(count: number) {
    const bookings = Array.from({ length: count }, () => this.#bookings.next().value)
    await this.#queue.publish(bookings, this.signal)
    this.#asked += count
    this.#left -= count
  }

  #due() {
    return this.#rate === undefined
      ? MANY
      : Math.max(0, Math.min(MANY, Math.floor(this.#expected(this.#rate)) - this.#asked))
  }

  #rest() {
    const rate = this.#rate
    return rate === undefined ? 0 : Math.max(0, (1000 * (this.#asked + 1 - this.#expected(rate))) / rate)
  }

  /** How many there should have been by now. */
  #expected(rate: number) {
    return (rate * (performance.now() - this.#started)) / 1000
  }
}

/** Customers: they put bookings into the queue, as fast as it takes them or at a rate. */

import { GenServer, type Later, name } from 'sluice'
import type { Booking } from './booking.ts'
import { Bookings } from './queues.ts'

export interface CustomersOptions {
  readonly bookings: () => Iterator<Booking>
  /** How many of them; may be `Infinity`. */
  readonly count: number
  /** Bookings a second; `undefined`: as many as the queue takes. */
  readonly rate: number | undefined
}

/** Bookings that come together. */
const MANY = 20
const MORE = Symbol('more')

/** When it is to stop it finishes what it has begun: what the queue was given is in. */
export class Customers extends GenServer {
  readonly #bookings: Iterator<Booking>
  readonly #rate: number | undefined
  #left: number
  #started = performance.now()
  #asked = 0
  readonly #waiting: Later<void>[] = []

  constructor({ bookings, count, rate }: CustomersOptions) {
    super()
    this.#bookings = bookings()
    this.#left = count
    this.#rate = rate
    this.sendAfter(MORE, 0)
  }

  /** Replies when all bookings are in the queue. */
  finished(): void | Later<void> {
    if (this.#left === 0) return
    const later = this.later<void>()
    this.#waiting.push(later)
    return later
  }

  override async handleInfo(message: unknown) {
    if (message !== MORE) {
      super.handleInfo(message)
      return
    }
    await this.#book(Math.min(this.#left, this.#due()))
    if (this.stopping) return
    if (this.#left > 0) this.sendAfter(MORE, this.#rest())
    else for (const later of this.#waiting.splice(0)) later.reply()
  }

  /** Waits while the queue is full. */
  async #book(count: number) {
    const messages = Array.from({ length: count }, () => ({ data: this.#bookings.next().value }))
    await name(Bookings).with({ signal: this.signal, timeout: Infinity }).call.enqueueMany(messages)
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

/** Tells how the run goes, every now and then. */

import { CallError, GenServer } from 'sluice'
import type { Broker } from './broker/broker.ts'
import { bar, whole } from './report.ts'
import type { Tally } from './tally.ts'

export interface ProgressOptions {
  readonly tally: () => Tally
  readonly broker: () => Pick<Broker, 'bookings' | 'confirmations'>
  /** Bookings in all; may be `Infinity`. */
  readonly count: number
  /** Milliseconds between two lines. */
  readonly every: number
  /** Takes a line; the empty one at the end. */
  readonly show: (line: string) => void
}

const TICK = Symbol('tick')
const BAR = 20

export class Progress extends GenServer {
  readonly #options: ProgressOptions
  readonly #started = performance.now()

  constructor(options: ProgressOptions) {
    super()
    this.#options = options
    this.sendAfter(TICK, options.every)
  }

  override async handleInfo(message: unknown) {
    if (message !== TICK) {
      super.handleInfo(message)
      return
    }
    const line = await this.#line()
    if (line !== undefined) this.#options.show(line)
    this.sendAfter(TICK, this.#options.every)
  }

  override terminate() {
    this.#options.show('')
  }

  /** Nothing while the broker cannot be asked. */
  async #line() {
    const { count } = this.#options
    const broker = this.#options.broker()
    const tally = this.#options.tally()
    try {
      const [bookings, confirmations] = await Promise.all([broker.bookings.stats(), broker.confirmations.stats()])
      const { ready = '?', inHand, delayed, dead, done } = bookings
      const perSecond = done / ((performance.now() - this.#started) / 1000)
      const of = count === Infinity ? '' : ` of ${whole(count)}`
      return [
        `${count === Infinity ? '' : `${bar(done / count, BAR)} `}${whole(done)}${of} bookings`,
        `${whole(perSecond)}/s`,
        `${whole(tally.booked)} booked, ${whole(tally.refused)} refused, ${dead} dead`,
        `queue ${ready}, in hand ${inHand}, to retry ${delayed}`,
        `${whole(tally.digests)} e-mails, ${(confirmations.ready ?? 0) + confirmations.inHand} tickets to tell of`,
      ].join(' · ')
    } catch (error) {
      if (error instanceof CallError) return undefined
      throw error
    }
  }
}

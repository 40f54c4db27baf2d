/** Tells how the run goes, every now and then. */

import { CallError, GenServer, name } from 'sluice'
import { Bookings, Confirmations } from './queues.ts'
import { bar, whole } from './report.ts'
import type { Tally } from './tally.ts'

export interface ProgressOptions {
  readonly tally: () => Tally
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

  /** Nothing while a queue is being restarted. */
  async #line() {
    const { count } = this.#options
    const tally = this.#options.tally()
    try {
      const [bookings, confirmations] = await Promise.all([
        name(Bookings).call.stats(),
        name(Confirmations).call.stats(),
      ])
      const done = bookings.totals.acknowledged + bookings.dead
      const perSecond = done / ((performance.now() - this.#started) / 1000)
      const of = count === Infinity ? '' : ` of ${whole(count)}`
      const { ready, inFlight, delayed } = bookings
      return [
        `${count === Infinity ? '' : `${bar(done / count, BAR)} `}${whole(done)}${of} bookings`,
        `${whole(perSecond)}/s`,
        `${whole(tally.booked)} booked, ${whole(tally.refused)} refused, ${bookings.dead} dead`,
        `queue ${ready}, in hand ${inFlight}, to retry ${delayed}`,
        `${whole(tally.digests)} e-mails, ${confirmations.ready + confirmations.inFlight} tickets to tell of`,
      ].join(' · ')
    } catch (error) {
      if (error instanceof CallError) return undefined
      throw error
    }
  }
}

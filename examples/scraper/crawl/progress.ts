/** Tells how it goes, every now and then. */

import { GenServer, whereis } from 'sluice'
import { Frontier } from './frontier.ts'
import { progressLine } from './report.ts'
import { Visits } from './visits.ts'

export interface ProgressOptions {
  /** Milliseconds between two lines. */
  readonly every: number
  /** Takes a line; the empty one at the end. */
  readonly show: (line: string) => void
}

const TICK = Symbol('tick')

export class Progress extends GenServer {
  readonly #options: ProgressOptions
  readonly #began = performance.now()

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
    const totals = await whereis(Visits)?.call.totals()
    // The frontier ends before the last pages do.
    const waiting = await whereis(Frontier)
      ?.call.waiting()
      .catch(() => 0)
    if (totals !== undefined) this.#options.show(progressLine(totals, waiting ?? 0, performance.now() - this.#began))
    this.sendAfter(TICK, this.#options.every)
  }

  override terminate() {
    this.#options.show('')
  }
}

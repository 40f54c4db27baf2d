/** Tells how it goes, every now and then. */

import { GenServer, name } from 'sluice'
import { Board } from './board.ts'
import { progressLine } from './report.ts'

export interface ProgressOptions {
  /** Milliseconds between two lines. */
  readonly every: number
  /** Takes a line; the empty one at the end. */
  readonly show: (line: string) => void
}

const TICK = Symbol('tick')

export class Progress extends GenServer {
  readonly #options: ProgressOptions

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
    this.#options.show(progressLine(await name(Board).call.jobs()))
    this.sendAfter(TICK, this.#options.every)
  }

  override terminate() {
    this.#options.show('')
  }
}

/** Prints numbers, slowly: it gets no more than it asked for, however fast they are counted. */

import { Consumer } from 'sluice'
import { EvenNumbers } from './even-numbers.ts'

export interface PrinterOptions {
  /** Batches to print; then it has had enough. */
  readonly batches: number
  /** Milliseconds for a batch. */
  readonly pace: number
  readonly print: (numbers: readonly number[]) => void
}

export class Printer extends Consumer<number> {
  readonly #options: PrinterOptions
  #printed = 0

  constructor(options: PrinterOptions) {
    // At most 10 on their way, and more when no more than 5 are: so batches of 5.
    super({ subscribeTo: [{ to: EvenNumbers, maxDemand: 10, minDemand: 5 }] })
    this.#options = options
  }

  override async handleEvents(numbers: readonly number[]) {
    const { batches, pace, print } = this.#options
    await this.sleep(pace)
    print(numbers)
    if (++this.#printed === batches) this.stop()
  }
}

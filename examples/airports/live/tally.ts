/** The counts, in a process of their own. */

import { GenServer, type Later } from 'sluice'
import type { Counts } from '../data/airport.ts'

export interface Totals {
  readonly rows: number
  readonly airports: number
  readonly countries: Counts
  readonly batches: number
  /** Batches that came again and were not counted again. */
  readonly repeated: number
}

export interface Result {
  readonly totals: Totals
  /** False when the run was ended early. */
  readonly complete: boolean
}

/**
 * Takes each batch exactly once, all of it or nothing: a message is handled to its end, and a batch that is known changes
 * nothing. It is the only process whose state matters, so it does no work that could fail.
 */
export class Tally extends GenServer {
  readonly #taken = new Set<number>()
  readonly #countries = new Map<string, number>()
  #rows = 0
  #airports = 0
  #repeated = 0
  #answer: ((waiting: Later<Result>) => void) | undefined = undefined
  #waiting: Later<Result>[] = []

  add(batch: number, rows: number, counts: Counts) {
    if (this.#taken.has(batch)) {
      this.#repeated++
      return
    }
    this.#taken.add(batch)
    this.#rows += rows
    for (const [country, count] of counts) {
      this.#airports += count
      this.#countries.set(country, (this.#countries.get(country) ?? 0) + count)
    }
  }

  /** Everything that was read is counted. */
  finish() {
    this.#settle((waiting) => waiting.reply({ totals: this.totals(), complete: true }))
  }

  /** There will be no result. */
  fail(error: Error) {
    this.#settle((waiting) => waiting.fail(error))
  }

  /** The totals, when they are complete, or when the run is ended early. */
  result() {
    const later = this.later<Result>()
    if (this.#answer === undefined) this.#waiting.push(later)
    else this.#answer(later)
    return later
  }

  override terminate() {
    this.#settle((waiting) => waiting.reply({ totals: this.totals(), complete: false }))
  }

  /** The totals as they are now. */
  totals(): Totals {
    return {
      rows: this.#rows,
      airports: this.#airports,
      countries: new Map(this.#countries),
      batches: this.#taken.size,
      repeated: this.#repeated,
    }
  }

  #settle(answer: (waiting: Later<Result>) => void) {
    this.#answer ??= answer
    for (const waiting of this.#waiting.splice(0)) this.#answer(waiting)
  }
}

/** Whole numbers in a row, as a source. */

import { StageError } from '../errors.ts'
import { show } from '../show.ts'

/** Whole numbers from `first` to `last`, each `step` more than the one before; made with `range`. */
export class Range implements Iterable<number> {
  readonly first: number
  readonly last: number
  readonly step: number
  /** How many numbers there are. */
  readonly size: number

  /** @internal */
  constructor(first: number, last: number, step: number) {
    this.first = first
    this.last = last
    this.step = step
    this.size = Math.max(0, Math.floor((last - first) / step) + 1)
  }

  *[Symbol.iterator](): Generator<number, undefined, undefined> {
    for (let place = 0; place < this.size; place++) yield this.first + place * this.step
  }

  toString(): string {
    return `${this.first}..${this.last}${this.step === 1 ? '' : `//${this.step}`}`
  }
}

/**
 * The whole numbers from `first` to `last`, both included; none when `last` lies on the other side. As a source of a flow or a
 * producer it is read many at once, where a generator is asked for each. Elixir: `first..last//step`.
 *
 * @param step What is added to each, not 0. Default 1.
 * @throws `StageError` `bad_options` for what is no whole number.
 * @example
 * ```ts run
 * import { Flow, range } from 'sluice/flow'
 *
 * const squares = await Flow.from(range(1, 5)).map((n) => n * n).toArray()
 * console.log(squares) // [ 1, 4, 9, 16, 25 ]
 * ```
 */
export function range(first: number, last: number, step: number = 1): Range {
  for (const [name, value] of Object.entries({ first, last, step })) {
    if (!Number.isSafeInteger(value)) {
      throw new StageError('bad_options', `${name} of a range: expected a whole number, got ${show(value)}`)
    }
  }
  if (step === 0) throw new StageError('bad_options', 'step of a range: expected a whole number that is not 0, got 0')
  return new Range(first, last, step)
}

/** The accumulator of `countBy` and `sumBy`: a number for each key. */

import { stablePartition } from '../otp/stable-hash.ts'
import { Keys } from './keys.ts'
import type { Combine, View } from './operation.ts'

export class Tally {
  readonly #keys = new Keys()
  readonly #sums = new Map<unknown, number>()

  get size(): number {
    return this.#sums.size
  }

  add(key: unknown, amount: number): this {
    const own = this.#keys.of(key)
    this.#sums.set(own, (this.#sums.get(own) ?? 0) + amount)
    return this
  }

  /** A map of its own, as users know the accumulator. */
  shown(): Map<unknown, number> {
    return new Map(this.#sums)
  }

  /** The sums of each partition. */
  parts(partitions: number): readonly (Map<unknown, number> | undefined)[] {
    const parts: (Map<unknown, number> | undefined)[] = new Array(partitions).fill(undefined)
    for (const [key, sum] of this.#sums) {
      const partition = stablePartition(key, partitions)
      let part = parts[partition]
      if (part === undefined) parts[partition] = part = new Map()
      part.set(key, sum)
    }
    return parts
  }

  static from(sums: Iterable<readonly [unknown, number]>, tally: Tally = new Tally()): Tally {
    for (const [key, amount] of sums) tally.add(key, amount)
    return tally
  }
}

export const tallyView: View = {
  show: (state) => (state instanceof Tally ? state.shown() : state),
  take: (shown) => (shown instanceof Map ? Tally.from(shown) : new Tally()),
}

/** Tallies are put together by adding up. */
export const tallyCombine: Combine = {
  asked: false,
  sent: (state) => (state instanceof Tally ? state.shown() : state),
  parts: (state, partitions) => (state instanceof Tally ? state.parts(partitions) : []),
  merge: (state, sums) => (state instanceof Tally && sums instanceof Map ? Tally.from(sums, state) : state),
}

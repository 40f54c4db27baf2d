/** The accumulator of `groupBy`: values by key, kept in the order of their arrival, and shown newest first. */

import { stablePartition } from '../otp/stable-hash.ts'
import { Keys } from './keys.ts'
import type { Combine, View } from './operation.ts'

export class Groups {
  readonly #keys = new Keys()
  readonly #values = new Map<unknown, unknown[]>()

  add(key: unknown, value: unknown): this {
    const own = this.#keys.of(key)
    const values = this.#values.get(own)
    if (values === undefined) this.#values.set(own, [value])
    else values.push(value)
    return this
  }

  get size(): number {
    return this.#values.size
  }

  /** The values of each key in the order of their arrival. */
  arrived(): ReadonlyMap<unknown, readonly unknown[]> {
    return this.#values
  }

  /** The same for each partition. */
  parts(partitions: number): readonly (Map<unknown, readonly unknown[]> | undefined)[] {
    const parts: (Map<unknown, readonly unknown[]> | undefined)[] = new Array(partitions).fill(undefined)
    for (const [key, values] of this.#values) {
      const partition = stablePartition(key, partitions)
      let part = parts[partition]
      if (part === undefined) parts[partition] = part = new Map()
      part.set(key, values)
    }
    return parts
  }

  /** A map of its own, as users know the accumulator. */
  shown(): Map<unknown, unknown[]> {
    return new Map([...this.#values].map(([key, values]) => [key, values.toReversed()]))
  }
}

export const groupsView: View = {
  show: (state) => (state instanceof Groups ? state.shown() : state),
  take(shown) {
    const groups = new Groups()
    if (shown instanceof Map) {
      for (const [key, values] of shown) for (const value of [...values].reverse()) groups.add(key, value)
    }
    return groups
  },
}

/** Groups are put together one behind the other. */
export const groupsCombine: Combine = {
  asked: false,
  sent: (state) => (state instanceof Groups ? state.arrived() : state),
  parts: (state, partitions) => (state instanceof Groups ? state.parts(partitions) : []),
  merge(state, groups) {
    if (!(state instanceof Groups && groups instanceof Map)) return state
    for (const [key, values] of groups) for (const value of values) state.add(key, value)
    return state
  },
}

/** The accumulator of `groupBy`: values by key, kept in the order of their arrival, and shown newest first. */

import { Keys } from './keys.ts'
import type { View } from './operation.ts'

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

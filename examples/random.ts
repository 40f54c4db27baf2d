/** Chance that can be repeated: the same seed, the same numbers. */

/** Numbers in [0, 1). Source: mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface Chance {
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number
  /** True in this share of the cases. */
  chance(share: number): boolean
  of<T>(all: readonly T[]): T
}

export function chanceFrom(seed: number): Chance {
  const next = randomFrom(seed)
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    below,
    chance: (share) => next() < share,
    of: (all) => {
      const found = all[below(all.length)]
      if (found === undefined) throw new Error('nothing to choose from')
      return found
    },
  }
}

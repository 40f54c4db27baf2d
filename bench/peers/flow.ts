/**
 * What the row `flow` does, without stages: numbers, one added to each, a third of them dropped, the rest counted by key in one
 * `Map`. Counting in `subscribe` is the fastest form in RxJS: with `reduce` or `scan` it takes 1.2 to 1.5 times as long, with `groupBy`,
 * which makes a subject for each key, 3 times.
 */
import { filter, map, range } from 'rxjs'

export type Counts = Map<number, number>

export const KEYS = 1000

export const count = (value: number, counts: Counts): Counts => {
  const key = value % KEYS
  return counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** By hand, in one loop. */
export function loop(amount: number): Counts {
  const counts: Counts = new Map()
  for (let index = 0; index < amount; index++) {
    const value = index + 1
    if (value % 3 !== 0) count(value, counts)
  }
  return counts
}

/** Synchronous from end to end, so the result is there when `subscribe` returns. */
export function observable(amount: number): Counts {
  const counts: Counts = new Map()
  range(0, amount)
    .pipe(
      map((value) => value + 1),
      filter((value) => value % 3 !== 0),
    )
    .subscribe((value) => {
      count(value, counts)
    })
  return counts
}

import { count, map, range } from 'rxjs'

/** Synchronous from end to end, so the result is there when `subscribe` returns. */
export function rxjs(amount: number): number {
  let result = 0
  range(0, amount)
    .pipe(
      map((value) => value + 1),
      count(),
    )
    .subscribe((total) => {
      result = total
    })
  return result
}

import { Effect, Fiber } from 'effect'

/**
 * Forks a fiber and joins it, one after another; the loop is Effect's own. Started immediately, a fiber that awaits nothing
 * is done when the fork returns: it is never scheduled, and the join finds its exit.
 */
export function effectForkJoin(amount: number, startImmediately: boolean): Promise<number> {
  return Effect.runPromise(
    Effect.gen(function* () {
      let forked = 0
      let sum = 0
      yield* Effect.whileLoop({
        while: () => forked < amount,
        body: () => {
          forked++
          return Effect.flatMap(
            Effect.forkChild(
              Effect.sync(() => 1),
              { startImmediately },
            ),
            Fiber.join,
          )
        },
        step: (value) => {
          sum += value
        },
      })
      return sum
    }),
  )
}

/** All at once, so many at a time. */
export function effectForEach(elements: readonly number[], concurrency: number): Promise<number> {
  return Effect.runPromise(
    Effect.map(
      Effect.forEach(elements, (element) => Effect.promise(async () => element + 1), { concurrency }),
      (values) => values.length,
    ),
  )
}

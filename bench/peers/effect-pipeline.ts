import { Effect, Stream } from 'effect'

/** Each message handled by an effect, four at a time, and counted. */
export function effectMessages(amount: number): Promise<number> {
  return Effect.runPromise(
    Stream.range(0, amount - 1).pipe(
      Stream.mapEffect((value) => Effect.succeed(value + 1), { concurrency: 4 }),
      Stream.runCount,
    ),
  )
}

/** One after another, which is all that effects without any waiting need. */
export function effectMessagesInOrder(amount: number): Promise<number> {
  return Effect.runPromise(
    Stream.range(0, amount - 1).pipe(
      Stream.mapEffect((value) => Effect.succeed(value + 1)),
      Stream.runCount,
    ),
  )
}

/** Four at a time, and then batches of 100, or what came within a second, each handled by an effect. */
export function effectBatches(amount: number): Promise<number> {
  return Effect.runPromise(
    Stream.range(0, amount - 1).pipe(
      Stream.mapEffect((value) => Effect.succeed(value + 1), { concurrency: 4 }),
      Stream.groupedWithin(100, '1 second'),
      Stream.mapEffect((batch) => Effect.succeed(batch.length)),
      Stream.runFold(
        () => 0,
        (sum, size) => sum + size,
      ),
    ),
  )
}

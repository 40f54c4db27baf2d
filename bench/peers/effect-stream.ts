import { Effect, Stream } from 'effect'

/** Chunks of 4096, the default, and a count that adds lengths: 500 is no faster, a fold or a sum is slower. */
export function effectStream(amount: number): Promise<number> {
  return Effect.runPromise(
    Stream.range(0, amount - 1).pipe(
      Stream.map((value) => value + 1),
      Stream.runCount,
    ),
  )
}

/**
 * One event in flight per hop, as with demand 1/0. `buffer` takes the source apart itself; feeding it chunks of 1, or
 * `bufferArray`, or `mapEffect`, takes 1.5 to 2 times as long.
 */
export function effectStreamBuffered(amount: number): Promise<number> {
  return Effect.runPromise(
    Stream.range(0, amount - 1).pipe(
      Stream.buffer({ capacity: 1 }),
      Stream.map((value) => value + 1),
      Stream.buffer({ capacity: 1 }),
      Stream.runCount,
    ),
  )
}

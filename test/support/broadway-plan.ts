/** Random pipelines over a queue, and what is done to them: stages are killed, acknowledgers are slow or fail, the pipeline is stopped. */

import fc from 'fast-check'

/** What becomes of a message when it is handled for the first time; later it succeeds. */
type Ending = 'ok' | 'fails' | 'throws'

export interface Fate {
  readonly first: Ending
  readonly last: Ending
  /** Milliseconds that `handleMessage` takes. */
  readonly slow: number
  readonly batcher: 'a' | 'b'
  readonly key: number
  readonly flush: boolean
}

/** Kills a part, if it runs then. */
interface Kill {
  readonly at: number
  readonly part: string
}

/** Times of stops are in between those of all else, so that nothing is under way then that takes no time. */
interface Stop {
  readonly at: number
  /** `undefined` for as long as it takes. */
  readonly drainTimeout: number | undefined
}

export interface PipelinePlan {
  readonly seed: number
  readonly fates: readonly Fate[]
  readonly producers: number
  readonly processors: number
  readonly maxDemand: number
  readonly batchers: 0 | 1 | 2
  readonly batchSize: number
  readonly batchProcessors: number
  readonly partitioned: boolean
  readonly handleBatch: number
  readonly limited: boolean
  /** Calls of the acknowledger: at once, after a while, or some of them fail. */
  readonly acks: 'now' | 'later' | 'fails'
  readonly kills: readonly Kill[]
  readonly stop: Stop | undefined
}

const few = fc.integer({ min: 1, max: 3 })
const ending = fc.constantFrom<Ending[]>('ok', 'ok', 'ok', 'ok', 'fails', 'throws')
const tens = (max: number): fc.Arbitrary<number> => fc.nat(max).map((n) => 10 * n)

const fate: fc.Arbitrary<Fate> = fc.record({
  first: ending,
  last: ending,
  slow: fc.constantFrom(0, 10, 10, 30),
  batcher: fc.constantFrom('a' as const, 'b' as const),
  key: fc.nat(2),
  flush: fc.boolean(),
})

const part = fc.constantFrom(
  'Producer_0',
  'Producer_1',
  'Processor_default_0',
  'Processor_default_1',
  'Batcher_a',
  'Batcher_b',
  'BatchProcessor_a_0',
  'BatchProcessor_a_1',
  'BatchProcessor_b_0',
  'RateLimiter',
)

export const pipelinePlan: fc.Arbitrary<PipelinePlan> = fc.record({
  seed: fc.nat(100_000),
  fates: fc.array(fate, { minLength: 1, maxLength: 40, size: 'max' }),
  producers: fc.integer({ min: 1, max: 2 }),
  processors: few,
  maxDemand: fc.integer({ min: 1, max: 10 }),
  batchers: fc.constantFrom(0 as const, 1 as const, 2 as const),
  batchSize: fc.integer({ min: 1, max: 5 }),
  batchProcessors: few,
  partitioned: fc.boolean(),
  handleBatch: fc.constantFrom(0, 0, 20),
  limited: fc.boolean(),
  acks: fc.constantFrom('now' as const, 'now' as const, 'now' as const, 'later' as const, 'fails' as const),
  kills: fc.oneof(
    { arbitrary: fc.constant<Kill[]>([]), weight: 1 },
    { arbitrary: fc.array(fc.record({ at: tens(12), part }), { minLength: 1, maxLength: 4 }), weight: 1 },
  ),
  stop: fc.option(
    fc.record({
      at: tens(8).map((at) => at + 5),
      drainTimeout: fc.option(
        tens(20).map((ms) => ms + 10),
        { nil: undefined },
      ),
    }),
    { nil: undefined, freq: 3 },
  ),
})

import fc from 'fast-check'
import { type Acknowledger, Broadway, Message } from 'sluice/broadway'
import { expect, it } from 'vitest'
import { inSimulation, partOf, Silent } from '../support/broadway.ts'

/** How often one message fails in its processor and in its batch, before it succeeds. */
interface Fate {
  readonly id: number
  readonly key: number
  readonly first: number
  readonly last: number
  readonly throws: boolean
  readonly later: boolean
  /** Milliseconds before the next one comes. */
  readonly pause: number
}

interface Shape {
  readonly producers: number
  readonly processors: number
  readonly maxDemand: number
  readonly batches: boolean
  readonly batchProcessors: number
  readonly batchSize: number
  readonly ordered: boolean
  readonly type: 'exp' | 'rand' | 'rand_exp'
  readonly deadLetter: 'none' | 'takes' | 'throws'
  readonly prepares: boolean
  readonly seed: number
}

/** Which part is killed, behind which message. */
interface Kill {
  readonly after: number
  readonly part: string
}

const fails = fc.constantFrom(0, 0, 0, 1, 2, 5)
const fates = fc
  .array(
    fc.record({
      key: fc.nat(3),
      first: fails,
      last: fails,
      throws: fc.boolean(),
      later: fc.boolean(),
      pause: fc.constantFrom(0, 0, 0, 7, 40),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((list): readonly Fate[] => list.map((fate, id) => ({ ...fate, id })))
const small = fc.integer({ min: 1, max: 3 })
const shape: fc.Arbitrary<Shape> = fc.record({
  producers: fc.integer({ min: 1, max: 2 }),
  processors: small,
  maxDemand: fc.integer({ min: 1, max: 6 }),
  batches: fc.boolean(),
  batchProcessors: small,
  batchSize: small,
  ordered: fc.boolean(),
  type: fc.constantFrom('exp', 'rand', 'rand_exp'),
  deadLetter: fc.constantFrom('none', 'takes', 'throws'),
  prepares: fc.boolean(),
  seed: fc.nat(1000),
})
const kills: fc.Arbitrary<readonly Kill[]> = fc.array(
  fc.record({
    after: fc.nat(39),
    part: fc.constantFrom('Processor_default_0', 'Batcher_default', 'BatchProcessor_default_0'),
  }),
  { maxLength: 2 },
)
const ATTEMPTS = 4

/** Runs messages through a pipeline; gives how they were acknowledged, in order. */
async function outcomes(
  options: Shape,
  list: readonly Fate[],
  killed: readonly Kill[],
  wait: number,
): Promise<readonly (readonly [id: number, how: 'ok' | 'failed'])[]> {
  const ended: (readonly [number, 'ok' | 'failed'])[] = []
  const acknowledger: Acknowledger = {
    ack(_ref, successful, failed) {
      for (const { data } of successful) ended.push([(data as Fate).id, 'ok'])
      for (const { data } of failed) ended.push([(data as Fate).id, 'failed'])
    },
  }
  await inSimulation(async (sim) => {
    const pipeline = await Broadway.start({
      name: 'random',
      producer: { module: Silent<Fate>, concurrency: options.producers },
      processors: {
        default: {
          concurrency: options.processors,
          maxDemand: options.maxDemand,
          prepareMessages: options.prepares
            ? async (messages) => messages.map((each) => each.updateData((d) => d))
            : undefined,
          handleMessage(message) {
            const { first, throws, later } = message.data
            const bad = message.attempts <= first
            if (bad && throws && !later) throw new Error('on purpose')
            const result = bad ? message.failed('on purpose') : message
            if (!later) return result
            return Promise.resolve().then(() => {
              if (bad && throws) throw new Error('on purpose')
              return result
            })
          },
        },
      },
      batchers: options.batches
        ? {
            default: {
              concurrency: options.batchProcessors,
              batchSize: options.batchSize,
              batchTimeout: 10,
              async handleBatch(messages) {
                return messages.map((message) =>
                  message.attempts <= message.data.last ? message.failed('on purpose') : message,
                )
              },
            },
          }
        : undefined,
      partitionBy: options.ordered ? ({ data }) => (data as Fate).key : undefined,
      retry: { attempts: ATTEMPTS, backoff: { type: options.type, min: 5, max: 30 } },
      deadLetter:
        options.deadLetter === 'none'
          ? undefined
          : () => {
              if (options.deadLetter === 'throws') throw new Error('no room')
            },
    })
    for (const fate of list) {
      await pipeline.call.pushMessages([new Message(fate, { acknowledger, ackRef: fate.id % 2 })])
      for (const { part } of killed.filter(({ after }) => after === fate.id)) {
        if (part.startsWith('Batch') && !options.batches) continue
        partOf(sim, part).kill()
        await sim.settle()
      }
      if (fate.pause > 0) await sim.advance(fate.pause)
    }
    await sim.advance(wait)
    await pipeline.stop()
  }, options.seed)
  return ended
}

it('retries end every message once: successful as soon as it succeeds, failed when it has used up its attempts', async () => {
  await fc.assert(
    fc.asyncProperty(shape, fates, async (options, list) => {
      const ended = new Map(await outcomes(options, list, [], 100_000))
      const failed = options.deadLetter === 'takes' ? 'ok' : 'failed'
      for (const { id, first, last } of list) {
        const good = first < ATTEMPTS && (!options.batches || last < ATTEMPTS)
        expect([id, ended.get(id)]).toEqual([id, good ? 'ok' : failed])
      }
      expect(ended.size).toBe(list.length)
    }),
    { numRuns: 60 },
  )
})

it('a stop in between ends every message once, too', async () => {
  await fc.assert(
    fc.asyncProperty(shape, fates, fc.nat(60), async (options, list, wait) => {
      const ended = await outcomes(options, list, [], wait)
      expect(ended.map(([id]) => id).sort((a, b) => a - b)).toEqual(list.map(({ id }) => id))
    }),
    { numRuns: 60 },
  )
})

it('keeps the order of each key over all retries', async () => {
  await fc.assert(
    fc.asyncProperty(shape, fates, async (options, list) => {
      const ended = await outcomes({ ...options, ordered: true, producers: 1, batchSize: 1 }, list, [], 100_000)
      for (const key of [0, 1, 2, 3]) {
        const ids = ended.map(([id]) => id).filter((id) => list[id]?.key === key)
        // Who fails for good in a processor overtakes those of its key that are in batches.
        const inOrder = ids.filter((id) => (list[id]?.first ?? 0) < ATTEMPTS)
        expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b))
      }
    }),
    { numRuns: 60 },
  )
})

it('whatever is killed meanwhile, no message ends twice', async () => {
  await fc.assert(
    fc.asyncProperty(shape, fates, kills, fc.nat(60), async (options, list, killed, wait) => {
      const ids = (await outcomes(options, list, killed, wait)).map(([id]) => id)
      expect(new Set(ids).size).toBe(ids.length)
    }),
    { numRuns: 60 },
  )
})

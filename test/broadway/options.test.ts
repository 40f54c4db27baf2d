import { availableParallelism } from 'node:os'
import { Broadway, emit, type Message } from 'sluice/broadway'
import { describe, expect, it } from 'vitest'
import { inSimulation, Silent, silent } from '../support/broadway.ts'

const handle = (message: Message): Message => message
const processors = { default: { handleMessage: handle } }
const producer = { module: Silent }
const right = { name: 'right', producer, processors }
const batcher = { handleBatch: (messages: readonly Message[]) => messages }

/** Tries to start what does not compile, or should not; gives the error, and checks that nothing was started. */
async function refused(options: unknown): Promise<unknown> {
  let error: unknown
  await inSimulation(async (sim) => {
    const before = sim.processes.length
    // biome-ignore lint/suspicious/noExplicitAny: options that the compiler would refuse
    const starting = Promise.resolve().then(() => Broadway.start(options as any))
    error = await starting.then(
      () => undefined,
      (thrown) => thrown,
    )
    expect(sim.processes.length).toBe(before)
  })
  return error
}

const cases: readonly (readonly [title: string, options: unknown, text: string])[] = [
  [
    'B1 a name that is none',
    { ...right, name: 1 },
    'name of a pipeline: expected a string, or a name made with via, got 1',
  ],
  [
    'B1 an empty name',
    { ...right, name: '' },
    "name of a pipeline: expected a string, or a name made with via, got ''",
  ],
  ['no options', undefined, 'the options of a pipeline: expected an object of options, got nothing'],
  [
    'an unknown option',
    { ...right, procesors: {} },
    'a pipeline has no option procesors: did you mean processors? Known are name, context, producer, processors, batchers, ',
  ],
  [
    'B2 an unknown option of a batcher',
    { ...right, batchers: { sqs: { ...batcher, batchSizy: 2 } } },
    'batchers.sqs of a pipeline has no option batchSizy: did you mean batchSize? Known are concurrency, batchSize, batchTimeout, maxDemand, partitionBy, retry, handleBatch',
  ],
  [
    'B3 a splitter that takes one argument',
    {
      ...right,
      batchers: { sqs: { ...batcher, maxDemand: 1, batchSize: { initial: 0, splitter: (_message: unknown) => emit } } },
    },
    'batchers.sqs.batchSize.splitter of a pipeline: expected a function of two arguments, a message and the state, got a function',
  ],
  [
    'B4 a batch size that is a function',
    { ...right, batchers: { sqs: { ...batcher, batchSize: () => emit } } },
    'batchers.sqs.batchSize of a pipeline: expected a whole number >= 1, or { initial, splitter }, got a function',
  ],
  [
    'B5 a splitter without maxDemand',
    { ...right, batchers: { sqs: { ...batcher, batchSize: { initial: 0, splitter: (_: unknown, n: number) => n } } } },
    'batchers.sqs.maxDemand of a pipeline: expected a whole number >= 1, because batchSize is a splitter and says no number, got nothing',
  ],
  [
    'B6 no producer',
    { name: 'x', processors },
    'producer of a pipeline: expected an object with module or source, got nothing',
  ],
  [
    'B6 an empty producer',
    { ...right, producer: {} },
    'producer of a pipeline: expected an object with module or source, got an empty object',
  ],
  [
    'B6 no processors',
    { name: 'x', producer },
    'processors of a pipeline: expected an object with default: { handleMessage }, got nothing',
  ],
  [
    'B6 empty processors',
    { ...right, processors: {} },
    'processors of a pipeline: expected an object with default: { handleMessage }, got an empty object',
  ],
  [
    'B6 processors of another name',
    { ...right, processors: { defualt: {} } },
    'processors of a pipeline has no option defualt: did you mean default? Known is default',
  ],
  [
    'B7 no producer at all',
    { ...right, producer: { ...producer, concurrency: 0 } },
    'producer.concurrency of a pipeline: expected a whole number >= 1, got 0',
  ],
  [
    'B7 no time for a batch',
    { ...right, batchers: { s3: { ...batcher, batchTimeout: 0 } } },
    'batchers.s3.batchTimeout of a pipeline: expected a whole number >= 1, got 0',
  ],
  ['B7 no time to stop', { ...right, shutdown: 0 }, 'shutdown of a pipeline: expected a whole number >= 1, got 0'],
  [
    'B7 an interval of nothing',
    { ...right, producer: { ...producer, rateLimiting: { allowedMessages: 1, interval: 0 } } },
    'producer.rateLimiting.interval of a pipeline: expected a whole number >= 1, got 0',
  ],
  [
    'a rate limit without a number',
    { ...right, producer: { ...producer, rateLimiting: { interval: 10 } } },
    'producer.rateLimiting.allowedMessages of a pipeline: expected a whole number >= 1, got nothing',
  ],
  [
    'half a message',
    { ...right, processors: { default: { handleMessage: handle, maxDemand: 1.5 } } },
    'processors.default.maxDemand of a pipeline: expected a whole number >= 1, got 1.5',
  ],
  [
    'a minDemand that asks too late',
    { ...right, processors: { default: { handleMessage: handle, maxDemand: 5, minDemand: 5 } } },
    'processors.default.minDemand of a pipeline: expected a whole number from 0 to 4, less than maxDemand 5, got 5',
  ],
  [
    'B13 two sets of processors',
    { ...right, processors: { default: processors.default, other: processors.default } },
    'processors of a pipeline: only one set of processors is allowed, got default, other; send messages to different batchers, or start several pipelines',
  ],
  [
    'no handleMessage',
    { ...right, processors: { default: { concurrency: 1 } } },
    'processors.default.handleMessage of a pipeline: expected a function of a message, got nothing',
  ],
  [
    'a batcher without handleBatch, which is noticed before anything starts',
    { ...right, batchers: { sqs: {} } },
    'batchers.sqs.handleBatch of a pipeline: expected a function of messages, got nothing',
  ],
  [
    'batchers that are none',
    { ...right, batchers: 3 },
    'batchers of a pipeline: expected an object of batchers by key, got 3',
  ],
  [
    'a partition function that is none',
    { ...right, partitionBy: 3 },
    'partitionBy of a pipeline: expected a function of a message, got 3',
  ],
  [
    'a module that is no producer',
    { ...right, producer: { module: Map } },
    'producer.module of a pipeline: expected a class that extends Producer, got a function',
  ],
  [
    'a module and a source',
    { ...right, producer: { module: Silent, source: [1] } },
    'producer.source of a pipeline: expected either module or source, not both, got an array of 1',
  ],
]

describe('options that cannot be are refused before anything starts, with their path and what is allowed', () => {
  it.each(cases)('%s', async (_title, options, text) => {
    expect(await refused(options)).toMatchObject({
      name: 'BroadwayError',
      code: 'bad_options',
      message: expect.stringContaining(text),
    })
  })
})

describe('how many there are', () => {
  const handleBatch = (messages: readonly Message<number>[]) => messages
  const handleMessage = (message: Message<number, 'default'>) => message

  it('B8 one producer, B10 twice as many processors as the machine has, B11 one batch processor, by default', async () => {
    await inSimulation(async () => {
      const pipeline = await Broadway.start({
        name: 'defaults',
        producer: silent,
        processors: { default: { handleMessage } },
        batchers: { default: { handleBatch } },
      })
      expect(await pipeline.call.producerNames()).toHaveLength(1)
      expect(await pipeline.call.topology()).toMatchObject({
        producers: [{ concurrency: 1 }],
        processors: [{ concurrency: 2 * availableParallelism() }],
        batchers: [{ concurrency: 1 }],
      })
      await pipeline.stop()
    })
  })

  it('B9 B10 B11 as many as the options say, with names in order', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({
        name: 'many',
        producer: { module: Silent<number>, concurrency: 3 },
        processors: { default: { concurrency: 13, handleMessage: (message) => message.putBatcher('a') } },
        batchers: { a: { concurrency: 2, handleBatch }, b: { concurrency: 3, handleBatch } },
      })
      expect((await pipeline.call.producerNames()).map(String)).toEqual([
        'Silent(many.Broadway.Producer_0)',
        'Silent(many.Broadway.Producer_1)',
        'Silent(many.Broadway.Producer_2)',
      ])
      const count = (base: string): number =>
        sim.processes.filter((ref) => String(ref).includes(`.Broadway.${base}`)).length
      expect(count('Processor_default_')).toBe(13)
      expect(count('BatchProcessor_a_')).toBe(2)
      expect(count('BatchProcessor_b_')).toBe(3)
      expect(count('Batcher_')).toBe(2)
      await pipeline.stop()
    })
  })
})

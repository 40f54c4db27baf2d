import { type BatcherOptions, type BatchInfo, Broadway, emit, Message, type PipelineStage } from 'sluice/broadway'
import type { Simulation } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Batching, type PendingBatch } from '../../src/broadway/topology/batching.ts'
import { dataOf, inSimulation, Ledger, silent } from '../support/broadway.ts'

const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** What batches have been handled: by whom, what, and why they left. */
type Seen = readonly [batcher: string, data: readonly unknown[], trigger: string]

type BatchOptions = Pick<BatcherOptions<Message, unknown>, 'batchSize' | 'batchTimeout' | 'maxDemand' | 'concurrency'>

type HandleBatch = (messages: readonly Message[], stage: PipelineStage) => Promise<readonly Message[]>

/** Numbers go to `odd` and `even`. */
async function oddAndEven(options: {
  odd: BatchOptions
  even: BatchOptions
}): Promise<{ seen: Seen[]; pipeline: Awaited<ReturnType<typeof startOddAndEven>> }> {
  const seen: Seen[] = []
  return { seen, pipeline: await startOddAndEven(seen, options) }
}

function startOddAndEven(seen: Seen[], { odd, even }: Parameters<typeof oddAndEven>[0]) {
  const handleBatch = (messages: readonly Message[], { batcher, trigger }: BatchInfo): readonly Message[] => {
    seen.push([batcher, dataOf(messages), trigger])
    return messages
  }
  return Broadway.start({
    name: 'numbers',
    producer: silent,
    processors: {
      default: {
        concurrency: 1,
        handleMessage: (message) => (message.data % 2 === 1 ? message.putBatcher('odd') : message.putBatcher('even')),
      },
    },
    batchers: { odd: { handleBatch, ...odd }, even: { handleBatch, ...even } },
  })
}

/** A pipeline with one batcher, whose messages are what they are. */
async function oneBatcher(
  sim: Simulation,
  { handleBatch, ...rest }: BatchOptions & { handleBatch?: HandleBatch },
  change: (message: Message<number>) => Message<number> = (message) => message,
  maxDemand = 10,
) {
  const seen: (readonly [data: readonly unknown[], trigger: string])[] = []
  const infos: BatchInfo[] = []
  const pipeline = await Broadway.start({
    name: 'numbers',
    producer: silent,
    processors: {
      default: {
        concurrency: 1,
        maxDemand,
        handleMessage: (message) => change(message).putBatcher('default'),
      },
    },
    batchers: {
      default: {
        ...rest,
        handleBatch(messages, info, _context, stage) {
          seen.push([dataOf(messages), info.trigger])
          infos.push(info)
          return handleBatch?.(messages, stage) ?? messages
        },
      },
    },
  })
  const push = async (...messages: readonly (number | Message<number>)[]): Promise<void> => {
    await pipeline.call.pushMessages(messages.map((each) => (typeof each === 'number' ? new Message(each) : each)))
    await sim.settle()
  }
  return { pipeline, seen, infos, push }
}

describe('batches by size, time and key', () => {
  it('B65 each batcher makes batches of its own size', () =>
    inSimulation(async (sim) => {
      const { pipeline, seen } = await oddAndEven({ odd: { batchSize: 10 }, even: { batchSize: 5 } })
      void pipeline.call.testBatch(numbers(1, 40))
      await sim.settle()
      const sizes = seen.map(([batcher, data, trigger]) => [batcher, data.length, trigger])
      expect(sizes.filter(([batcher]) => batcher === 'odd')).toEqual([
        ['odd', 10, 'size'],
        ['odd', 10, 'size'],
      ])
      expect(sizes.filter(([batcher]) => batcher === 'even')).toEqual(Array(4).fill(['even', 5, 'size']))
      await pipeline.stop()
      expect(seen).toHaveLength(6)
    }))

  it('B66 what is flushed leaves before it is complete', () =>
    inSimulation(async (sim) => {
      const { pipeline, seen } = await oddAndEven({ odd: { batchSize: 10 }, even: { batchSize: 5 } })
      void pipeline.call.testBatch(numbers(1, 5), { batchMode: 'flush' })
      await sim.settle()
      expect(seen).toContainEqual(['odd', [1, 3, 5], 'flush'])
      expect(seen).toContainEqual(['even', [2, 4], 'flush'])
      expect(seen).toHaveLength(2)
      await pipeline.stop()
    }))

  it('B67 a batch has messages of one key, and says which', () =>
    inSimulation(async (sim) => {
      const { pipeline, seen, infos, push } = await oneBatcher(sim, { batchSize: 2 }, (message) =>
        message.putBatchKey(message.data % 2 === 1 ? 'odd' : 'even'),
      )
      await push(...numbers(1, 10))
      expect(seen.map(([data]) => data)).toEqual([
        [1, 3],
        [2, 4],
        [5, 7],
        [6, 8],
      ])
      expect(infos.map(({ batchKey }) => batchKey)).toEqual(['odd', 'even', 'odd', 'even'])
      await pipeline.stop()
      expect(seen.slice(4)).toEqual([
        [[9], 'flush'],
        [[10], 'flush'],
      ])
    }))

  it('B68 what is left over leaves when the time of its own batch is up', () =>
    inSimulation(async (sim) => {
      const { pipeline, seen, push } = await oneBatcher(sim, { batchSize: 2, batchTimeout: 100 })
      await push(1, 2)
      await sim.advance(60)
      await push(3)
      await sim.advance(99)
      expect(seen).toEqual([[[1, 2], 'size']])
      await sim.advance(1)
      expect(seen).toEqual([
        [[1, 2], 'size'],
        [[3], 'timeout'],
      ])
      await pipeline.stop()
    }))

  it('B69 the batch after one that was complete has its full time', () =>
    inSimulation(async (sim) => {
      const { pipeline, seen, push } = await oneBatcher(sim, { batchSize: 2, batchTimeout: 100 })
      await push(1)
      await sim.advance(90)
      await push(2, 3)
      expect(seen).toEqual([[[1, 2], 'size']])
      await sim.advance(99)
      expect(seen).toHaveLength(1)
      await sim.advance(1)
      expect(seen[1]).toEqual([[3], 'timeout'])
      await pipeline.stop()
    }))

  it('B70 with batches of one every message is alone', () =>
    inSimulation(async (sim) => {
      const { pipeline, seen, push } = await oneBatcher(sim, { batchSize: 1 })
      await push(1, 2, 3)
      expect(seen).toEqual([1, 2, 3].map((n) => [[n], 'size']))
      await pipeline.stop()
    }))

  it('B71 a message that flushes takes along its neighbours of the same key only', () =>
    inSimulation(async (sim) => {
      const other = (n: number): Message<number> => new Message(n, { batchKey: 'other' })
      const flush = (n: number): Message<number> => new Message(n, { batchMode: 'flush' })
      const { pipeline, seen, push } = await oneBatcher(sim, { batchSize: 10, batchTimeout: 100 })
      await push(flush(1), 2, other(3), flush(4), 5)
      expect(seen).toEqual([
        [[1, 2], 'flush'],
        [[4, 5], 'flush'],
      ])
      await sim.advance(100)
      expect(seen[2]).toEqual([[3], 'timeout'])
      await pipeline.stop()
    }))

  it('B72 a batch that is complete forgets that one of its messages flushed', () => {
    const waiting = new Set<PendingBatch>()
    const batching = new Batching(
      {
        key: 'default',
        concurrency: 1,
        batchSize: 3,
        batchTimeout: 1000,
        maxDemand: 3,
        partitionBy: undefined,
        retry: undefined,
        handleBatch: (messages) => messages,
      },
      { start: (batch) => waiting.add(batch), cancel: (batch) => waiting.delete(batch) },
    )
    const made = batching.add([1, 2, 3, 4, 5].map((n) => new Message(n, { batchMode: n === 1 ? 'flush' : 'bulk' })))
    expect(made.map(({ messages, info }) => [dataOf(messages), info.trigger])).toEqual([[[1, 2, 3], 'size']])
    const [left] = waiting
    if (left === undefined) throw new Error('no batch has a timer')
    expect(batching.timeout(left).map(({ messages, info }) => [dataOf(messages), info.trigger])).toEqual([
      [[4, 5], 'timeout'],
    ])
    expect(waiting.size).toBe(0)
    expect(batching.timeout(left)).toEqual([])
  })

  it('B72 the batcher asks for as many as a batch has, so a flush splits what is longer', () =>
    inSimulation(async (sim) => {
      const { pipeline, seen, push } = await oneBatcher(sim, { batchSize: 3 })
      await push(new Message(1, { batchMode: 'flush' }), 2, 3, 4, 5)
      await pipeline.stop()
      expect(seen.flatMap(([data]) => data)).toEqual([1, 2, 3, 4, 5])
      expect(seen[0]?.[0]).toContain(1)
      expect(seen.every(([data]) => data.length <= 3)).toBe(true)
    }))

  it('B73 a message that flushes takes along what came before with its key', () =>
    inSimulation(async (sim) => {
      const { pipeline, seen, push } = await oneBatcher(sim, { batchSize: 10 })
      await push(1, 2)
      await push(new Message(9, { batchKey: 'other' }))
      expect(seen).toEqual([])
      await push(new Message(3, { batchMode: 'flush' }))
      expect(seen).toEqual([[[1, 2, 3], 'flush']])
      await pipeline.stop()
    }))
})

describe('batches by a splitter', () => {
  const budget = {
    initial: 16,
    splitter: ({ data }: Message, left: unknown) =>
      Number(left) - Number(data) <= 0 ? emit : Number(left) - Number(data),
  }

  it('B74 the splitter says when a batch is complete', () =>
    inSimulation(async (sim) => {
      const { pipeline, seen, push } = await oneBatcher(sim, { batchSize: budget, maxDemand: 10 })
      await push(40, 1, 13, 3)
      expect(seen).toEqual([
        [[40], 'size'],
        [[1, 13, 3], 'size'],
      ])
      await pipeline.stop()
    }))

  it('B75 each batcher has its own splitter', () =>
    inSimulation(async (sim) => {
      const { pipeline, seen } = await oddAndEven({
        odd: { batchSize: budget, maxDemand: 10, batchTimeout: 50 },
        even: { batchSize: { ...budget, initial: 10 }, maxDemand: 10, batchTimeout: 50 },
      })
      void pipeline.call.testBatch(numbers(1, 10))
      await sim.advance(50)
      expect(seen.filter(([batcher]) => batcher === 'odd').map(([, data, trigger]) => [data, trigger])).toEqual([
        [[1, 3, 5, 7], 'size'],
        [[9], 'timeout'],
      ])
      expect(seen.filter(([batcher]) => batcher === 'even').map(([, data, trigger]) => [data, trigger])).toEqual([
        [[2, 4, 6], 'size'],
        [[8, 10], 'size'],
      ])
      await pipeline.stop()
    }))

  it('B76 each batch begins with the initial state, whatever the one before ended with', () =>
    inSimulation(async (sim) => {
      const states: unknown[] = []
      const { pipeline, push } = await oneBatcher(sim, {
        batchSize: {
          initial: 0,
          splitter(_message, state) {
            states.push(state)
            return Number(state) === 1 ? emit : Number(state) + 1
          },
        },
        maxDemand: 10,
      })
      await push(1, 2, 3, 4, 5)
      expect(states).toEqual([0, 1, 0, 1, 0])
      await pipeline.stop()
    }))

  it('B77 a splitter that throws fails the batch, and nothing else', () =>
    inSimulation(async (sim) => {
      const ledger = new Ledger()
      const message = (n: number): Message<number> => new Message(n, { acknowledger: ledger })
      const { pipeline, seen, push } = await oneBatcher(sim, {
        batchSize: {
          initial: 0,
          splitter({ data }, _state) {
            if (data === 2) throw new Error('cannot count')
            return data === 4 ? emit : 0
          },
        },
        maxDemand: 10,
      })
      const before = sim.processes.map(String)
      await push(message(1), message(2), message(3), message(4))
      expect(seen).toEqual([[[3, 4], 'size']])
      expect(ledger.calls).toEqual([
        [[], [1, 2]],
        [[3, 4], []],
      ])
      expect(sim.processes.map(String)).toEqual(before)
      expect(sim.logs.map(({ message }) => message).join()).toContain(
        'the splitter of batchSize failed, and with it 2 messages: cannot count',
      )
      await pipeline.stop()
    }))
})

describe('batch processors', () => {
  it('B78 are told what is known about a batch', () =>
    inSimulation(async (sim) => {
      const { pipeline, infos, push } = await oneBatcher(sim, { batchSize: 2 }, (message) => message.putBatchKey('k'))
      await push(1, 2)
      expect(infos).toEqual([{ batcher: 'default', batchKey: 'k', partition: undefined, size: 2, trigger: 'size' }])
      await pipeline.stop()
    }))

  it('B79 take batches in order, however many wait for them', () =>
    inSimulation(async (sim) => {
      const handled: unknown[] = []
      const { pipeline, push } = await oneBatcher(sim, {
        batchSize: 2,
        maxDemand: 100,
        async handleBatch(messages, stage) {
          await stage.sleep(10)
          handled.push(dataOf(messages))
          return messages
        },
      })
      await push(...numbers(1, 40))
      expect(handled).toEqual([])
      await sim.advance(20 * 10)
      expect(handled).toEqual(numbers(1, 20).map((n) => [2 * n - 1, 2 * n]))
      await pipeline.stop()
    }))

  it('B80 handle one batch each at a time, batches of one key too', () =>
    inSimulation(async (sim) => {
      let running = 0
      let most = 0
      const busy = new Map<number, number>()
      const { pipeline, push } = await oneBatcher(sim, {
        batchSize: 1,
        maxDemand: 100,
        concurrency: 3,
        async handleBatch(messages, stage) {
          expect(busy.get(stage.index) ?? 0).toBe(0)
          busy.set(stage.index, 1)
          most = Math.max(most, ++running)
          await stage.sleep(10)
          running--
          busy.set(stage.index, 0)
          return messages
        },
      })
      await push(...numbers(1, 30))
      await sim.advance(10 * 10)
      expect(most).toBe(3)
      expect(running).toBe(0)
      await pipeline.stop()
    }))

  // Five messages make the batch that is handled, and what comes behind it waits; half of what was asked for may be gone before more
  // is asked for.
  it.each([
    { options: { batchSize: 5 }, taken: 5 + 3 },
    { options: { batchSize: 5, maxDemand: 2 }, taken: 5 + 2 },
    { options: { batchSize: 5, maxDemand: 20 }, taken: 20 },
  ])('B81 a batcher asks for as many as a batch has, or as maxDemand says: $options', ({ options, taken }) =>
    inSimulation(async (sim) => {
      let handled = 0
      const count = (message: Message<number>): Message<number> => {
        handled++
        return message
      }
      const busy = async (messages: readonly Message[], stage: PipelineStage) => {
        await stage.sleep(1_000)
        return messages
      }
      const { pipeline, push } = await oneBatcher(sim, { ...options, handleBatch: busy }, count, 1)
      await push(...numbers(1, 100))
      expect(handled).toBe(taken)
      const stopped = pipeline.stop()
      await sim.advance(30_000)
      await stopped
    }),
  )
})

import { type BatchInfo, Broadway, type Message } from 'sluice/broadway'
import type { Simulation } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { acked, dataOf, inSimulation, Ledger, silent } from '../support/broadway.ts'

const numbers = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

interface Options {
  readonly partitionBy?: (message: Message) => number
  readonly ofProcessors?: (message: Message) => number
  readonly ofBatchers?: (message: Message) => number
  readonly batchKey?: (n: number) => unknown
  readonly batchSize?: number
  readonly concurrency?: number
}

/** What each of two processors and two batch processors gets. */
async function twoOfEach(sim: Simulation, options: Options) {
  const handled: number[][] = [[], []]
  const batches: (readonly unknown[])[][] = [[], []]
  const infos: BatchInfo[] = []
  const ledger = new Ledger()
  const { partitionBy, ofProcessors, ofBatchers, batchKey = () => 'default', batchSize = 2, concurrency = 2 } = options
  const pipeline = await Broadway.start({
    name: 'numbers',
    ...(partitionBy && { partitionBy }),
    producer: silent,
    processors: {
      default: {
        concurrency,
        ...(ofProcessors && { partitionBy: ofProcessors }),
        handleMessage(message, _context, { index }) {
          handled[index]?.push(Number(message.data))
          return message.putBatchKey(batchKey(Number(message.data)))
        },
      },
    },
    batchers: {
      default: {
        concurrency,
        batchSize,
        ...(ofBatchers && { partitionBy: ofBatchers }),
        handleBatch(messages, info, _context, { index }) {
          batches[index]?.push(dataOf(messages))
          infos.push(info)
          return messages
        },
      },
    },
  })
  const push = async (...list: readonly number[]): Promise<void> => {
    await pipeline.call.pushMessages(acked(ledger, ...list))
    await sim.settle()
  }
  return { pipeline, handled, batches, infos, ledger, push }
}

const value = ({ data }: Message): number => Number(data)

describe('partitions', () => {
  it('B96 messages with the same number have the same processor, in order', () =>
    inSimulation(async (sim) => {
      const { pipeline, handled, push } = await twoOfEach(sim, { ofProcessors: value })
      await push(...numbers(1, 8))
      expect(handled).toEqual([
        [2, 4, 6, 8],
        [1, 3, 5, 7],
      ])
      await pipeline.stop()
    }))

  it('B97 batches hold messages of one partition, for one batch processor, in order', () =>
    inSimulation(async (sim) => {
      const { pipeline, batches, infos, push } = await twoOfEach(sim, { partitionBy: value })
      await push(...numbers(1, 12))
      expect(batches).toEqual([
        [
          [2, 4],
          [6, 8],
          [10, 12],
        ],
        [
          [1, 3],
          [5, 7],
          [9, 11],
        ],
      ])
      expect(new Set(infos.map(({ partition }) => partition))).toEqual(new Set([0, 1]))
      await pipeline.stop()
    }))

  it('B98 partition and batch key tell batches apart, each by itself', () =>
    inSimulation(async (sim) => {
      const batchKey = (n: number): string => (n < 20 ? 'before' : 'after')
      const { pipeline, batches, push } = await twoOfEach(sim, { partitionBy: value, batchKey, batchSize: 4 })
      await push(...numbers(16, 23))
      await sim.advance(1000)
      expect(batches).toEqual([
        [
          [16, 18],
          [20, 22],
        ],
        [
          [17, 19],
          [21, 23],
        ],
      ])
      await pipeline.stop()
    }))

  it('B99 what the processors and the batchers say comes before what the pipeline says', () =>
    inSimulation(async (sim) => {
      const low = ({ data }: Message): number => (Number(data) <= 6 ? 0 : 1)
      const { pipeline, handled, batches, push } = await twoOfEach(sim, {
        partitionBy: () => 0,
        ofProcessors: low,
        ofBatchers: low,
      })
      await push(1, 7, 2, 8, 3, 9, 4, 10)
      expect(handled).toEqual([
        [1, 2, 3, 4],
        [7, 8, 9, 10],
      ])
      expect(batches).toEqual([
        [
          [1, 2],
          [3, 4],
        ],
        [
          [7, 8],
          [9, 10],
        ],
      ])
      await pipeline.stop()
    }))

  const nonsense: [string, (message: Message) => unknown][] = [
    ['-1', ({ data }) => (data === 3 ? -1 : data)],
    ['1.5', ({ data }) => (data === 3 ? 1.5 : data)],
    ['NaN', ({ data }) => (data === 3 ? Number.NaN : data)],
    ["'three'", ({ data }) => (data === 3 ? 'three' : data)],
    [
      'an error',
      ({ data }) => {
        if (data === 3) throw new Error('three is odd')
        return data
      },
    ],
  ]

  it.each(nonsense)('B100 the partition of a message is %s: it fails, and the others go on', (shown, partitionBy) =>
    inSimulation(async (sim) => {
      const by = partitionBy as (message: Message) => number
      const { pipeline, handled, ledger, push } = await twoOfEach(sim, { ofProcessors: by, ofBatchers: value })
      const before = sim.processes.map(String)
      await push(...numbers(1, 6))
      await push(7, 8)
      expect(handled).toEqual([
        [2, 4, 6, 8],
        [1, 5, 7],
      ])
      expect(ledger.calls.flatMap(([, failed]) => failed)).toEqual([3])
      const text = shown === 'an error' ? 'three is odd' : `partitionBy returned ${shown}, expected an integer >= 0`
      expect(ledger.failures).toMatchObject([{ kind: 'error', reason: { message: expect.stringContaining(text) } }])
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringMatching(/Processor_default_0.*: partitionBy failed, and with it 1 messages: /),
      ])
      expect(sim.processes.map(String)).toEqual(before)
      await pipeline.stop()
      expect(ledger.calls.flatMap(([successful]) => successful).toSorted()).toEqual([1, 2, 4, 5, 6, 7, 8])
    }),
  )

  it.each(nonsense)(
    'B100 the partition of its batch is %s: the message fails, and the others go on',
    (_shown, partitionBy) =>
      inSimulation(async (sim) => {
        const by = partitionBy as (message: Message) => number
        const { pipeline, ledger, push } = await twoOfEach(sim, { ofProcessors: value, ofBatchers: by })
        const before = sim.processes.map(String)
        await push(...numbers(1, 8))
        expect(ledger.calls.flatMap(([, failed]) => failed)).toEqual([3])
        expect(sim.processes.map(String)).toEqual(before)
        await pipeline.stop()
        expect(ledger.calls.flatMap(([successful]) => successful).toSorted()).toEqual([1, 2, 4, 5, 6, 7, 8])
      }),
  )

  it('B101 a number beyond the partitions goes round', () =>
    inSimulation(async (sim) => {
      const { pipeline, handled, push } = await twoOfEach(sim, { ofProcessors: ({ data }) => Number(data) * 7 })
      await push(1, 2, 3, 1_000_000_007)
      expect(handled).toEqual([[2], [1, 3, 1_000_000_007]])
      await pipeline.stop()
    }))

  it('B102 a slow partition holds up the others only when nothing more is asked of the producer', () =>
    inSimulation(async (sim) => {
      const handled: number[] = []
      const pipeline = await Broadway.start({
        name: 'numbers',
        producer: { source: () => numbers(1, 200) },
        processors: {
          default: {
            concurrency: 2,
            maxDemand: 10,
            partitionBy: value,
            async handleMessage(message, _context, stage) {
              if (message.data === 1) await stage.sleep(1_000)
              handled.push(Number(message.data))
              return message
            },
          },
        },
      })
      await sim.settle()
      const before = handled.length
      // Far more than one list, and less than all.
      expect(before).toBeGreaterThan(10)
      expect(handled.every((n) => n % 2 === 0)).toBe(true)
      await sim.advance(1_000)
      expect(handled.toSorted((a, b) => a - b)).toEqual(numbers(1, 200))
      await pipeline.stop()
    }))
})

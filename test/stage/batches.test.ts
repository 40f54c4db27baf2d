import { type Subscription, start, syncSubscribe } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Batcher, type Demand } from '../../src/stage/batches.ts'
import { RawProcess } from '../support/raw-process.ts'
import { Journal, range, Sink, Source } from '../support/stages.ts'

/** A row of the table: what a stage with some demand does with messages of some sizes. */
interface Row {
  readonly max: number
  readonly min: number
  readonly before: number
  readonly messages: readonly number[]
  /** Of each message: its batches as events and the ask that follows. */
  readonly batches: readonly (readonly (readonly [events: number, ask: number])[])[]
  /** The demand after each message. */
  readonly after: readonly number[]
  /** Of each message: the events beyond the demand, as logged. */
  readonly excess?: readonly number[]
}

const times = <T>(count: number, value: T): T[] => new Array<T>(count).fill(value)

const rows: readonly Row[] = [
  { max: 1000, min: 500, before: 1000, messages: [1000], batches: [times(2, [500, 500])], after: [1000] },
  {
    max: 1000,
    min: 500,
    before: 1000,
    messages: [600, 600],
    batches: [
      [
        [500, 500],
        [100, 0],
      ],
      [
        [500, 600],
        [100, 0],
      ],
    ],
    after: [900, 900],
  },
  {
    max: 1000,
    min: 500,
    before: 1000,
    messages: times(5, 100),
    batches: [[[100, 0]], [[100, 0]], [[100, 0]], [[100, 0]], [[100, 500]]],
    after: [900, 800, 700, 600, 1000],
  },
  {
    max: 1000,
    min: 750,
    before: 1000,
    messages: times(4, 100),
    batches: [[[100, 0]], [[100, 0]], [[100, 300]], [[100, 0]]],
    after: [900, 800, 1000, 900],
  },
  { max: 1000, min: 750, before: 1000, messages: [1000], batches: [times(4, [250, 250])], after: [1000] },
  { max: 10, min: 0, before: 10, messages: [10], batches: [[[10, 10]]], after: [10] },
  { max: 10, min: 0, before: 10, messages: [4, 6], batches: [[[4, 0]], [[6, 10]]], after: [6, 10] },
  {
    max: 10,
    min: 0,
    before: 10,
    messages: [3, 3, 3, 1],
    batches: [[[3, 0]], [[3, 0]], [[3, 0]], [[1, 10]]],
    after: [7, 4, 1, 10],
  },
  {
    max: 10,
    min: 5,
    before: 10,
    messages: [7, 3],
    batches: [
      [
        [5, 5],
        [2, 0],
      ],
      [[3, 5]],
    ],
    after: [8, 10],
  },
  { max: 10, min: 7, before: 10, messages: [10], batches: [[...times(3, [3, 3] as const), [1, 0]]], after: [9] },
  {
    max: 10,
    min: 7,
    before: 10,
    messages: [2, 2, 2],
    batches: [[[2, 0]], [[2, 4]], [[2, 0]]],
    after: [8, 10, 8],
  },
  { max: 10, min: 9, before: 10, messages: [3], batches: [times(3, [1, 1])], after: [10] },
  { max: 100, min: 80, before: 100, messages: [100], batches: [times(5, [20, 20])], after: [100] },
  {
    max: 100,
    min: 20,
    before: 100,
    messages: [100, 80],
    batches: [
      [
        [80, 80],
        [20, 0],
      ],
      [[80, 100]],
    ],
    after: [80, 100],
  },
  {
    max: 4,
    min: 2,
    before: 4,
    messages: [3, 1],
    batches: [
      [
        [2, 2],
        [1, 0],
      ],
      [[1, 2]],
    ],
    after: [3, 4],
  },
  {
    max: 3,
    min: 1,
    before: 3,
    messages: [3],
    batches: [
      [
        [2, 2],
        [1, 0],
      ],
    ],
    after: [2],
  },
  { max: 2, min: 1, before: 2, messages: [2], batches: [times(2, [1, 1])], after: [2] },
  { max: 1, min: 0, before: 1, messages: [1], batches: [[[1, 1]]], after: [1] },
  { max: 10, min: 5, before: 3, messages: [5], batches: [[[5, 10]]], after: [10], excess: [2] },
  {
    max: 10,
    min: 5,
    before: 10,
    messages: [25],
    batches: [[[5, 5], [5, 5], ...times(3, [5, 0] as const)]],
    after: [10],
    excess: [5, 5, 5],
  },
]

/** No run of messages leads to each demand of the table. */
function setDemandOf({ inflow }: Subscription, demand: number): void {
  if (inflow !== undefined) inflow.demand = demand
}

const titled = rows.map((row) => {
  const { max, min, before, messages } = row
  return [`max ${max} min ${min}, demand ${before}, messages of ${messages.join(', ')}`, row] as const
})

describe('S142 the table of batches', () => {
  it('has every row', () => {
    expect(rows).toHaveLength(20)
  })

  it.each(titled)('S142 in the arithmetic: %s', (_title, row) => {
    const demand: Demand = { demand: row.before, min: row.min, max: row.max }
    const batcher = new Batcher()
    const batches: (readonly [number, number])[][] = []
    const after: number[] = []
    const excess: number[] = []
    for (const length of row.messages) {
      const cut: (readonly [number, number])[] = []
      batcher.begin(demand, length)
      while (batcher.next()) {
        cut.push([batcher.size, batcher.ask])
        if (batcher.excess > 0) excess.push(batcher.excess)
      }
      batches.push(cut)
      after.push(demand.demand)
    }
    expect({ batches, after, excess }).toEqual({ batches: row.batches, after: row.after, excess: row.excess ?? [] })
  })

  it.each(titled)('S142 in a consumer: %s', async (_title, row) => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const upstream = new RawProcess()
      const sink = await start(Sink, { arg: { note: journal.note } })
      const subscription = upstream.acceptFrom(sink, { maxDemand: row.max, minDemand: row.min })
      await sim.settle()
      setDemandOf(subscription, row.before)
      expect(upstream.of('ask')).toEqual([row.max])

      let asked = 1
      for (const [index, length] of row.messages.entries()) {
        subscription.deliver(range(1, length))
        await sim.settle()
        const expected = row.batches[index] ?? []
        expect(journal.of('events').map((events) => (events as unknown[]).length)).toEqual(
          expected.map(([events]) => events),
        )
        expect(journal.events).toEqual(range(1, length))
        const asks = upstream.of('ask').slice(asked)
        expect(asks).toEqual(expected.map(([, ask]) => ask).filter((ask) => ask > 0))
        expect(subscription.inflow?.demand).toBe(row.after[index])
        asked += asks.length
        journal.clear()
      }
      const logged = sim.logs.filter((line) => line.level === 'error').map((line) => line.fields)
      expect(logged).toMatchObject((row.excess ?? []).map((excess) => ({ excess })))
    })
  })

  it.each(titled)('S142 in a consumer that awaits: %s', async (_title, row) => {
    await simulate().run(async (sim) => {
      const upstream = new RawProcess()
      const handled: number[] = []
      const work = async (events: readonly unknown[], stage: Sink): Promise<void> => {
        await stage.sleep(1)
        handled.push(events.length)
      }
      const sink = await start(Sink, { arg: { work } })
      const subscription = upstream.acceptFrom(sink, { maxDemand: row.max, minDemand: row.min })
      setDemandOf(subscription, row.before)
      for (const length of row.messages) subscription.deliver(range(1, length))
      await sim.advance(1000)
      const asks = row.batches.flat().flatMap(([, ask]) => (ask > 0 ? [ask] : []))
      expect(upstream.of('ask')).toEqual([row.max, ...asks])
      expect(handled).toEqual(row.batches.flat().map(([events]) => events))
    })
  })

  it.each([
    [1000, 500],
    [3, 1],
    [2, 1],
    [1, 0],
  ])('S142 of a maxDemand of %i minDemand is %i by default', async (maxDemand, minDemand) => {
    await simulate().run(async () => {
      const subscription = new RawProcess().acceptFrom(await start(Sink), { maxDemand })
      expect(subscription.inflow).toMatchObject({ min: minDemand, max: maxDemand, demand: maxDemand })
    })
  })

  it('S142 whole, when the subscription is manual', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source)
      const sink = await start(Sink, { arg: { note: journal.note, manual: true } })
      const subscription = await syncSubscribe(sink, { to: source, maxDemand: 10, minDemand: 5 })
      subscription.deliver(range(1, 25))
      await sim.settle()
      expect(journal.of('events')).toEqual([range(1, 25)])
    })
  })
})

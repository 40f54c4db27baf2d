import { setDemand, start, syncSubscribe } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { processOf } from '../../src/process/ref.ts'
import { RawProcess } from '../support/raw-process.ts'
import { Counter, Journal, Middle, range, Sink, Source } from '../support/stages.ts'

describe('demand', () => {
  it('S139 by default batches have 500 events', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 1500, note: journal.note } })
      await start(Sink, { arg: { note: journal.note, options: { subscribeTo: [counter] } } })
      await sim.settle()
      expect(journal.of('events')).toEqual([range(0, 499), range(500, 999), range(1000, 1499)])
      expect(journal.of('demand')).toEqual([1000, 500, 500, 500])
    })
  })

  it.each([
    { min: 80, until: 40, batches: [range(0, 19), range(20, 39)] },
    {
      min: 20,
      until: 280,
      batches: [range(0, 79), range(80, 99), range(100, 179), range(180, 259), range(260, 279)],
    },
  ])('S140 cuts batches of at most 100 - $min events', async ({ min, until, batches }) => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until } })
      await start(Sink, {
        arg: { note: journal.note },
        subscribeTo: [{ to: counter, maxDemand: 100, minDemand: min }],
      })
      await sim.settle()
      expect(journal.of('events')).toEqual(batches)
    })
  })

  it('S141 with maxDemand 1 and minDemand 0 events come one by one', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 3, note: journal.note } })
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: counter, maxDemand: 1, minDemand: 0 }] })
      await sim.settle()
      expect(journal.of('events')).toEqual([[0], [1], [2]])
      expect(journal.of('demand')).toEqual([1, 1, 1, 1])
    })
  })

  it('S143 more events than were asked for are logged with their count and handled, and the demand is whole again', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const upstream = new RawProcess()
      const sink = await start(Sink, { arg: { note: journal.note } })
      const subscription = upstream.acceptFrom(sink, { maxDemand: 10, minDemand: 5 })
      subscription.deliver(range(1, 12))
      await sim.settle()
      expect(journal.of('events')).toEqual([range(1, 5), range(6, 10), range(11, 12)])
      const logged = sim.logs.map(({ level, fields, message }) => ({ level, fields, message }))
      expect(logged).toEqual([
        {
          level: 'error',
          fields: { process: `${sink}`, producer: `${upstream}`, excess: 2 },
          message: `${sink} got 2 events more than it asked ${upstream} for`,
        },
      ])
      expect(subscription.inflow?.demand).toBe(10)
    })
  })

  it('S144 what a producer owes it may emit later, and it is not asked for it again', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source, { arg: { note: journal.note } })
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: source, maxDemand: 10 }] })
      await sim.settle()
      expect(journal.of('demand')).toEqual([10])
      await source.call.give(1, 2, 3, 4)
      await sim.settle()
      expect(journal.of('events')).toEqual([[1, 2, 3, 4]])
      expect(journal.of('demand')).toEqual([10])
      await source.call.give(5, 6, 7)
      await sim.settle()
      expect(journal.of('events')).toEqual([
        [1, 2, 3, 4],
        [5, 6, 7],
      ])
      expect(journal.of('demand')).toEqual([10, 7])
    })
  })

  it('S145 accumulated demands of two consumers are handed on one by one', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source, { arg: { note: journal.note, options: { demand: 'accumulate' } } })
      const subscribeTo = [{ to: source, maxDemand: 2, minDemand: 0 }]
      await start(Sink, { subscribeTo })
      await start(Sink, { subscribeTo })
      await sim.settle()
      expect(journal.of('demand')).toEqual([])
      setDemand(source, 'forward')
      await sim.settle()
      expect(journal.of('demand')).toEqual([2, 2])
    })
  })

  it('S146 a consumer asks its producers independently', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const silent = new Journal()
      const counter = await start(Counter, { arg: { until: 50, note: journal.note } })
      const source = await start(Source, { arg: { note: silent.note } })
      await start(Sink, {
        arg: { note: journal.note },
        subscribeTo: [
          { to: source, maxDemand: 4, minDemand: 0 },
          { to: counter, maxDemand: 10, minDemand: 0 },
        ],
      })
      await sim.settle()
      expect(silent.of('demand')).toEqual([4])
      expect(journal.of('demand')).toEqual([10, 10, 10, 10, 10, 10])
      expect(journal.events).toEqual(range(0, 49))
    })
  })

  it('S147 a manual subscription gets nothing before it asks', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 1000, note: journal.note } })
      const sink = await start(Sink, { arg: { note: journal.note, manual: true } })
      const subscription = await syncSubscribe(sink, { to: counter, maxDemand: 10 })
      await sim.settle()
      expect(journal.of('demand')).toEqual([])
      subscription.ask(50)
      await sim.settle()
      expect(journal.of('events')).toEqual([range(0, 49)])
      expect(journal.of('demand')).toEqual([50])
      subscription.ask(0)
      expect(processOf(counter).mailbox.empty).toBe(true)
      await sim.settle()
      expect(journal.of('demand')).toEqual([50])
    })
  })

  it('S148 a manual subscription gives each message as one batch and asks for nothing', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const upstream = new RawProcess()
      const sink = await start(Sink, { arg: { note: journal.note, manual: true } })
      const subscription = upstream.acceptFrom(sink, { maxDemand: 4 })
      subscription.deliver(range(1, 7))
      await sim.settle()
      expect(journal.of('events')).toEqual([range(1, 7)])
      expect(upstream.received.map(([kind]) => kind)).toEqual(['subscribe'])
      expect(sim.logs).toEqual([])
    })
  })

  it.each([
    ['returns', (events: readonly unknown[]) => events],
    ['promises', async (events: readonly unknown[]) => events],
  ])('S149 what handleEvents %s goes out before more is asked for', async (_how, map) => {
    await simulate().run(async (sim) => {
      const neighbour = new RawProcess()
      const middle = await start(Middle, { arg: { map } })
      const upstream = neighbour.acceptFrom(middle, { maxDemand: 4, minDemand: 2 })
      const downstream = neighbour.subscribeTo(middle)
      downstream.ask(10)
      upstream.deliver(['a', 'b', 'c', 'd'])
      await sim.settle()
      expect(neighbour.received.slice(1)).toEqual([
        ['ask', 4],
        ['events', ['a', 'b']],
        ['ask', 2],
        ['events', ['c', 'd']],
        ['ask', 2],
      ])
    })
  })

  it('S150 after a stop in the first of two batches the second is not handled and nothing is asked for', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const upstream = new RawProcess()
      const sink = await start(Sink, { arg: { note: journal.note, work: (_, stage) => stage.stop('shutdown') } })
      upstream.acceptFrom(sink, { maxDemand: 4, minDemand: 2 }).deliver([1, 2, 3, 4])
      expect(await sink.done).toBe('shutdown')
      await sim.settle()
      expect(journal.of('events')).toEqual([[1, 2]])
      expect(journal.of('terminate')).toEqual(['shutdown'])
      expect(upstream.of('ask')).toEqual([4])
    })
  })

  it('asks nobody again for what a dispatcher already knows to be owed', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source, { arg: { note: journal.note } })
      const first = new RawProcess().subscribeTo(source)
      first.ask(10)
      first.cancel('normal')
      await sim.settle()
      const second = new RawProcess()
      second.subscribeTo(source).ask(4)
      await sim.settle()
      expect(journal.of('demand')).toEqual([10])
      await source.call.give(1, 2, 3, 4)
      expect(second.of('events')).toEqual([[1, 2, 3, 4]])
    })
  })
})

import {
  Batch,
  type BatchOptions,
  child,
  fromIterable,
  stageInfo,
  start,
  stream,
  supervise,
  syncSubscribe,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { collectGarbage } from '../../support/gc.ts'
import { RawProcess } from '../../support/raw-process.ts'
import { Counter, Journal, range, Sink, Source } from '../../support/stages.ts'

/** A source, a batch stage and a consumer that takes batches by hand. */
async function pipeline(arg: BatchOptions<unknown>) {
  const above = new Journal()
  const source = await start(Source, { arg: { note: above.note } })
  const batch = await start(Batch<unknown>, { arg, subscribeTo: [source] })
  const raw = new RawProcess()
  const subscription = raw.subscribeTo(batch)
  const asked = () => above.of('demand').reduce<number>((sum, demand) => sum + Number(demand), 0)
  return { source, batch, raw, subscription, asked, batches: () => raw.of('events').flat() }
}

describe('a batch stage', () => {
  it('collects events until there are enough', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const numbers = await start(Counter, { arg: { until: 10 } })
      const batch = await start(Batch<number>, { arg: { size: 4, timeout: 1000 }, subscribeTo: [numbers] })
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [batch] })
      await sim.settle()
      expect(journal.events).toEqual([range(0, 3), range(4, 7)])
    })
  })

  it('or until the first of them has waited long enough', async () => {
    await simulate().run(async (sim) => {
      const { source, subscription, batches } = await pipeline({ size: 4, timeout: 100 })
      subscription.ask(10)
      await source.call.give(1)
      await sim.advance(60)
      await source.call.give(2)
      await sim.advance(39)
      expect(batches()).toEqual([])
      await sim.advance(1)
      expect(batches()).toEqual([[1, 2]])
      await source.call.give(3)
      await sim.advance(99)
      expect(batches()).toHaveLength(1)
      await sim.advance(1)
      expect(batches()).toEqual([[1, 2], [3]])
    })
  })

  it('counts the time anew for each batch', async () => {
    await simulate().run(async (sim) => {
      const { source, subscription, batches } = await pipeline({ size: 2, timeout: 100 })
      subscription.ask(10)
      await source.call.give(1)
      await sim.advance(50)
      // Fills the first batch and begins the second.
      await source.call.give(2, 3)
      await sim.advance(99)
      expect(batches()).toEqual([[1, 2]])
      await sim.advance(1)
      expect(batches()).toEqual([[1, 2], [3]])
      await source.call.give(4)
      await sim.settle()
      expect(sim.clock.pending).toBe(1)
      await source.call.give(5)
      await sim.settle()
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('asks for a batch of events for each batch that was asked for', async () => {
    await simulate().run(async (sim) => {
      const { source, subscription, asked, batches } = await pipeline({ size: 5, timeout: 100 })
      await sim.settle()
      expect(asked()).toBe(0)
      subscription.ask(2)
      await sim.settle()
      expect(asked()).toBe(10)
      await source.call.give(...range(1, 10))
      await sim.settle()
      expect(batches()).toEqual([range(1, 5), range(6, 10)])
      expect(asked()).toBe(10)
      subscription.ask(1)
      await sim.settle()
      expect(asked()).toBe(15)
      await source.call.give(11, 12)
      await sim.advance(100)
      expect(batches()[2]).toEqual([11, 12])
      // Three are still to come.
      subscription.ask(1)
      await sim.settle()
      expect(asked()).toBe(17)
    })
  })

  it('holds what nobody waits for, and gives what is due as soon as somebody does', async () => {
    await simulate().run(async (sim) => {
      const { source, batch, subscription, batches } = await pipeline({ size: 5, timeout: 100 })
      subscription.ask(1)
      await sim.settle()
      await source.call.give(1)
      await sim.advance(100)
      await source.call.give(2, 3)
      await sim.advance(1000)
      expect(batches()).toEqual([[1]])
      expect(await stageInfo(batch)).toMatchObject({ buffered: 2 })
      expect(sim.clock.pending).toBe(0)
      subscription.ask(1)
      await sim.settle()
      expect(batches()).toEqual([[1], [2, 3]])
      await source.call.give(4, 5)
      await sim.advance(40)
      subscription.ask(1)
      await sim.advance(59)
      expect(batches()).toHaveLength(2)
      await sim.advance(1)
      expect(batches()[2]).toEqual([4, 5])
    })
  })

  it('keeps to the maxDemand of a subscription', async () => {
    await simulate().run(async (sim) => {
      const above = new Journal()
      const journal = new Journal()
      const numbers = await start(Counter, { arg: { until: 100, note: above.note } })
      const subscribeTo = [{ to: numbers, maxDemand: 4, minDemand: 1 }]
      const batch = await start(Batch<number>, { arg: { size: 10 }, subscribeTo })
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: batch, maxDemand: 1 }] })
      await sim.settle()
      expect(Math.max(...above.of('demand').map(Number))).toBeLessThanOrEqual(4)
      expect(journal.events).toEqual(range(0, 9).map((tens) => range(tens * 10, tens * 10 + 9)))
    })
  })

  it('asks a producer for more when no more than minDemand are to come', async () => {
    await simulate().run(async (sim) => {
      const above = new Journal()
      const source = await start(Source, { arg: { note: above.note } })
      const subscribeTo = [{ to: source, maxDemand: 10, minDemand: 2 }]
      const batch = await start(Batch<unknown>, { arg: { size: 5 }, subscribeTo })
      const subscription = new RawProcess().subscribeTo(batch)
      subscription.ask(1)
      await sim.settle()
      await source.call.give(1)
      await sim.settle()
      subscription.ask(1)
      await sim.settle()
      expect(above.of('demand')).toEqual([5])
      await source.call.give(2)
      await sim.settle()
      expect(above.of('demand')).toEqual([5])
      await source.call.give(3)
      await sim.settle()
      expect(above.of('demand')).toEqual([5, 5])
    })
  })

  it('fills its batches from all producers, also when one of them is silent', async () => {
    await simulate().run(async (sim) => {
      const silent = await start(Source)
      const busy = await start(Counter, { arg: { until: 1000 } })
      const arg = { size: 10, timeout: Infinity }
      const batch = await start(Batch<unknown>, { arg, subscribeTo: [silent, busy] })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(batch)
      for (const nth of range(1, 5)) {
        subscription.ask(1)
        await sim.settle()
        expect(raw.of('events')).toHaveLength(nth)
      }
      await silent.call.give('a', 'b')
      await sim.settle()
      subscription.ask(1)
      await sim.settle()
      expect(raw.of('events').flat(2).slice(50)).toEqual(['a', 'b', ...range(50, 57)])
    })
  })

  it('with an endless timeout waits for a full batch, without a timer', async () => {
    await simulate().run(async (sim) => {
      const { source, subscription, batches } = await pipeline({ size: 3, timeout: Infinity })
      subscription.ask(10)
      await source.call.give(1, 2)
      await sim.advance(1e9)
      expect(batches()).toEqual([])
      expect(sim.clock.pending).toBe(0)
      await source.call.give(3)
      await sim.settle()
      expect(batches()).toEqual([[1, 2, 3]])
    })
  })

  it('has a hundred events, or a second, by default', async () => {
    await simulate().run(async (sim) => {
      const { source, subscription, batches } = await pipeline({})
      subscription.ask(10)
      await source.call.give(...range(1, 120))
      await sim.advance(999)
      expect(batches()).toEqual([range(1, 100)])
      await sim.advance(1)
      expect(batches()).toEqual([range(1, 100), range(101, 120)])
    })
  })

  it('sets one timer for a batch at most', async () => {
    await simulate().run(async (sim) => {
      const { source, subscription, batches } = await pipeline({ size: 10, timeout: 100 })
      let timers = 0
      const { setTimer } = sim.clock
      sim.clock.setTimer = (ms, fire) => {
        timers++
        return setTimer.call(sim.clock, ms, fire)
      }
      subscription.ask(1000)
      for (const n of range(1, 500)) {
        source.cast.give(n)
        await sim.advance(1)
      }
      expect(batches().flat()).toEqual(range(1, 500))
      expect(batches()).toHaveLength(50)
      expect(timers).toBeLessThanOrEqual(50)
    })
  })

  it('weighs events when it is told how', async () => {
    await simulate().run(async (sim) => {
      const weight = (event: unknown) => String(event).length
      const { source, subscription, batches } = await pipeline({ size: 4, timeout: 100, weight, maxWeight: 10 })
      subscription.ask(100)
      await source.call.give('12345', '1234567', '123', 'too long for a batch', '1', '2', '3', '4', '5')
      await sim.settle()
      expect(batches()).toEqual([['12345'], ['1234567', '123'], ['too long for a batch'], ['1', '2', '3', '4']])
      await sim.advance(100)
      expect(batches()[4]).toEqual(['5'])
      // Nothing more fits in.
      await source.call.give('1234567890')
      await sim.settle()
      expect(batches()[5]).toEqual(['1234567890'])
    })
  })

  it('ends when the weight of an event is none', async () => {
    await simulate().run(async (sim) => {
      const { source, batch, subscription } = await pipeline({ weight: () => Number.NaN, maxWeight: 1 })
      subscription.ask(1)
      await sim.settle()
      await source.call.give(1)
      expect(await batch.done).toMatchObject({
        code: 'bad_return',
        message: expect.stringMatching(/^weight of Batch#\d+ gave NaN for an event, expected a number >= 0$/),
      })
    })
  })
})

describe('the end of a batch stage', () => {
  it('when its producer has ended in order, it gives what it has, then ends', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const numbers = await fromIterable(range(1, 5))
      const batch = await start(Batch<number>, { arg: { size: 2, timeout: 1000 }, subscribeTo: [numbers] })
      const sink = await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: batch, maxDemand: 1 }] })
      expect(await sink.done).toBe('normal')
      expect(await batch.done).toBe('normal')
      expect(journal.events).toEqual([[1, 2], [3, 4], [5]])
      expect(sim.now).toBe(0)
    })
  })

  it('stays until somebody takes what it has', async () => {
    await simulate().run(async (sim) => {
      const { source, batch, subscription, batches } = await pipeline({ size: 2, timeout: 50 })
      subscription.ask(2)
      await source.call.give(1)
      await sim.advance(50)
      await source.call.give(2, 3)
      await source.call.give(4)
      await source.stop()
      await sim.advance(1000)
      expect(batches()).toEqual([[1], [2, 3]])
      expect(batch.alive).toBe(true)
      subscription.ask(1)
      expect(await batch.done).toBe('normal')
      expect(batches()).toEqual([[1], [2, 3], [4]])
    })
  })

  it('a stream of it ends with the last batch', async () => {
    await simulate().run(async () => {
      const numbers = await fromIterable(range(1, 7))
      const batch = await start(Batch<number>, { arg: { size: 3 }, subscribeTo: [numbers] })
      const read: (readonly number[])[] = []
      for await (const each of stream({ to: batch, maxDemand: 2 })) read.push(each)
      expect(read).toEqual([[1, 2, 3], [4, 5, 6], [7]])
    })
  })

  it('goes on when a temporary producer ends, and gives its events in time', async () => {
    await simulate().run(async (sim) => {
      const { source, batch, subscription, batches } = await pipeline({ size: 10, timeout: 100 })
      const other = await start(Source)
      await syncSubscribe(batch, { to: other, cancel: 'temporary' })
      subscription.ask(5)
      await sim.settle()
      await other.call.give(1, 2)
      await other.stop()
      await sim.advance(100)
      await source.call.give(3)
      await sim.advance(100)
      expect(batches()).toEqual([[1, 2], [3]])
    })
  })

  it('when one of its permanent producers has ended, it asks the others for no more', async () => {
    await simulate().run(async (sim) => {
      const { source, batch, subscription, asked, batches } = await pipeline({ size: 2, timeout: 100 })
      const other = await start(Source)
      await syncSubscribe(batch, { to: other })
      subscription.ask(1)
      await sim.settle()
      await source.call.give(1)
      await sim.advance(100)
      await source.call.give(2)
      await other.stop()
      await sim.settle()
      expect(asked()).toBe(2)
      subscription.ask(2)
      expect(await batch.done).toBe('normal')
      expect(batches()).toEqual([[1], [2]])
      expect(asked()).toBe(2)
    })
  })

  it('forgets producers that have gone', async () => {
    await using batch = await start(Batch<unknown>)
    const visit = async () => {
      await using source = await start(Source)
      return new WeakRef(await syncSubscribe(batch, { to: source, cancel: 'temporary' }))
    }
    const visits = [await visit(), await visit()]
    await collectGarbage()
    expect(visits.map((visit) => visit.deref())).toEqual([undefined, undefined])
  })

  it('when its producer has crashed, it crashes too', async () => {
    await simulate().run(async (sim) => {
      const { source, batch } = await pipeline({})
      await sim.settle()
      source.exit('torn')
      expect(await batch.done).toBe('torn')
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('a drain gives what it has, at once', async () => {
    await simulate().run(async (sim) => {
      const { source, batch, subscription, batches } = await pipeline({ size: 10, timeout: 1000 })
      subscription.ask(5)
      await source.call.give(1, 2)
      await sim.settle()
      await batch.stop({ drain: true })
      expect(batches()).toEqual([[1, 2]])
      expect(sim.now).toBe(0)
      expect(source.alive).toBe(true)
    })
  })

  it('a drain of a tree delivers everything that was read', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const above = new Journal()
      const work = (_batches: readonly unknown[], stage: Sink) => stage.sleep(1)
      const tree = await supervise({
        strategy: 'rest_for_one',
        children: [
          child(Counter, { arg: { until: 100_000, note: above.note }, name: Counter }),
          child(Batch<number>, { arg: { size: 7 }, name: Batch, subscribeTo: [{ to: Counter, maxDemand: 20 }] }),
          child(Sink, { arg: { note: journal.note, work }, subscribeTo: [{ to: Batch<unknown>, maxDemand: 3 }] }),
        ],
      })
      await sim.advance(20)
      const stopping = tree.stop({ drain: true })
      await sim.advance(1000)
      await stopping
      const asked = above.of('demand').reduce<number>((sum, demand) => sum + Number(demand), 0)
      expect(journal.events.flat()).toEqual(range(0, asked - 1))
      expect(asked).toBeGreaterThan(100)
      expect(sim.clock.pending).toBe(0)
    })
  })
})

const one = (): number => 1

describe('options of a batch stage that cannot be', () => {
  it.each([
    [{ size: 0 }, 'size of Batch: expected an integer >= 1, got 0'],
    [{ size: 2.5 }, 'got 2.5'],
    [{ size: Infinity }, 'got Infinity'],
    [{ timeout: 0 }, 'timeout of Batch: expected milliseconds > 0 or Infinity, got 0'],
    [{ timeout: -1 }, 'got -1'],
    [{ timeout: Number.NaN }, 'got NaN'],
    [{ maxWeight: 5 }, 'weight of Batch: expected a function of an event, for maxWeight, got undefined'],
    [{ weight: one }, 'maxWeight of Batch: expected a number > 0, for weight, got undefined'],
    [{ weight: one, maxWeight: 0 }, 'got 0'],
    [{ batchSize: 5 }, 'Batch has no option batchSize: known are size, timeout, weight, maxWeight'],
  ])('%o is refused', async (arg, text) => {
    await simulate().run(async () => {
      const starting = start(Batch<number>, { arg: arg as BatchOptions<number> })
      await expect(starting).rejects.toMatchObject({
        message: expect.stringContaining(text),
        cause: { code: 'bad_options' },
      })
    })
  })
})

import {
  asyncSubscribe,
  child,
  fromIterable,
  RateLimiter,
  type RateLimiterOptions,
  type Subscription,
  stageInfo,
  start,
  supervise,
  syncSubscribe,
  whereis,
} from 'sluice'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { nextTurn } from '../../../src/process/scheduler.ts'
import { collectGarbage } from '../../support/gc.ts'
import { RawProcess } from '../../support/raw-process.ts'
import { settlement } from '../../support/settlement.ts'
import { Counter, Journal, range, Sink, Source } from '../../support/stages.ts'

/** Notes when each event is handled. */
function stamping(sim: Simulation) {
  const times: number[] = []
  const work = (events: readonly unknown[]) => {
    for (const _ of events) times.push(sim.now)
  }
  return { times, work }
}

const ten = { limit: 10, interval: 1000 }

describe('a rate limiter', () => {
  it('lets through at once what the limit allows, and as much again after each interval', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const { times, work } = stamping(sim)
      const numbers = await start(Counter, { arg: { until: 25 } })
      const limiter = await start(RateLimiter<number>, { arg: ten, subscribeTo: [numbers] })
      await start(Sink, { arg: { note: journal.note, work }, subscribeTo: [limiter] })
      await sim.advance(5000)
      expect(journal.events).toEqual(range(0, 24))
      expect(times).toEqual([...Array(10).fill(0), ...Array(10).fill(1000), ...Array(5).fill(2000)])
      expect(sim.clock.pending).toBe(0)
    })
  })

  it('lets an event through at once when it is idle', async () => {
    await simulate().run(async (sim) => {
      const { times, work } = stamping(sim)
      const source = await start(Source)
      const limiter = await start(RateLimiter<unknown>, { arg: { limit: 2, interval: 1000 }, subscribeTo: [source] })
      await start(Sink, { arg: { work }, subscribeTo: [limiter] })
      for (const n of range(0, 4)) {
        source.cast.give(n)
        await sim.advance(600)
      }
      // At 1200 the first is an interval old, and so on.
      expect(times).toEqual([0, 600, 1200, 1800, 2400])
    })
  })

  it('has one budget for all its consumers and all its producers', async () => {
    await simulate().run(async (sim) => {
      const { times, work } = stamping(sim)
      const journals = range(1, 3).map(() => new Journal())
      const producers = await Promise.all(range(1, 2).map(() => start(Counter, { arg: { until: 1000 } })))
      const limiter = await start(RateLimiter<number>, { arg: ten, subscribeTo: producers })
      for (const { note } of journals) {
        await start(Sink, { arg: { note, work }, subscribeTo: [{ to: limiter, maxDemand: 2, minDemand: 0 }] })
      }
      await sim.advance(9999)
      expect(times).toHaveLength(100)
      for (const [nth, at] of times.entries()) expect(at).toBe(1000 * Math.floor(nth / 10))
      for (const { events } of journals) expect(events.length).toBeGreaterThan(20)
    })
  })

  it('gives each producer its turn, also when the limit is one', async () => {
    await simulate().run(async (sim) => {
      for (const limit of [1, 2, 3, 10]) {
        const journal = new Journal()
        const producers = await Promise.all(
          range(0, 2).map((nth) => fromIterable(range(1, 1000).map((n) => `${'abc'[nth]}${n}`))),
        )
        const limiter = await start(RateLimiter<string>, { arg: { limit, interval: 100 }, subscribeTo: producers })
        await start(Sink, { arg: { note: journal.note }, subscribeTo: [limiter] })
        await sim.advance(3000)
        const of = (letter: string) => journal.events.filter((event) => String(event).startsWith(letter))
        // Who came first may have had the whole first budget.
        const counts = ['a', 'b', 'c'].map((letter) => of(letter).length)
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(limit)
        for (const letter of 'abc') expect(of(letter)).toEqual(range(1, of(letter).length).map((n) => `${letter}${n}`))
      }
    })
  })

  it('does not wait for a producer that has nothing', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const silent = await start(Source)
      const busy = await start(Counter, { arg: { until: 100 } })
      const limiter = await start(RateLimiter<unknown>, { arg: ten, subscribeTo: [silent, busy] })
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [limiter] })
      await sim.advance(4999)
      expect(journal.events).toEqual(range(0, 49))
      await silent.call.give('at last')
      await sim.advance(1)
      expect(journal.events.slice(50)).toEqual(['at last', ...range(50, 58)])
    })
  })

  it('asks for what its consumers asked for, at most for the limit, and for nothing before', async () => {
    await simulate().run(async (sim) => {
      const above = new Journal()
      const numbers = await start(Counter, { arg: { until: 1000, note: above.note } })
      const limiter = await start(RateLimiter<number>, { arg: ten, subscribeTo: [numbers] })
      await sim.settle()
      expect(above.of('demand')).toEqual([])
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(limiter)
      subscription.ask(3)
      await sim.settle()
      expect(above.of('demand')).toEqual([3])
      expect(raw.of('events')).toEqual([[0, 1, 2]])
      subscription.ask(100)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual(range(0, 9))
      // Those that are ready for the next interval.
      expect((await stageInfo(limiter)).buffered).toBe(10)
      expect(above.of('demand').reduce<number>((sum, demand) => sum + Number(demand), 0)).toBe(20)
    })
  })

  it('keeps to the maxDemand of a subscription', async () => {
    await simulate().run(async (sim) => {
      const above = new Journal()
      const numbers = await start(Counter, { arg: { until: 1000, note: above.note } })
      const subscribeTo = [{ to: numbers, maxDemand: 4, minDemand: 1 }]
      const limiter = await start(RateLimiter<number>, { arg: ten, subscribeTo })
      const { times, work } = stamping(sim)
      await start(Sink, { arg: { work }, subscribeTo: [limiter] })
      await sim.advance(999)
      expect(times).toHaveLength(10)
      expect(Math.max(...above.of('demand').map(Number))).toBeLessThanOrEqual(4)
      await sim.advance(1)
      expect(times).toHaveLength(20)
    })
  })

  it('holds events for a consumer that comes instead of one that has gone, and keeps the limit', async () => {
    await simulate().run(async (sim) => {
      const { times, work } = stamping(sim)
      const numbers = await start(Counter, { arg: { until: 1000 } })
      const limiter = await start(RateLimiter<number>, { arg: { limit: 2, interval: 100 }, subscribeTo: [numbers] })
      const leaving = new RawProcess()
      const subscription = leaving.subscribeTo(limiter)
      subscription.ask(1000)
      await sim.settle()
      subscription.cancel()
      await sim.advance(10_050)
      expect(leaving.of('events').flat()).toEqual([0, 1])
      const journal = new Journal()
      await start(Sink, { arg: { note: journal.note, work }, subscribeTo: [limiter] })
      await sim.advance(200)
      expect(journal.events).toEqual(range(2, 7))
      expect(times).toEqual([10_050, 10_050, 10_150, 10_150, 10_250, 10_250])
    })
  })

  it('sets no timer while nobody waits, and one while somebody does', async () => {
    await simulate().run(async (sim) => {
      const source = await start(Source)
      const limiter = await start(RateLimiter<unknown>, { arg: ten, subscribeTo: [source] })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(limiter)
      subscription.ask(1000)
      await source.call.give(...range(1, 10))
      await sim.settle()
      expect(sim.clock.pending).toBe(0)
      await source.call.give(...range(11, 100))
      await sim.settle()
      expect(sim.clock.pending).toBe(1)
      subscription.cancel()
      await sim.settle()
      expect(sim.clock.pending).toBe(0)
      await limiter.stop()
    })
  })

  it('wakes up a few times in an interval at most, however evenly events go', async () => {
    await simulate().run(async (sim) => {
      let timers = 0
      const { setTimer } = sim.clock
      sim.clock.setTimer = (ms, fire) => {
        timers++
        return setTimer.call(sim.clock, ms, fire)
      }
      const journal = new Journal()
      const source = await start(Source)
      const limiter = await start(RateLimiter<unknown>, { arg: { limit: 1000, interval: 1000 }, subscribeTo: [source] })
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: limiter, maxDemand: 5000 }] })
      for (const n of range(1, 1000)) {
        source.cast.give(n)
        await sim.advance(1)
      }
      await source.call.give(...range(1001, 4000))
      timers = 0
      await sim.advance(3000)
      expect(journal.events).toEqual(range(1, 4000))
      expect(timers).toBeLessThanOrEqual(3 * 17 + 1)
    })
  })

  it('changes its limit and its interval while it runs', async () => {
    await simulate().run(async (sim) => {
      const { times, work } = stamping(sim)
      const numbers = await start(Counter, { arg: { until: 10_000 } })
      const limiter = await start(RateLimiter<number>, { arg: ten, subscribeTo: [numbers] })
      await start(Sink, { arg: { work }, subscribeTo: [limiter] })
      await sim.advance(1500)
      expect(times).toHaveLength(20)
      await limiter.call.setLimit(50)
      await sim.settle()
      expect(times).toHaveLength(60)
      await limiter.call.setLimit(5)
      await sim.advance(999)
      expect(times).toHaveLength(60)
      await sim.advance(1)
      expect(times).toHaveLength(65)
      await limiter.call.setLimit(5, 10)
      await sim.advance(100)
      expect(times).toHaveLength(65 + 10 * 5)
      await limiter.call.setLimit(Infinity)
      await sim.settle()
      expect(times).toHaveLength(10_000)
    })
  })

  it.each([
    [0, 1000, 'limit of RateLimiter#'],
    [10, 0, 'interval of RateLimiter#'],
  ])('refuses the limit %d in %d ms and goes on', async (limit, interval, text) => {
    await simulate().run(async () => {
      const limiter = await start(RateLimiter<number>, { arg: ten })
      const { error } = await settlement(limiter.call.setLimit(limit, interval))
      expect(error).toMatchObject({ code: 'failed', cause: { code: 'bad_options' } })
      expect(String(error)).toContain(text)
      expect(limiter.alive).toBe(true)
    })
  })
})

describe('the end of a rate limiter', () => {
  it('when its producer has ended in order, it hands on what it holds, at its pace, then ends', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const { times, work } = stamping(sim)
      const numbers = await fromIterable(range(1, 25))
      const limiter = await start(RateLimiter<number>, { arg: ten, subscribeTo: [numbers] })
      const sink = await start(Sink, { arg: { note: journal.note, work }, subscribeTo: [limiter] })
      await sim.advance(1999)
      expect(limiter.alive).toBe(true)
      await sim.advance(1)
      expect(await limiter.done).toBe('normal')
      expect(await sink.done).toBe('normal')
      expect(journal.events).toEqual(range(1, 25))
      expect(times.at(-1)).toBe(2000)
    })
  })

  it('when one of its permanent producers has ended, it asks the others for no more', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const few = await start(Source)
      const above = new Journal()
      const many = await start(Counter, { arg: { until: 1000, note: above.note } })
      const limiter = await start(RateLimiter<unknown>, { arg: ten, subscribeTo: [few, many] })
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: limiter, cancel: 'temporary' }] })
      await sim.advance(500)
      await few.stop()
      await sim.advance(1500)
      expect(await limiter.done).toBe('normal')
      expect(journal.events).toEqual(range(0, 19))
      expect(above.of('demand').reduce<number>((sum, demand) => sum + Number(demand), 0)).toBe(20)
    })
  })

  it('ends with the reason of the first that ended it', async () => {
    await simulate().run(async (sim) => {
      const [first, second] = [await start(Source), await start(Source)]
      const limiter = await start(RateLimiter<unknown>, { arg: ten, subscribeTo: [first, second] })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(limiter)
      subscription.ask(1)
      await sim.settle()
      await first.call.give(1)
      await second.call.give(2)
      await sim.settle()
      await first.stop({ reason: 'shutdown' })
      await second.stop()
      await sim.settle()
      expect(limiter.alive).toBe(true)
      subscription.ask(1)
      expect(await limiter.done).toBe('shutdown')
      expect(raw.of('events').flat().sort()).toEqual([1, 2])
    })
  })

  it('lets nothing more through once it was told to stop', async () => {
    class Quitting extends RateLimiter<unknown> {
      override handleEvents(events: readonly unknown[], subscription: Subscription) {
        super.handleEvents(events, subscription)
        this.stop()
      }
    }
    await simulate().run(async (sim) => {
      const above = new Journal()
      const numbers = await start(Counter, { arg: { until: 100, note: above.note } })
      const limiter = await start(Quitting, { arg: ten, subscribeTo: [numbers] })
      const raw = new RawProcess()
      raw.subscribeTo(limiter).ask(50)
      expect(await limiter.done).toBe('normal')
      await sim.settle()
      expect(raw.of('events')).toEqual([])
      expect(above.of('demand')).toEqual([10])
    })
  })

  it('when its producer has crashed, it crashes too', async () => {
    await simulate().run(async (sim) => {
      const source = await start(Source)
      const limiter = await start(RateLimiter<unknown>, { arg: ten, subscribeTo: [source] })
      await sim.settle()
      source.exit('torn')
      expect(await limiter.done).toBe('torn')
    })
  })

  it('producers that come and go do not disturb it; what they sent still has its turn', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const limiter = await start(RateLimiter<unknown>, { arg: { limit: 1, interval: 10 } })
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [limiter] })
      for (const n of range(1, 20)) {
        const source = await start(Source)
        asyncSubscribe(limiter, { to: source, cancel: 'temporary' })
        await sim.settle()
        await source.call.give(n)
        await source.stop({ drain: true })
      }
      await sim.advance(200)
      expect(journal.events).toEqual(range(1, 20))
      expect(await stageInfo(limiter)).toMatchObject({ producers: [], buffered: 0 })
    })
  })

  it('forgets producers that have gone, when what they sent has gone', async () => {
    await using limiter = await start(RateLimiter<unknown>, { arg: { limit: 2, interval: 10 } })
    const raw = new RawProcess()
    const below = raw.subscribeTo(limiter)
    const visit = async (...events: number[]) => {
      const source = await start(Source)
      const subscription = await syncSubscribe(limiter, { to: source, cancel: 'temporary' })
      await source.call.give(...events)
      await source.stop({ drain: true })
      return new WeakRef(subscription)
    }
    for (const _ of range(1, 5)) below.ask(2)
    // What the last one sent has to wait: it has gone before.
    const visits = [await visit(), await visit(1, 2), await visit(3, 4)]
    while (raw.of('events').flat().length < 4) await nextTurn()
    await collectGarbage()
    expect(visits.map((visit) => visit.deref())).toEqual([undefined, undefined, undefined])
    raw.kill()
  })

  it('a drain hands on what it holds, and leaves its producer alive', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const above = new Journal()
      const numbers = await start(Counter, { arg: { until: 1000, note: above.note } })
      const limiter = await start(RateLimiter<number>, { arg: ten, subscribeTo: [numbers] })
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: limiter, cancel: 'temporary' }] })
      await sim.advance(500)
      const stopping = limiter.stop({ drain: true })
      await sim.advance(500)
      await stopping
      const asked = above.of('demand').reduce<number>((sum, demand) => sum + Number(demand), 0)
      expect(journal.events).toEqual(range(0, asked - 1))
      expect(numbers.alive).toBe(true)
    })
  })

  it('in a tree it starts anew with a fresh budget', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      await supervise({
        strategy: 'rest_for_one',
        children: [
          child(Counter, { arg: { until: 1000 }, name: Counter }),
          child(RateLimiter<number>, { arg: ten, name: RateLimiter, subscribeTo: [Counter] }),
          child(Sink, { arg: { note: journal.note }, subscribeTo: [RateLimiter<unknown>] }),
        ],
      })
      await sim.settle()
      expect(journal.events).toHaveLength(10)
      whereis(RateLimiter)?.kill()
      await sim.settle()
      expect(journal.events).toHaveLength(20)
    })
  })
})

describe('options of a rate limiter that cannot be', () => {
  it.each([
    [{ limit: 0, interval: 1000 }, 'limit of RateLimiter: expected an integer >= 1 or Infinity, got 0'],
    [{ limit: 1.5, interval: 1000 }, 'got 1.5'],
    [{ limit: Number.NaN, interval: 1000 }, 'got NaN'],
    [{ interval: 1000 }, 'limit of RateLimiter: expected an integer >= 1 or Infinity, got undefined'],
    [{ limit: 1, interval: 0 }, 'interval of RateLimiter: expected milliseconds > 0, got 0'],
    [{ limit: 1, interval: -5 }, 'got -5'],
    [{ limit: 1, interval: Infinity }, 'got Infinity'],
    [{ limit: 1 }, 'interval of RateLimiter: expected milliseconds > 0, got undefined'],
    [
      { limit: 1, intervall: 5 },
      'RateLimiter has no option intervall: did you mean interval? Known are limit, interval',
    ],
    [undefined, 'limit of RateLimiter: expected'],
  ])('%o is refused', async (arg, text) => {
    await simulate().run(async () => {
      const starting = start(RateLimiter<number>, { arg: arg as RateLimiterOptions<number> })
      await expect(starting).rejects.toMatchObject({
        message: expect.stringContaining(text),
        cause: { code: 'bad_options' },
      })
    })
  })
})

import fc from 'fast-check'
import { start } from 'sluice'
import { Flow, Window } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { Manual } from '../../support/flow-stages.ts'
import { append, gathered, inSimulation, list, numbers, src, told, zero } from '../../support/flows.ts'

const done = 'done'
const own = (x: number) => x
const ms = (every: number) => ({ every, unit: 'millisecond' }) as const
/** 20 ms long, one each 10 ms. */
const twenty = Window.sliding(20, 'millisecond', ms(10), own)

describe('a sliding window', () => {
  it('holds the events of a time that begins again and again', async () => {
    await inSimulation(async () => {
      const lists = src([5, 12, 27], { window: twenty }).reduce(list<number>, append)
      expect(await lists.onTrigger(told).toArray()).toEqual([
        [[5], -10, done],
        [[5, 12], 0, done],
        [[12, 27], 10, done],
        [[27], 20, done],
      ])
    })
  })

  it('closes when time has passed it', async () => {
    await inSimulation(async (sim) => {
      const source = await start(Manual)
      const lists = Flow.fromStages([source], { window: twenty })
        .reduce(list<number>, append)
        .onTrigger(told)
      const { events, done: ended } = gathered(lists)
      await sim.settle()
      const give = async (time: number) => {
        const before = events.length
        source.cast.give(time)
        await sim.settle()
        return events.slice(before)
      }
      expect(await give(15)).toEqual([])
      expect(await give(19)).toEqual([])
      expect(await give(20)).toEqual([[[15, 19], 0, done]])
      // Late for the window that has closed, in time for those that have not.
      expect(await give(16)).toEqual([])
      expect(await give(30)).toEqual([[[15, 19, 20, 16], 10, done]])
      source.cast.end('normal')
      await ended
    })
  })

  it('waits for late events when it is told to', async () => {
    await inSimulation(async (sim) => {
      const source = await start(Manual)
      const window = twenty.allowedLateness(50, 'millisecond')
      const lists = Flow.fromStages([source], { window })
        .reduce(list<number>, append)
        .onTrigger(told)
      const { events, done: ended } = gathered(lists)
      await sim.settle()
      for (const time of [5, 20, 6]) source.cast.give(time)
      await sim.advance(50)
      const passed = (id: number, ...all: readonly number[]) => [all, id]
      expect(events).toEqual([
        [...passed(-10, 5), 'watermark'],
        [...passed(0, 5), 'watermark'],
        [...passed(-10, 5, 6), done],
        [...passed(0, 5, 6), done],
      ])
      source.cast.end('normal')
      await ended
    })
  })

  it('fires by its trigger, each for itself', async () => {
    await inSimulation(async () => {
      const lists = src([5, 12, 13], { window: twenty.triggerEvery(2) }).reduce(list<number>, append)
      expect(await lists.onTrigger(told).toArray()).toEqual([
        [[5, 12], 0, { every: 2 }],
        [[12, 13], 10, { every: 2 }],
        [[5], -10, done],
        [[5, 12, 13], 0, done],
        [[12, 13], 10, done],
      ])
    })
  })

  it('is put together again by a departition', async () => {
    await inSimulation(async () => {
      const merged = src([5, 12, 27])
        .partition({ stages: 2, hash: (x) => x % 2, window: twenty })
        .reduce(list<number>, append)
        .departition(
          list<number>,
          (all, x) => [...all, x].sort((a, b) => a - b),
          (all, id) => ({ id, all }),
        )
      expect((await merged.toArray()).sort((a, b) => Number(a.id) - Number(b.id))).toEqual([
        { id: -10, all: [5] },
        { id: 0, all: [5, 12] },
        { id: 10, all: [12, 27] },
        { id: 20, all: [27] },
      ])
    })
  })

  it('holds exactly the events of its time, however they arrive', async () => {
    const times = fc.array(fc.integer({ min: -50, max: 150 }), { minLength: 1, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(times, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        fc.nat(),
        async (sources, size, step, seed) => {
          const every = Math.min(size, step)
          const sorted = sources.map((all) => all.toSorted((a, b) => a - b))
          const all = sorted.flat().sort((a, b) => a - b)
          await inSimulation(async (sim) => {
            const window = Window.sliding(size, 'millisecond', ms(every), own)
            const found = await Flow.fromAll(sorted, { window, maxDemand: 5 })
              .reduce(list<number>, append)
              .onTrigger(told)
              .toArray()
            const ids = found.map(([, id]) => Number(id))
            expect(ids).toEqual(ids.map((_, index) => (ids[0] ?? 0) + index * every))
            for (const [events, id] of found) {
              const from = Number(id)
              expect(events.toSorted((a, b) => a - b)).toEqual(all.filter((x) => x >= from && x < from + size))
            }
            const first = Math.floor(((all[0] ?? 0) - size) / every) + 1
            expect(ids[0]).toBe(first * every + 0)
            expect(ids.at(-1)).toBe(Math.floor((all.at(-1) ?? 0) / every) * every + 0)
            expect(sim.logs).toEqual([])
          }, seed)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('refuses to overlap too little or too much', () => {
    expect(() => Window.sliding(10, 'second', { every: 11, unit: 'second' }, own)).toThrow(
      /a window of 10000 that begins every 11000 would put each event into/,
    )
    expect(() => Window.sliding(1, 'hour', ms(1), own)).toThrow(/expected 1 to 10000/)
    expect(() => Window.sliding(10, 'second', 5 as never, own)).toThrow(/every of sliding: expected a whole number/)
    expect(() => Window.sliding(10, 'second', { every: 1, unit: 'day' as never }, own)).toThrow(/unknown unit 'day'/)
  })
})

describe('a sliding window of a number of events', () => {
  it('begins with each event', async () => {
    await inSimulation(async () => {
      const lists = src(numbers(1, 5), { window: Window.slidingCount(3) }).reduce(list<number>, append)
      expect(await lists.onTrigger(told).toArray()).toEqual([
        [[1, 2, 3], 0, done],
        [[2, 3, 4], 1, done],
        [[3, 4, 5], 2, done],
        [[4, 5], 3, done],
        [[5], 4, done],
      ])
    })
  })

  it('begins with every so many, and fires by its trigger', async () => {
    await inSimulation(async () => {
      const window = Window.slidingCount(4, { every: 2 }).triggerEvery(3)
      const lists = src(numbers(1, 5), { window, maxDemand: 2, minDemand: 0 }).reduce(list<number>, append)
      const fired = { every: 3 }
      expect(await lists.onTrigger(told).toArray()).toEqual([
        [[1, 2, 3], 0, fired],
        [[1, 2, 3, 4], 0, done],
        [[3, 4, 5], 1, fired],
        [[3, 4, 5], 1, done],
        [[5], 2, done],
      ])
    })
  })

  it('does not fire without any event', async () => {
    await inSimulation(async () => {
      const sums = src<number>([], { window: Window.slidingCount(2) }).reduce(zero, own)
      expect(await sums.onTrigger(told).toArray()).toEqual([])
    })
  })

  it('refuses numbers that are none', () => {
    expect(() => Window.slidingCount(0)).toThrow(/slidingCount: expected a whole number >= 1, got 0/)
    expect(() => Window.slidingCount(3, { every: 0.5 })).toThrow(/every of slidingCount: expected a whole number >= 1/)
    expect(() => Window.slidingCount(3, { every: 4 })).toThrow(/a window of 3 that begins every 4/)
  })
})

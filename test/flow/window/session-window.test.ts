import fc from 'fast-check'
import { type Ref, start } from 'sluice'
import { Flow, Window, type WindowInfo } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { Manual } from '../../support/flow-stages.ts'
import { append, gathered, inSimulation, list, numbers, rejection, src, told, zero } from '../../support/flows.ts'

interface Visit {
  readonly user: string
  readonly at: number
}
const visit = (user: string, at: number): Visit => ({ user, at })
const done = 'done'
const perUser = Window.session(10, 'millisecond', 'at', { key: 'user' })
const own = (x: number) => x
const sessions = Window.session(10, 'millisecond', own)

const session = (all: readonly Visit[], _stage: unknown, { type, id, trigger, key, start, end }: WindowInfo) =>
  [[{ type, id, trigger, key, start, end, times: all.map(({ at }) => at) }], all] as const

describe('a session', () => {
  it('ends with a pause in the time of the events', async () => {
    await inSimulation(async () => {
      const lists = src([1, 5, 14, 24, 30, 100], { window: sessions }).reduce(list<number>, append)
      expect(await lists.onTrigger(told).toArray()).toEqual([
        [[1, 5, 14], 1, done],
        [[24, 30], 24, done],
        [[100], 100, done],
      ])
    })
  })

  it('is of one key, and tells that and its times', async () => {
    await inSimulation(async () => {
      const visits = [visit('ada', 1), visit('bob', 3), visit('ada', 9), visit('bob', 15), visit('ada', 18)]
      const found = await src(visits, { window: perUser })
        .reduce(list<Visit>, append)
        .onTrigger(session)
        .toArray()
      const common = { type: 'session', trigger: done }
      expect(found).toEqual([
        { ...common, id: 3, key: 'bob', start: 3, end: 3, times: [3] },
        { ...common, id: 15, key: 'bob', start: 15, end: 15, times: [15] },
        { ...common, id: 1, key: 'ada', start: 1, end: 18, times: [1, 9, 18] },
      ])
    })
  })

  it('closes as soon as time has gone on for the length of the pause, by whatever key', async () => {
    await inSimulation(async (sim) => {
      const source = await start(Manual)
      const window = Window.session(10, 'millisecond', own, { key: (x) => x % 2 })
      const lists = Flow.fromStages([source], { window })
        .reduce(list<number>, append)
        .onTrigger(told)
      const { events, done: ended } = gathered(lists)
      await sim.settle()
      const give = async (time: number) => {
        source.cast.give(time)
        await sim.settle()
      }
      for (const time of [1, 4, 10]) await give(time)
      expect(events).toEqual([])
      await give(12)
      expect(events).toEqual([[[1], 1, done]])
      await give(22)
      expect(events.slice(1)).toEqual([[[4, 10, 12], 4, done]])
      source.cast.end('normal')
      await ended
      expect(events.slice(2)).toEqual([[[22], 22, done]])
    })
  })

  it('has composite keys that are equal by what they say', async () => {
    await inSimulation(async () => {
      const window = Window.session(10, 'millisecond', own, { key: (x) => [x % 2, { parity: x % 2 }] })
      const lists = src([1, 2, 3, 4], { window }).reduce(list<number>, append)
      expect(await lists.emit('state').toArray()).toEqual([
        [1, 3],
        [2, 4],
      ])
    })
  })

  it('takes events in the order of time, whichever producer they are from, and waits for the one behind', async () => {
    await inSimulation(async (sim) => {
      const [a, b] = [await start(Manual), await start(Manual)]
      const lists = Flow.fromStages([a, b], { window: sessions })
        .reduce(list<number>, append)
        .onTrigger(told)
      const { events, done: ended } = gathered(lists)
      await sim.settle()
      const give = async (from: Ref<Manual>, ...times: readonly number[]) => {
        from.cast.give(...times)
        await sim.settle()
      }
      await give(a, 0, 18, 50)
      expect(events).toEqual([])
      // Without it 0 and 18 would be two sessions.
      await give(b, 9)
      await give(b, 30)
      expect(events).toEqual([[[0, 9, 18], 0, done]])
      b.cast.end('normal')
      await sim.settle()
      expect(events.slice(1)).toEqual([[[30], 30, done]])
      a.cast.end('normal')
      await ended
      expect(events.slice(2)).toEqual([[[50], 50, done]])
    })
  })

  it('takes late events in while it is open, and drops those behind it', async () => {
    await inSimulation(async (sim) => {
      const late = src([20, 15, 22, 3, 30], { window: sessions, maxDemand: 1 }).reduce(list<number>, append)
      const starts = late.onTrigger((all, _, { id, start, end }) => [[{ all, id, start, end }], all])
      expect(await starts.toArray()).toEqual([{ all: [20, 15, 22, 30], id: 20, start: 15, end: 30 }])
      await sim.settle()
      expect(sim.logs.map(({ message }) => message)).toEqual([expect.stringContaining('dropped 1 late events')])
    })
  })

  it('closes in time also when it was opened by a late event', async () => {
    await inSimulation(async (sim) => {
      const source = await start(Manual)
      const window = Window.session(10, 'millisecond', own, { key: (x) => x % 2 })
      const lists = Flow.fromStages([source], { window })
        .reduce(list<number>, append)
        .onTrigger(told)
      const { events, done: ended } = gathered(lists)
      await sim.settle()
      for (const time of [20, 15, 25]) {
        source.cast.give(time)
        await sim.settle()
      }
      // 15 was over at 25: it and 25 are two sessions.
      expect(events).toEqual([[[15], 15, done]])
      source.cast.end('normal')
      await ended
    })
  })

  it('fires by triggers of all kinds', async () => {
    await inSimulation(async (sim) => {
      const source = await start(Manual)
      const window = sessions.triggerEvery(2).triggerPeriodically(1, 'second')
      const lists = Flow.fromStages([source], { window })
        .reduce(list<number>, append)
        .onTrigger(told)
      const { events, done: ended } = gathered(lists)
      await sim.settle()
      source.cast.give(1, 2, 3)
      await sim.advance(1000)
      expect(events).toEqual([
        [[1, 2], 1, { every: 2 }],
        [[1, 2, 3], 1, { periodically: 1, unit: 'second' }],
      ])
      source.cast.end('normal')
      await ended
      expect(events.slice(2)).toEqual([[[1, 2, 3], 1, done]])
    })
  })

  it('does not fire without any event', async () => {
    await inSimulation(async () => {
      expect(await src<number>([], { window: sessions }).reduce(zero, own).onTrigger(told).toArray()).toEqual([])
    })
  })

  it('becomes one event of a departition as soon as it closes', async () => {
    await inSimulation(async (sim) => {
      const source = await start(Manual)
      const window = Window.session(10, 'millisecond', own, { key: (x) => x % 2 })
      const counted = Flow.fromStages([source])
        .partition({ stages: 2, hash: (x) => x % 2, window })
        .reduce(list<number>, append)
        .emit('state')
        .departition(
          list<readonly number[]>,
          (all, each) => [...all, each],
          (all, id) => ({ id, all }),
        )
      const { events, done: ended } = gathered(counted)
      await sim.settle()
      source.cast.give(2, 1, 12, 41)
      await sim.settle()
      // Each partition has its own time, and the other has no part of its sessions.
      expect(events).toHaveLength(2)
      expect(events).toContainEqual({ id: 2, all: [[2]] })
      expect(events).toContainEqual({ id: 1, all: [[1]] })
      source.cast.end('normal')
      await ended
      expect(events).toHaveLength(4)
    })
  })

  it('of a join holds events of both sides, whichever is ahead', async () => {
    await inSimulation(async (sim) => {
      const [left, right] = [await start(Manual), await start(Manual)]
      const rows = Flow.windowJoin(
        'full_outer',
        Flow.fromStages([left]),
        Flow.fromStages([right]),
        sessions,
        () => 0,
        () => 0,
        (a, b) => [a, b],
      )
      const { events, done: ended } = gathered(rows)
      await sim.settle()
      left.cast.give(1, 30, 60)
      await sim.settle()
      expect(events).toEqual([])
      right.cast.give(5, 75)
      await sim.settle()
      expect(events).toEqual([
        [1, 5],
        [30, null],
      ])
      left.cast.end('normal')
      right.cast.end('normal')
      await ended
      expect(events.slice(2)).toEqual([
        [60, null],
        [null, 75],
      ])
    })
  })

  it('is what a plain loop over sorted events finds, however they arrive', async () => {
    const times = fc.array(fc.nat(200), { maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(fc.array(times, { minLength: 1, maxLength: 3 }), fc.nat(), async (sources, seed) => {
        const sorted = sources.map((all) => all.toSorted((a, b) => a - b))
        const window = Window.session(10, 'millisecond', own, { key: (x) => x % 3 })
        const expected: number[][] = []
        for (const key of [0, 1, 2]) {
          const mine = sorted
            .flat()
            .filter((x) => x % 3 === key)
            .sort((a, b) => a - b)
          for (const [index, x] of mine.entries()) {
            if (index > 0 && x - (mine[index - 1] ?? 0) < 10) expected.at(-1)?.push(x)
            else expected.push([x])
          }
        }
        await inSimulation(async () => {
          const found = await Flow.fromAll(sorted, { window, maxDemand: 5 })
            .reduce(list<number>, append)
            .emit('state')
            .toArray()
          const text = (lists: readonly (readonly number[])[]) => lists.map((each) => each.join()).sort()
          expect(text(found)).toEqual(text(expected))
        }, seed)
      }),
      { numRuns: 60 },
    )
  })

  it('refuses what is no time, no key and no pause', async () => {
    await inSimulation(async () => {
      const timeless = Window.session(1, 'second', () => 'noon' as never)
      expect(String(await rejection(src(numbers(1, 3), { window: timeless }).map(own).toArray()))).toMatch(
        /a session window expects by to return an integer.*got|returned 'noon'/,
      )
      const strange = Window.session(1, 'second', own, { key: () => Symbol('no key') })
      expect(String(await rejection(src([1], { window: strange }).map(own).toArray()))).toMatch(/cannot hash Symbol/)
      expect(() => Window.session(0, 'second', own)).toThrow(/session: expected a whole number >= 1, got 0/)
      expect(() => Window.session(1, 'second', 5 as never)).toThrow(
        /expected by to be a function of an event, or the name of a property, got 5/,
      )
      expect(() => Window.session(1, 'second', own, { key: 5 as never })).toThrow(/expected key to be a function/)
    })
  })
})

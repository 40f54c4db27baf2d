import { type Ref, start } from 'sluice'
import { Flow, type TimeWindow, Window } from 'sluice/flow'
import { channels } from 'sluice/telemetry'
import type { Simulation } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Manual } from '../../support/flow-stages.ts'
import {
  add,
  append,
  gathered,
  inSimulation,
  isEven,
  list,
  numbers,
  rejection,
  src,
  told,
  zero,
} from '../../support/flows.ts'

const done = 'done'
const watermark = 'watermark'
const every = (count: number) => ({ every: count })
const hundred = numbers(1, 100)
/** The number itself is its time. */
const own = (x: number) => x
const ordered = Window.fixed(1, 'second', (x: number) => (x <= 50 ? x : 1000 + x))
const unordered = Window.fixed(1, 'second', (x: number) => (x <= 40 || x > 80 ? 0 : 2000))
const large = {}
const small = { maxDemand: 5, minDemand: 0 }
const one = { maxDemand: 1 }

/** A test whose events come from producers when it lets them; each event is its time, in windows of 10 ms unless said. */
const withProducers = (
  test: (
    sim: Simulation,
    producers: { readonly a: Ref<Manual>; readonly b: Ref<Manual> },
    run: (window?: typeof tens) => ReturnType<typeof gathered<readonly [readonly number[], unknown, unknown]>>,
  ) => Promise<void>,
): Promise<void> =>
  inSimulation(async (sim) => {
    const producers = { a: await start(Manual), b: await start(Manual) }
    await test(sim, producers, (window = tens) =>
      gathered(
        Flow.fromStages([producers.a, producers.b], { window })
          .reduce(list<number>, append)
          .onTrigger(told),
      ),
    )
  })
const tens = Window.fixed(10, 'millisecond', own)

describe('a fixed window', () => {
  it('F159 holds the events of an hour', async () => {
    await inSimulation(async () => {
      const words = [
        { word: 'x', at: 0 },
        { word: 'x', at: 1000 },
        { word: 'y', at: 60_000 },
        { word: 'z', at: 3_200_000 },
        { word: 'x', at: 4_000_000 },
        { word: 'y', at: 5_000_000 },
        { word: 'y', at: 6_000_000 },
      ]
      const counts = src(words, { window: Window.fixed(1, 'hour', 'at') })
        .reduce(
          (): { [word: string]: number } => ({}),
          ({ word }, counts) => ({ ...counts, [word]: (counts[word] ?? 0) + 1 }),
        )
        .onTrigger(told)
      expect(await counts.toArray()).toEqual([
        [{ x: 2, y: 1, z: 1 }, 0, done],
        [{ x: 1, y: 2 }, 3_600_000, done],
      ])
    })
  })

  it('takes the time from a date too', async () => {
    await inSimulation(async () => {
      const events = [{ at: new Date(999) }, { at: new Date(1000) }, { at: new Date(1001) }]
      for (const window of [Window.fixed(1, 'second', 'at'), Window.fixed(1, 'second', (e: { at: Date }) => e.at)]) {
        const counts = src(events, { window }).reduce(zero, (_, count) => count + 1)
        expect(await counts.onTrigger(told).toArray()).toEqual([
          [1, 0, done],
          [2, 1000, done],
        ])
      }
    })
  })

  it.each([
    ['many', large],
    ['few', small],
  ])('F160 closes when time has passed it, with %s events a batch', async (_, demand) => {
    await inSimulation(async () => {
      expect(
        await src(hundred, { window: ordered, ...demand })
          .reduce(zero, add)
          .emit('state')
          .toArray(),
      ).toEqual([1275, 3775])
    })
  })

  const fires = (...events: readonly (readonly [number, number])[]) => events.map(([sum, id]) => [sum, id, every(12)])

  it('F161 fires by its trigger', async () => {
    await inSimulation(async () => {
      const sums = src(hundred, { window: ordered.triggerEvery(12) })
        .reduce(zero, add)
        .onTrigger(told)
      expect(await sums.toArray()).toEqual([
        ...fires([78, 0], [300, 0], [666, 0], [1176, 0], [678, 1000], [1500, 1000], [2466, 1000], [3576, 1000]),
        [1275, 0, done],
        [3775, 1000, done],
      ])
    })
  })

  it('F162 closes between two batches', async () => {
    await inSimulation(async () => {
      const sums = src(hundred, { window: ordered.triggerEvery(12), ...small })
        .reduce(zero, add)
        .onTrigger(told)
      expect(await sums.toArray()).toEqual([
        ...fires([78, 0], [300, 0], [666, 0], [1176, 0]),
        [1275, 0, done],
        ...fires([678, 1000], [1500, 1000], [2466, 1000], [3576, 1000]),
        [3775, 1000, done],
      ])
    })
  })

  it('F163 fires by the clock while it is open', async () => {
    await inSimulation(async (sim) => {
      const source = await start(Manual)
      const window = ordered.triggerPeriodically(100, 'millisecond')
      const sums = Flow.fromStages([source], { window }).reduce(zero, add).onTrigger(told)
      const { events, done: ended } = gathered(sums)
      await sim.settle()
      source.cast.give(...hundred)
      await sim.advance(100)
      expect(events).toEqual([
        [1275, 0, done],
        [3775, 1000, { periodically: 100, unit: 'millisecond' }],
      ])
      source.cast.end('normal')
      await ended
    })
  })

  it('F164 takes late events in as long as the batch goes on', async () => {
    await inSimulation(async () => {
      const sums = src(hundred, { window: unordered }).reduce(zero, add)
      expect(await sums.emit('state').toArray()).toEqual([2630, 0, 2420])
    })
  })

  it('F165 drops what is late, and closes without events where there were none', async () => {
    await inSimulation(async () => {
      const sums = src(hundred, { window: unordered, ...small }).reduce(zero, add)
      expect(await sums.emit('state').toArray()).toEqual([820, 0, 2420])
    })
  })

  it('F166 fires by its trigger among windows that close', async () => {
    await inSimulation(async () => {
      const sums = src(hundred, { window: unordered.triggerEvery(12), ...small })
        .reduce(zero, add)
        .onTrigger(told)
      expect(await sums.toArray()).toEqual([
        ...fires([78, 0], [300, 0], [666, 0]),
        [820, 0, done],
        [0, 1000, done],
        ...fires([558, 2000], [1260, 2000], [2106, 2000]),
        [2420, 2000, done],
      ])
    })
  })

  it('F167 F168 with lateness fires when it is passed, and closes later', async () => {
    await inSimulation(async () => {
      const window = unordered.allowedLateness(1, 'hour')
      const sums = (demand: object) => src(hundred, { window, ...demand }).reduce(zero, add)
      expect(await sums(large).onTrigger(told).toArray()).toEqual([
        [2630, 0, watermark],
        [0, 1000, watermark],
        [2630, 0, done],
        [0, 1000, done],
        [2420, 2000, done],
      ])
      expect(await sums(small).emit('state').toArray()).toEqual([820, 0, 2630, 0, 2420])
    })
  })

  it('F169 closes those in between too', async () => {
    await inSimulation(async () => {
      const lists = src([0, 3000], { window: Window.fixed(1, 'second', own) }).reduce(list<number>, append)
      expect(await lists.onTrigger(told).toArray()).toEqual([
        [[0], 0, done],
        [[], 1000, done],
        [[], 2000, done],
        [[3000], 3000, done],
      ])
    })
  })

  it('F170 does not fire without any event', async () => {
    await inSimulation(async () => {
      const sums = src<number>([], { window: ordered }).reduce(zero, add).onTrigger(told)
      expect(await sums.toArray()).toEqual([])
    })
  })

  it.each([
    ['a fraction', 1.5, '1.5'],
    ['no number', Number.NaN, 'NaN'],
    ['a text', '2026-11-21', "'2026-11-21'"],
    ['nothing', undefined, 'undefined'],
    ['no date', new Date(Number.NaN), 'a Date'],
    ['a promise', Promise.resolve(1), 'a Promise'],
  ])('F171 refuses times that are %s', async (_, time, shown) => {
    await inSimulation(async () => {
      const by = (window: TimeWindow<number>) =>
        rejection(src([1], { window }).reduce(zero, add).emit('state').toArray())
      const error = await by(Window.fixed(1, 'second', () => time as number))
      expect(error).toMatchObject({ code: 'failed', cause: { code: 'bad_return' } })
      expect(String(error)).toContain(
        `expects by to return an integer, the time of an event in milliseconds, or a Date: by returned ${shown}`,
      )
    })
  })

  it('F171 names a property that has no time', async () => {
    await inSimulation(async () => {
      const events: readonly { readonly at: number }[] = [{ at: 'noon' as never }]
      const counted = src(events, { window: Window.fixed(1, 'second', 'at') }).reduce(zero, (_, count) => count + 1)
      expect(String(await rejection(counted.emit('state').toArray()))).toMatch(/the property at of an event is 'noon'/)
    })
  })

  it('refuses a leap in time over a million windows', async () => {
    await inSimulation(async () => {
      const lists = src([0, 1_763_700_000_000], { window: Window.fixed(1, 'second', own) }).reduce(zero, add)
      expect(String(await rejection(lists.emit('nothing').toArray()))).toMatch(
        /from 0 to 1763700000000, over 1763700000 fixed windows of which each would close/,
      )
    })
  })

  it('F172 goes by the floor, also before 1970', async () => {
    await inSimulation(async () => {
      const window = Window.fixed(1, 'second', own)
      const lists = src([-1500, -500, 500], { window }).reduce(list<number>, append)
      expect(await lists.onTrigger(told).toArray()).toEqual([
        [[-1500], -2000, done],
        [[-500], -1000, done],
        [[500], 0, done],
      ])
    })
  })

  it('F173 with lateness opens no window for late events, unless told to', async () => {
    await inSimulation(async () => {
      const window = Window.fixed(1, 'second', own)
      const lists = (with_: typeof window) =>
        src([5000, 1000], { window: with_, ...one })
          .reduce(list<number>, append)
          .onTrigger(told)
          .toArray()
      expect(await lists(window.allowedLateness(1, 'hour'))).toEqual([[[5000], 5000, done]])
      expect(await lists(window.allowedLateness(1, 'hour', { openLate: true }))).toEqual([
        [[1000], 1000, watermark],
        [[1000], 1000, done],
        [[5000], 5000, done],
      ])
    })
  })

  it('F174 with lateness closes when the time for late events is over', async () => {
    await inSimulation(async (sim) => {
      const source = await start(Manual)
      const window = Window.fixed(1, 'second', own).allowedLateness(50, 'millisecond')
      const lists = Flow.fromStages([source], { window })
        .reduce(list<number>, append)
        .onTrigger(told)
      const { events, done: ended } = gathered(lists)
      await sim.settle()
      for (const time of [1000, 5000]) source.cast.give(time)
      await sim.settle()
      const passed = [
        [[1000], 1000],
        [[], 2000],
        [[], 3000],
        [[], 4000],
      ]
      expect(events).toEqual(passed.map(([all, id]) => [all, id, watermark]))
      await sim.advance(49)
      expect(events).toHaveLength(4)
      await sim.advance(101)
      expect(events.slice(4)).toEqual(passed.map(([all, id]) => [all, id, done]))
      for (const time of [1000, 6000]) source.cast.give(time)
      await sim.settle()
      expect(events.slice(8)).toEqual([[[5000], 5000, watermark]])
      source.cast.end('normal')
      await ended
      expect(events.slice(9)).toEqual([
        [[5000], 5000, done],
        [[6000], 6000, done],
      ])
    })
  })

  it('with lateness takes late events in, and what onTrigger made of the accumulator', async () => {
    await inSimulation(async (sim) => {
      const source = await start(Manual)
      const window = Window.fixed(1, 'second', own).allowedLateness(50, 'millisecond')
      const lists = Flow.fromStages([source], { window })
        .reduce(list<number>, append)
        .onTrigger((all, _, { id, trigger }) => [[[all, id, trigger]], []])
      const { events, done: ended } = gathered(lists)
      await sim.settle()
      for (const time of [1000, 2000, 1001]) source.cast.give(time)
      await sim.advance(50)
      expect(events).toEqual([
        [[1000], 1000, watermark],
        [[1001], 1000, done],
      ])
      source.cast.end('normal')
      await ended
    })
  })

  it('opens late windows only as long as lateness allows', async () => {
    await inSimulation(async (sim) => {
      const source = await start(Manual)
      const window = Window.fixed(1, 'second', own).allowedLateness(50, 'millisecond', { openLate: true })
      const lists = Flow.fromStages([source], { window })
        .reduce(list<number>, append)
        .onTrigger(told)
      const { events, done: ended } = gathered(lists)
      await sim.settle()
      for (const time of [5000, 3000]) source.cast.give(time)
      await sim.advance(50)
      for (const time of [3001, 2000]) source.cast.give(time)
      await sim.settle()
      source.cast.end('normal')
      await ended
      expect(events).toEqual([
        [[3000], 3000, watermark],
        [[3000], 3000, done],
        [[5000], 5000, done],
      ])
    })
  })

  it('F175 goes together with mapBatch', async () => {
    await inSimulation(async () => {
      const sums = src([1, 2, 1001], { window: Window.fixed(1, 'second', own) })
        .mapBatch((events) => events.map((x) => x + 1))
        .reduce(zero, add)
      expect(await sums.onTrigger(told).toArray()).toEqual([
        [5, 0, done],
        [1002, 1000, done],
      ])
    })
  })

  it('F176 of a step without a reducer drops what is late', async () => {
    await inSimulation(async () => {
      const events = [
        { id: 1, at: 0 },
        { id: 2, at: 5000 },
        { id: 3, at: 0 },
      ]
      const ids = src(events, { window: Window.fixed(1, 'second', 'at'), ...one }).map(({ id }) => id)
      expect(await ids.toArray()).toEqual([1, 2])
    })
  })

  it('F181 emits at once what emitAndReduce does, and closes behind it', async () => {
    await inSimulation(async () => {
      const seen = src([1, 2, 1001, 2001], { window: Window.fixed(1, 'second', own) })
        .emitAndReduce(zero, (x, count) => [[x], count + 1])
        .onTrigger((count, _, { id }) => [[`${count} at ${id}`], count])
      expect(await seen.toArray()).toEqual([1, 2, 1001, 2001, '2 at 0', '1 at 1000', '1 at 2000'])
    })
  })

  it('F182 shows a trigger runs of events of one window, each window its own state', async () => {
    await inSimulation(async () => {
      const calls: unknown[] = []
      const window = Window.fixed(1, 'second', own).trigger(zero, (events, seen) => {
        calls.push([events, seen])
        return { state: seen + events.length }
      })
      await src([1, 2, 1001, 3, 1002], { window }).reduce(zero, add).emit('state').run()
      expect(calls).toEqual([
        [[1, 2], 0],
        [[1001], 0],
        [[3], 2],
        [[1002], 1],
      ])
    })
  })

  it('F183 loses nothing between many stages', async () => {
    await inSimulation(async () => {
      const sums = await Flow.from(hundred, { stages: 4, maxDemand: 3 })
        .map((x) => x)
        .partition({ stages: 4, maxDemand: 7, window: Window.fixed(1, 'second', own) })
        .reduce(zero, add)
        .emit('state')
        .toArray()
      expect(sums.reduce((sum, each) => sum + each, 0)).toBe(5050)
    })
  })

  it('F94 holds the events of two flows', async () => {
    await inSimulation(async () => {
      const odd = src(hundred)
        .reject(isEven)
        .map((x) => x * 2)
      const even = src(hundred)
        .filter(isEven)
        .map((x) => x * 2)
      const window = Window.fixed(1, 'second', (x: number) => (x <= 100 ? 0 : 1000))
      const sums = Flow.shuffle([odd, even], { stages: 1, window }).reduce(zero, add).emit('state')
      expect(await sums.toArray()).toEqual([2550, 7550])
    })
  })
})

describe('fixed windows of several producers', () => {
  it('F177 close when all have passed them', async () => {
    await withProducers(async (sim, { a, b }, run) => {
      const { events, done: ended } = run()
      const give = async (from: Ref<Manual>, ...times: readonly number[]) => {
        const before = events.length
        from.cast.give(...times)
        await sim.settle()
        return events.slice(before)
      }
      await sim.settle()
      expect(await give(a, 1, 25)).toEqual([])
      expect(await give(b, 12)).toEqual([[[1], 0, done]])
      expect(await give(b, 3)).toEqual([])
      expect(await give(a, 14)).toEqual([])
      expect(await give(b, 22)).toEqual([[[12, 14], 10, done]])
      a.cast.end('normal')
      await sim.settle()
      expect(events).toHaveLength(2)
      expect(await give(b, 35)).toEqual([[[25, 22], 20, done]])
      b.cast.end('normal')
      await ended
      expect(events.at(-1)).toEqual([[35], 30, done])
      expect(events).toHaveLength(4)
    })
  })

  it('F178 are held up by a silent one, until it ends', async () => {
    await withProducers(async (sim, { a, b }, run) => {
      const { events, done: ended } = run()
      await sim.settle()
      a.cast.give(1, 25, 45)
      await sim.settle()
      expect(events).toEqual([])
      b.cast.end('normal')
      await sim.settle()
      const closed = [
        [[1], 0, done],
        [[], 10, done],
        [[25], 20, done],
        [[], 30, done],
      ]
      expect(events).toEqual(closed)
      a.cast.give(46)
      await sim.settle()
      expect(events).toEqual(closed)
      a.cast.end('normal')
      await ended
      expect(events.at(-1)).toEqual([[45, 46], 40, done])
    })
  })

  it('F179 are not opened by what is behind its own producer', async () => {
    await withProducers(async (sim, { a, b }, run) => {
      const { events, done: ended } = run()
      await sim.settle()
      for (const [from, time] of [
        [a, 5],
        [b, 35],
        [b, 15],
        [a, 16],
      ] as const) {
        from.cast.give(time)
        await sim.settle()
      }
      expect(events).toEqual([[[5], 0, done]])
      b.cast.give(17)
      await sim.settle()
      a.cast.end('normal')
      b.cast.end('normal')
      await ended
      expect(events.slice(1)).toEqual([
        [[16, 17], 10, done],
        [[], 20, done],
        [[35], 30, done],
      ])
    })
  })

  it('F180 fire by a message, those that are open, also when nothing has changed', async () => {
    await inSimulation(async (sim) => {
      const source = await start(Manual)
      const silent = await start(Manual)
      let fire = (_name: string): void => {}
      const lists = Flow.fromStages([source, silent], { window: tens })
        .reduce((context) => {
          fire = context.trigger
          return list<number>()
        }, append)
        .onTrigger(told)
      const { events, done: ended } = gathered(lists)
      await sim.settle()
      source.cast.give(35, 1)
      await sim.settle()
      expect(events).toEqual([])
      fire('look')
      await sim.settle()
      const seen = [[[35], 30, 'look']]
      expect(events).toEqual(seen)
      silent.cast.give(5)
      await sim.settle()
      fire('again')
      await sim.settle()
      expect(events.slice(1)).toEqual([
        [[5], 0, 'again'],
        [[35], 30, 'again'],
      ])
      fire('and again')
      await sim.settle()
      expect(events.slice(3)).toEqual([
        [[5], 0, 'and again'],
        [[35], 30, 'and again'],
      ])
      source.cast.end('normal')
      silent.cast.end('normal')
      await ended
    })
  })
})

describe('late events', () => {
  it('are told to telemetry, and to the log once a second', async () => {
    const heard: object[] = []
    const listen = (message: object): void => void heard.push(message)
    channels.flowLate.subscribe(listen)
    try {
      await withProducers(async (sim, { a, b }, run) => {
        const { done: ended } = run()
        await sim.settle()
        b.cast.end('normal')
        await sim.settle()
        const warnings = () => sim.logs.filter(({ level }) => level === 'warn').map(({ message }) => message)
        const give = async (...times: readonly number[]) => {
          a.cast.give(...times)
          await sim.advance(1)
        }
        await give(50)
        await give(1, 2, 51, 3)
        expect(heard).toEqual([
          expect.objectContaining({ window: 'fixed', events: 2 }),
          expect.objectContaining({ window: 'fixed', events: 1 }),
        ])
        expect(warnings()).toEqual([expect.stringMatching(/dropped 3 late events: their fixed windows were over/)])
        await give(4)
        await give(5)
        expect(warnings()).toHaveLength(1)
        await sim.advance(1000)
        expect(warnings().slice(1)).toEqual([expect.stringContaining('dropped 2 late events')])
        await give(6)
        a.cast.end('normal')
        await ended
        await sim.settle()
        expect(warnings().slice(2)).toEqual([expect.stringContaining('dropped 1 late event')])
      })
    } finally {
      channels.flowLate.unsubscribe(listen)
    }
  })
})

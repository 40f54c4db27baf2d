import { start } from 'sluice'
import { Flow, type FlowStage, Window, type WindowInfo } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { Manual } from '../../support/flow-stages.ts'
import {
  add,
  append,
  double,
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

const everyTen = Window.global().triggerEvery(10)
const done = 'done'
const every = (count: number) => ({ every: count })
const plusOne = (x: number) => x + 1

describe.each([
  ['in one batch', {}],
  ['in batches of 3', { maxDemand: 5 }],
])('triggerEvery, of events %s,', (_, demand) => {
  const hundred = src(numbers(1, 100)).partition({ stages: 1, window: everyTen, ...demand })

  it('F135 fires after so many events, and goes on accumulating', async () => {
    await inSimulation(async () => {
      const sums = await hundred.reduce(zero, add).emit('state').toArray()
      expect(sums).toEqual([55, 210, 465, 820, 1275, 1830, 2485, 3240, 4095, 5050, 5050])
    })
  })

  it('F136 begins anew when onTrigger says so', async () => {
    await inSimulation(async () => {
      const sums = await hundred
        .reduce(zero, add)
        .onTrigger((sum) => [[sum], 0])
        .toArray()
      expect(sums).toEqual([55, 155, 255, 355, 455, 555, 655, 755, 855, 955, 0])
    })
  })

  it('F137 tells its name', async () => {
    await inSimulation(async () => {
      const names = await hundred
        .reduce(zero, add)
        .onTrigger((sum, _stage, { type, id, trigger }) => [[{ type, id, trigger, sum }], 0])
        .toArray()
      const global = { type: 'global', id: 'global' }
      expect(names.slice(0, -1).map(({ sum: _sum, ...info }) => info)).toEqual(
        Array.from({ length: 10 }, () => ({ ...global, trigger: every(10) })),
      )
      expect(names.at(-1)).toEqual({ ...global, trigger: done, sum: 0 })
    })
  })
})

describe('triggerEvery', () => {
  it('F138 counts over batches', async () => {
    await inSimulation(async () => {
      const window = Window.global().triggerEvery(5)
      const lists = src(numbers(1, 7), { window, maxDemand: 2, minDemand: 0 }).reduce(list<number>, append)
      expect(await lists.onTrigger((all, _, { trigger }) => [[[all, trigger]], []]).toArray()).toEqual([
        [[1, 2, 3, 4, 5], every(5)],
        [[6, 7], done],
      ])
    })
  })

  it('F140 counts events that a filter then drops', async () => {
    await inSimulation(async () => {
      const window = Window.global().triggerEvery(3)
      const lists = src(numbers(1, 6), { window })
        .filter(isEven)
        .reduce(list<number>, append)
      expect(await lists.onTrigger(told).toArray()).toEqual([
        [[2], 'global', every(3)],
        [[2, 4, 6], 'global', every(3)],
        [[2, 4, 6], 'global', done],
      ])
    })
  })

  it('F141 counts what mapBatch gives', async () => {
    await inSimulation(async () => {
      const sums = src(numbers(1, 4), { window: Window.global().triggerEvery(2) })
        .mapBatch((events) => [events.reduce((sum, event) => sum + event, 0)])
        .reduce(zero, add)
      expect(await sums.onTrigger(told).toArray()).toEqual([[10, 'global', done]])
    })
  })

  it('F147 fires behind the events that led to it', async () => {
    await inSimulation(async () => {
      const events = src(numbers(1, 4), { window: Window.global().triggerEvery(2) })
        .emitAndReduce(zero, (x, sum) => [[`event ${x}`], sum + x])
        .onTrigger((sum, _, { trigger }) => [[trigger === done ? `done ${sum}` : `fired ${sum}`], sum])
      expect(await events.toArray()).toEqual([
        'event 1',
        'event 2',
        'fired 3',
        'event 3',
        'event 4',
        'fired 10',
        'done 10',
      ])
    })
  })

  it('F101 does not emit again what uniq alone has let through', async () => {
    await inSimulation(async () => {
      const unique = src([1, 2, 1, 3, 4], { window: Window.global().triggerEvery(2) }).uniq()
      expect(await unique.toArray()).toEqual([1, 2, 3, 4])
    })
  })

  it('waits for a trigger that is async before it goes on', async () => {
    await inSimulation(async () => {
      const later = src(numbers(1, 4), { window: Window.global().triggerEvery(2) })
        .reduce(zero, add)
        .onTrigger(async (sum) => [[sum], 0])
      expect(await later.toArray()).toEqual([3, 7, 0])
    })
  })

  it('begins groups anew, also when the trigger empties the map that it was shown', async () => {
    await inSimulation(async () => {
      const groups = src(numbers(1, 4), { window: Window.global().triggerEvery(2) })
        .groupBy(isEven)
        .onTrigger((seen) => {
          const shown = [...seen.values()].flat()
          seen.clear()
          return [[shown], seen]
        })
      expect(await groups.toArray()).toEqual([[1, 2], [3, 4], []])
    })
  })
})

describe('a trigger of the user', () => {
  it('F139 sees events as they arrive, before the operations', async () => {
    await inSimulation(async () => {
      const seen: (readonly number[])[] = []
      const window = Window.global<number>().trigger(zero, (events, state) => {
        seen.push(events)
        return { state }
      })
      const sums = src(numbers(1, 10), { window }).map(plusOne).map(double).reduce(zero, add).emit('state')
      expect(await sums.toArray()).toEqual([130])
      expect(seen).toEqual([numbers(1, 10)])
    })
  })

  it('F142 may take other events instead', async () => {
    await inSimulation(async () => {
      const window = Window.global<number>().trigger(zero, (events, state) => ({
        events: events.filter((x) => !isEven(x)),
        state,
      }))
      expect(
        await src(numbers(1, 5), { window })
          .reduce(list<number>, append)
          .toArray(),
      ).toEqual([1, 3, 5])
    })
  })

  it('F143 is asked again after it fired, also with no events', async () => {
    await inSimulation(async () => {
      const seen: (readonly number[])[] = []
      const window = Window.global<number>().trigger(zero, (events, fired) => {
        seen.push(events)
        return fired === 0 ? { trigger: 'once', pre: events, post: [], state: 1 } : { state: fired }
      })
      expect(await src([1, 2], { window }).reduce(zero, add).onTrigger(told).toArray()).toEqual([
        [3, 'global', 'once'],
        [3, 'global', done],
      ])
      expect(seen).toEqual([[1, 2], []])
    })
  })

  it('F144 may use events twice, or others in their place', async () => {
    await inSimulation(async () => {
      const letters = ['a', 'b', 'c', 'a', 'b', 'c']
      const pairs = (instead?: (pair: readonly string[]) => readonly string[]) =>
        Window.global<string>().trigger(
          () => [] as readonly string[],
          (events, kept) => {
            const all = [...kept, ...events]
            if (all.length < 2) return { events: [], state: all }
            const pair = all.slice(0, 2)
            return { trigger: 'pair', pre: instead?.(pair) ?? pair, post: all.slice(1), state: [] }
          },
        )
      const texts = (window: ReturnType<typeof pairs>) =>
        src(letters, { window, maxDemand: 4 })
          .reduce(list<string>, append)
          .onTrigger((all) => [[all.join('')], []])
          .toArray()
      expect(await texts(pairs())).toEqual(['ab', 'bc', 'ca', 'ab', 'bc', ''])
      const replaced = pairs((pair) => (pair.join('') === 'ca' ? ['elixir'] : pair))
      expect(await texts(replaced)).toEqual(['ab', 'bc', 'elixir', 'ab', 'bc', ''])
    })
  })

  it('has a state for each window', async () => {
    await inSimulation(async () => {
      let made = 0
      const window = Window.count<number>(2).trigger(
        () => {
          made++
          return 0
        },
        (events, seen) => ({ events, state: seen + events.length }),
      )
      expect(await src(numbers(1, 5), { window }).reduce(zero, add).emit('state').toArray()).toEqual([3, 7, 5])
      expect(made).toBe(3)
    })
  })

  it.each([
    ['nothing', undefined, 'undefined'],
    ['no state', { events: [1] }, '{ events: an array of 1 }'],
    ['no events after it', { trigger: 'x', pre: [], state: 0 }, "{ trigger: 'x', pre: an empty array, state: 0 }"],
    ['events that are none', { events: 3, state: 0 }, '{ events: 3, state: 0 }'],
    ['a promise', Promise.resolve({ state: 0 }), 'a Promise'],
  ])('is told what it must return when it returns %s', async (_, decision, shown) => {
    await inSimulation(async () => {
      const window = Window.global<number>().trigger(zero, () => decision as never)
      const error = await rejection(src([1], { window }).reduce(zero, add).emit('state').toArray())
      const message = `a trigger returned ${shown}, expected { state }, { events, state } or { trigger, pre, post, state }`
      expect(error).toMatchObject({ code: 'failed', cause: { code: 'bad_return' } })
      expect(String(error)).toContain(message)
    })
  })

  it.each(['done', 'watermark', 7])('cannot have the name %s', async (name) => {
    await inSimulation(async () => {
      const window = Window.global<number>().trigger(zero, (events, state) => ({
        trigger: name as string,
        pre: events,
        post: [],
        state,
      }))
      const error = await rejection(src([1], { window }).reduce(zero, add).emit('state').toArray())
      expect(String(error)).toMatch(/a trigger was given the name .*: expected another text, or an object/)
    })
  })

  it('that never ends fails', async () => {
    await inSimulation(async () => {
      const window = Window.global<number>().trigger(zero, (events, state) => ({
        trigger: 'again',
        pre: [],
        post: events,
        state,
      }))
      const error = await rejection(src([1], { window }).reduce(zero, add).emit('nothing').toArray())
      expect(String(error)).toMatch(/fired 1000 times and used up none of its events/)
    })
  })
})

describe('triggerPeriodically', () => {
  it('F145 fires after some time without events', async () => {
    await inSimulation(async (sim) => {
      const numbersSoFar = await start(Manual)
      const window = Window.global().triggerPeriodically(100, 'millisecond')
      const sums = Flow.fromStages([numbersSoFar], { window }).map(double).reduce(zero, add).onTrigger(told)
      const { events, done: ended } = gathered(sums)
      await sim.settle()
      numbersSoFar.cast.give(...numbers(1, 10))
      await sim.advance(99)
      expect(events).toEqual([])
      await sim.advance(1)
      const periodically = { periodically: 100, unit: 'millisecond' }
      expect(events).toEqual([[110, 'global', periodically]])
      // Nothing has changed, and it fires.
      await sim.advance(100)
      expect(events).toEqual([
        [110, 'global', periodically],
        [110, 'global', periodically],
      ])
      numbersSoFar.cast.end('normal')
      await ended
      expect(events.slice(2)).toEqual([[110, 'global', done]])
      await sim.advance(1000)
      expect(events).toHaveLength(3)
    })
  })

  it('F149 fires no more after done, also when nobody takes the events', async () => {
    await inSimulation(async (sim) => {
      const window = Window.global().triggerPeriodically(10, 'millisecond')
      let fired: unknown[] = []
      const sums = src(numbers(1, 3), { window })
        .reduce(zero, add)
        .onTrigger((sum, _, { trigger }) => {
          fired.push(trigger)
          return [numbers(1, 20), sum]
        })
      const reading = sums.stream({ maxDemand: 1, minDemand: 0 })[Symbol.asyncIterator]()
      expect(await reading.next()).toEqual({ done: false, value: 1 })
      await sim.settle()
      expect(fired).toEqual([done])
      fired = []
      await sim.advance(1000)
      expect(fired).toEqual([])
      await reading.return?.()
    })
  })

  it('F150 takes milliseconds, seconds, minutes and hours, and may be given twice', async () => {
    await inSimulation(async (sim) => {
      const silent = await start(Manual)
      const window = Window.global()
        .triggerPeriodically(10, 'hour')
        .triggerPeriodically(10, 'minute')
        .triggerPeriodically(10, 'second')
        .triggerPeriodically(500, 'millisecond')
      const names = Flow.fromStages([silent], { window })
        .reduce(zero, add)
        .onTrigger((sum, _, { trigger }) => [[trigger], sum])
      const { events, done: ended } = gathered(names)
      const seen = () => events.map((name) => Object(name).unit)
      await sim.advance(500)
      expect(seen()).toEqual(['millisecond'])
      const at = async (ms: number) => {
        await sim.advance(ms - sim.now)
        return seen()
      }
      const secondsAt = await at(10_000)
      expect(secondsAt).toHaveLength(21)
      expect(secondsAt).toContain('second')
      expect(await at(599_999)).not.toContain('minute')
      expect(await at(600_000)).toContain('minute')
      silent.cast.end('normal')
      await ended
    })
  })

  it('F150 an hour has 3,600,000 ms', async () => {
    await inSimulation(async (sim) => {
      const silent = await start(Manual)
      const window = Window.global().triggerPeriodically(10, 'hour')
      const flow = Flow.fromStages([silent], { window }).reduce(zero, add).onTrigger(told)
      const { events, done: ended } = gathered(flow)
      await sim.advance(35_999_999)
      expect(events).toEqual([])
      await sim.advance(1)
      expect(events).toEqual([[0, 'global', { periodically: 10, unit: 'hour' }]])
      silent.cast.end('normal')
      await ended
    })
  })

  it('goes together with a trigger that looks at events', async () => {
    await inSimulation(async (sim) => {
      const source = await start(Manual)
      const window = Window.global().triggerEvery(2).triggerPeriodically(1, 'second')
      const names = Flow.fromStages([source], { window })
        .reduce(zero, add)
        .onTrigger((sum, _, { trigger }) => [[[sum, trigger]], 0])
      const { events, done: ended } = gathered(names)
      await sim.settle()
      source.cast.give(1, 2, 3)
      await sim.advance(1000)
      source.cast.give(4)
      await sim.settle()
      source.cast.end('normal')
      await ended
      expect(events).toEqual([
        [3, every(2)],
        [3, { periodically: 1, unit: 'second' }],
        [4, every(2)],
        [0, done],
      ])
    })
  })
})

describe('a trigger by message', () => {
  const info = (sum: number, { index, total }: FlowStage, { type, id, trigger }: WindowInfo) =>
    [[[sum, { index, total }, { type, id, trigger }]], sum] as const

  it('F146 is sent by who makes the accumulator, after some time', async () => {
    await inSimulation(async (sim) => {
      const source = await start(Manual)
      const sums = Flow.fromStages([source])
        .map(double)
        .reduce((context) => {
          context.triggerAfter(200, 'sample')
          return 0
        }, add)
        .onTrigger(info)
      const { events, done: ended } = gathered(sums)
      await sim.settle()
      source.cast.give(...numbers(1, 10))
      await sim.advance(199)
      expect(events).toEqual([])
      await sim.advance(1)
      expect(events).toEqual([[110, { index: 0, total: 1 }, { type: 'global', id: 'global', trigger: 'sample' }]])
      source.cast.end('normal')
      await ended
    })
  })

  it('can be sent by a reducer, and fires behind the batch in hand', async () => {
    await inSimulation(async () => {
      const sums = src([1, 2, 3, 4], { maxDemand: 2, minDemand: 0 })
        .reduce(
          ({ trigger }) => ({ sum: 0, trigger }),
          (x, { sum, trigger }) => {
            if (x === 1) trigger({ after: x })
            return { sum: sum + x, trigger }
          },
        )
        .onTrigger((state, _, { trigger }) => [[[state.sum, trigger]], state])
      expect(await sums.toArray()).toEqual([
        [3, { after: 1 }],
        [10, done],
      ])
    })
  })

  it('is forgotten when the input ends before', async () => {
    await inSimulation(async (sim) => {
      const sums = src([1, 2])
        .reduce((context) => {
          context.triggerAfter(1000, 'late')
          return 0
        }, add)
        .onTrigger(told)
      expect(await sums.toArray()).toEqual([[3, 'global', done]])
      expect(sim.now).toBe(0)
    })
  })

  it('refuses what is no name, and what is no time', async () => {
    await inSimulation(async () => {
      const failing = async (act: (context: { triggerAfter(ms: never, name: never): void }) => void) =>
        String(
          await rejection(
            src([1])
              .reduce((context) => {
                act(context)
                return 0
              }, add)
              .emit('state')
              .toArray(),
          ),
        )
      expect(await failing((context) => context.triggerAfter('soon' as never, 'x' as never))).toMatch(
        /triggerAfter: expected milliseconds, a number >= 0, got 'soon'/,
      )
      expect(await failing((context) => context.triggerAfter(1 as never, 'done' as never))).toMatch(
        /triggerAfter was given the name 'done', which is what windows say/,
      )
    })
  })
})

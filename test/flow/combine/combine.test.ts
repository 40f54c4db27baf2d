import fc from 'fast-check'
import { none } from 'sluice'
import { type AnyFlow, Flow, FlowError, Window } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { definitionOf } from '../../../src/flow/any-flow.ts'
import { planFlow } from '../../../src/flow/plan.ts'
import { startFlow } from '../../../src/flow/run-flow.ts'
import { stablePartition } from '../../../src/otp/stable-hash.ts'
import { currentRuntime } from '../../../src/process/runtime.ts'
import { add, inSimulation, numbers, rejection, sorted, src } from '../../support/flows.ts'
import { randomFlow } from '../../support/random-flow.ts'

type Counts = Map<number, number>
const counted = (n: number, counts: Counts): Counts => counts.set(n % 7, (counts.get(n % 7) ?? 0) + 1)
const together = (counts: Counts, others: Counts): Counts => {
  for (const [key, count] of others) counts.set(key, (counts.get(key) ?? 0) + count)
  return counts
}
const counts = (): Counts => new Map()
const pairs = <K, V>(events: readonly (readonly [K, V])[]) =>
  JSON.stringify(events.toSorted(([a], [b]) => (a < b ? -1 : 1)))

/** Runs a flow whose reducers are all combined, as those are whose stages are in several threads. */
async function combinedAll<T>(flow: AnyFlow<T>): Promise<readonly T[]> {
  const plan = planFlow(definitionOf(flow), { kind: 'consumers', output: 'events' }, { combineAll: true })
  const all: unknown[] = []
  const sink = (events: readonly unknown[]): void => void all.push(...events)
  const coordinator = await startFlow(currentRuntime().main, false, { plan, sink })
  expect(await coordinator.done).toBe('normal')
  return all as readonly T[]
}

/** How many events the stages of the last step got. */
async function arrivals(flow: AnyFlow<unknown>, last = 1): Promise<number> {
  let arrived = 0
  const watched = planFlow(definitionOf(flow), { kind: 'consumers', output: 'events' })
  const groups = watched.groups.map((group, place) =>
    group.kind === 'layer' && place === watched.groups.length - last
      ? {
          ...group,
          step: {
            ...group.step,
            operations: group.step.operations.map((operation) =>
              operation.kind === 'reduce'
                ? {
                    ...operation,
                    run: (event: unknown, state: unknown) => {
                      arrived++
                      return operation.run(event, state)
                    },
                  }
                : operation,
            ),
          },
        }
      : group,
  )
  const coordinator = await startFlow(currentRuntime().main, false, { plan: { ...watched, groups }, sink: () => {} })
  await coordinator.done
  return arrived
}

describe('a reducer that combines', () => {
  const flow = (combine?: (counts: Counts, others: Counts) => Counts) =>
    Flow.fromAll([numbers(1, 3000), numbers(1, 2000)], { stages: 2 })
      .map((n) => n)
      .partition({ stages: 2, key: (n) => n % 7 })
      .reduce(counts, counted, { combine })

  it('gives what it gives without', async () => {
    await inSimulation(async () => {
      expect(pairs(await flow(together).toArray())).toBe(pairs(await flow().toArray()))
    })
  })

  it('gets accumulators instead of events', async () => {
    await inSimulation(async () => {
      expect(await arrivals(flow())).toBe(5000)
      // Of two stages for two others.
      expect(await arrivals(flow(together))).toBe(4)
    })
  })

  it('is sent what came so far from an endless flow', async () => {
    await inSimulation(async (sim) => {
      const seen: number[] = []
      async function* slow() {
        yield* [1, 2, 3]
        await new Promise<never>(() => {})
      }
      const stop = new AbortController()
      const done = Flow.from(slow(), { maxDemand: 1 })
        .shuffle({ window: Window.global<number>().triggerPeriodically(1, 'second') })
        .reduce(() => 0, add, { combine: (a, b) => a + b })
        .onTrigger((sum) => [[sum], sum])
        .forEach((sum) => void seen.push(sum), { signal: stop.signal })
      await sim.advance(1500, { foreign: true })
      expect(seen).toEqual([6])
      stop.abort()
      await rejection(done)
    })
  })

  it('has a hash replace and drop events before', async () => {
    await inSimulation(async () => {
      const hashed = src(numbers(1, 6))
        .partition({ stages: 2, hash: (n) => (n % 2 === 0 ? [n * 100, 0] : none) })
        .reduce(() => 0, add, { combine: (a, b) => a + b })
        .onTrigger((sum, { index }) => [[{ index, sum }], sum])
      expect((await hashed.toArray()).toSorted((a, b) => a.index - b.index)).toEqual([
        { index: 0, sum: 1200 },
        { index: 1, sum: 0 },
      ])
    })
  })

  it('fails for a hash that names a partition that is not there', async () => {
    await inSimulation(async () => {
      const wrong = src([1])
        .partition({ stages: 2, hash: () => 7 })
        .reduce(() => 0, add, { combine: (a, b) => a + b })
        .emit('state')
      expect(String(((await rejection(wrong.toArray())) as Error).message)).toContain('7')
    })
  })

  it('may be in windows of time, where each event is sent', async () => {
    await inSimulation(async () => {
      const windowed = src(numbers(1, 30))
        .partition({ stages: 2, key: (n) => n % 7, window: Window.fixed(10, 'millisecond', (n: number) => n) })
        .reduce(() => 0, add, { combine: (a, b) => a + b })
        .onTrigger((sum, _stage, { id }) => [[[Number(id), sum] as const], sum])
      const sums = new Map<number, number>()
      for (const [id, sum] of await windowed.toArray()) sums.set(id, (sums.get(id) ?? 0) + sum)
      expect([...sums].sort(([a], [b]) => a - b)).toEqual([
        [0, 45],
        [10, 145],
        [20, 245],
        [30, 30],
      ])
    })
  })

  it.each<[string, Window<number> | ReturnType<Window<number>['triggerEvery']>]>([
    ['a count window', Window.count(2)],
    ['a periodic window', Window.periodic(1, 'second')],
    ['a session window', Window.session(1, 'second', (n: number) => n)],
    ['a trigger that counts events', Window.global<number>().triggerEvery(2)],
  ])('is refused in %s', async (_what, window) => {
    const flow = src([1])
      .partition({ window })
      .reduce(() => 0, add, { combine: add })
      .emit('state')
    const error = await rejection(flow.toArray())
    expect(error).toMatchObject({
      code: 'bad_flow',
      message: expect.stringContaining('leave out combine, or use a global or fixed window'),
    })
  })

  it('refuses what is no function, and options it does not have', () => {
    expect(() => src([1]).reduce(() => 0, add, { combine: 5 as never })).toThrow(
      'combine of reduce: expected a function, got 5',
    )
    expect(() => src([1]).reduce(() => 0, add, { conbine: add } as never)).toThrow(
      'reduce has no option conbine; known is combine',
    )
    expect(() => src([1]).reduce(() => 0, add, 5 as never)).toThrow(FlowError)
  })
})

describe('countBy and sumBy', () => {
  it('give a number for each key', async () => {
    await inSimulation(async () => {
      const words = src(['a', 'bb', 'a', 'cc'])
      expect(await words.countBy().toMap()).toEqual(
        new Map([
          ['a', 2],
          ['bb', 1],
          ['cc', 1],
        ]),
      )
      expect(await words.countBy((word) => word.length).toMap()).toEqual(
        new Map([
          [1, 2],
          [2, 2],
        ]),
      )
      expect(
        await words
          .sumBy(
            (word) => word,
            (word) => word.length,
          )
          .toMap(),
      ).toEqual(
        new Map([
          ['a', 2],
          ['bb', 2],
          ['cc', 2],
        ]),
      )
      expect(await words.countBy((word) => [word.length, 'x']).toArray()).toEqual([
        [[1, 'x'], 2],
        [[2, 'x'], 2],
      ])
    })
  })

  it('show a trigger a map, and go on with the one that it gives', async () => {
    await inSimulation(async () => {
      const window = Window.global<number>().triggerEvery(2)
      const flow = src([1, 1, 2, 1], { window }).countBy()
      const kept = flow.onTrigger((map) => [[[...map]], map])
      expect(await kept.toArray()).toEqual([
        [[1, 2]],
        [
          [1, 3],
          [2, 1],
        ],
        [
          [1, 3],
          [2, 1],
        ],
      ])
      const begun = flow.onTrigger((map) => [[[...map]], new Map([[9, 9]])])
      expect(await begun.toArray()).toEqual([
        [[1, 2]],
        [
          [9, 9],
          [2, 1],
          [1, 1],
        ],
        [[9, 9]],
      ])
    })
  })

  it('refuse what is no function, and stand where reducers may', () => {
    expect(() => src([1]).countBy(5 as never)).toThrow('countBy: expected a function, got 5')
    expect(() => src([1]).sumBy(add as never, 5 as never)).toThrow('sumBy: expected a function, got 5')
    expect(() =>
      src([1])
        .countBy()
        .countBy(undefined as never),
    ).toThrow('countBy cannot stand here')
    expect(() =>
      src([1])
        .countBy()
        .sumBy(undefined as never),
    ).toThrow('sumBy cannot stand here')
  })
})

describe('what is combined for other threads', () => {
  const some = fc.array(fc.array(fc.nat(40), { maxLength: 60 }), { minLength: 1, maxLength: 3 })
  const shapes: Readonly<Record<string, (flow: Flow<number>) => AnyFlow<unknown>>> = {
    groupBy: (flow) =>
      flow.groupBy((n) => n % 5).onTrigger((groups) => [[...groups].map(([key, all]) => [key, sorted(all)]), groups]),
    groupByKey: (flow) =>
      flow
        .map((n) => [n % 5, n] as const)
        .partition({ key: 0, stages: 2 })
        .groupByKey()
        .onTrigger((groups) => [[...groups].map(([key, all]) => [key, sorted(all)]), groups]),
    countBy: (flow) => flow.countBy((n) => n % 5),
    sumBy: (flow) =>
      flow.sumBy(
        (n) => [n % 5],
        (n) => n,
      ),
    uniq: (flow) => flow.uniq(),
    'uniq by something else than the partition': (flow) => flow.uniqBy((n) => n % 2).map((n) => n % 2),
    'uniq and a reducer': (flow) => flow.uniq().countBy((n) => n % 5),
    takeSort: (flow) => flow.countBy((n) => n % 5).takeSort(3, ([a], [b]) => a <= b),
    reduce: (flow) => flow.reduce(counts, counted, { combine: together }),
    'countBy of events that are their own keys': (flow) => flow.partition({ stages: 3 }).countBy(),
    'countBy with the key of the partition': (flow) => flow.partition({ stages: 3, key: rest }).countBy(rest),
    'sumBy with the key of the partition': (flow) =>
      flow.partition({ stages: 3, key: composite }).sumBy(composite, (n) => n),
    'groupBy with the key of the partition': (flow) =>
      flow
        .partition({ stages: 3, key: composite })
        .groupBy(composite)
        .onTrigger((groups) => [[...groups].map(([key, all]) => [key, sorted(all)]), groups]),
    'uniqBy with the key of the partition': (flow) =>
      flow
        .partition({ stages: 3, key: composite })
        .uniqBy(composite)
        .map((n) => n % 5),
  }
  const rest = (n: number) => n % 5
  const composite = (n: number) => [n % 5, 'x']
  const inOrder = (events: readonly unknown[]) => events.map((event) => JSON.stringify(event)).sort()

  it.each(Object.entries(shapes))('%s gives what it gives when it is not', async (_name, shape) => {
    await fc.assert(
      fc.asyncProperty(some, fc.integer({ min: 1, max: 3 }), fc.nat(1000), async (sources, stages, seed) => {
        const flow = shape(
          Flow.fromAll(sources, { stages, maxDemand: 7 })
            .map((n) => n)
            .partition({ stages, key: (n) => n % 5 }),
        )
        await inSimulation(async () => {
          expect(inOrder(await combinedAll(flow))).toEqual(inOrder(await flow.toArray()))
        }, seed)
      }),
      { numRuns: 40 },
    )
  })

  it('and in random flows', async () => {
    await fc.assert(
      fc.asyncProperty(randomFlow(), fc.nat(1000), async ({ flow, expected }, seed) => {
        await inSimulation(async () => {
          expect(sorted((await combinedAll(flow)).map((n) => n + 0))).toEqual(expected)
        }, seed)
      }),
      { numRuns: 100 },
    )
  })

  it('has a key in one stage only, that of its partition, however often it is sent on', async () => {
    await inSimulation(async () => {
      // More keys than an accumulator may have.
      const keyOf = (n: number) => n % 60_000
      const places = src(numbers(1, 120_000))
        .map((n) => n)
        .partition({ stages: 3, key: keyOf })
        .countBy(keyOf)
        .onTrigger((all, { index }) => [[...all].map(([key, count]) => ({ key, count, index })), all])
      const all = await combinedAll(places)
      expect(all).toHaveLength(60_000)
      for (const { key, count, index } of all) {
        if (count !== 2 || stablePartition(key, 3) !== index) expect({ key, count, index }).toBe('elsewhere')
      }
    })
  })

  it('values of groups stay in the order of their arrival', async () => {
    await inSimulation(async () => {
      const flow = src([3, 13, 4, 23])
        .partition()
        .groupBy((n) => n % 10)
      expect(await combinedAll(flow)).toEqual([
        [3, [23, 13, 3]],
        [4, [4]],
      ])
    })
  })
})

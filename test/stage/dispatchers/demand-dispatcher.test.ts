import fc from 'fast-check'
import { DemandDispatcher, Producer, type Subscription, start } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Bench, bench as benchOf } from '../../support/dispatcher-bench.ts'
import { Journal, range, Sink } from '../../support/stages.ts'

const numRuns = process.env['CI'] ? 1000 : 100

type Options = ConstructorParameters<typeof DemandDispatcher>[0]

function bench(test: (bench: Bench<DemandDispatcher>) => void, options?: Options): Promise<void> {
  return benchOf(() => new DemandDispatcher(options), test)
}

/** State with the places of consumers in a list. */
function state({ dispatcher }: Bench<DemandDispatcher>, consumers: readonly Subscription[]) {
  const { demands, pending } = dispatcher.state
  return { demands: demands.map(([demand, consumer]) => [demand, consumers.indexOf(consumer) + 1]), pending }
}

describe('the demand dispatcher', () => {
  it('S227 inherits the demand of those who left, and forgets what came of it', () =>
    bench((bench) => {
      const { dispatcher } = bench
      const consumers = bench.subscribeMany(1)
      const [c1] = consumers as [Subscription]
      expect(dispatcher.ask(10, c1)).toBe(10)
      expect(dispatcher.cancel(c1)).toBe(0)
      expect(state(bench, consumers)).toEqual({ demands: [], pending: 10 })
      const [again] = bench.subscribeMany(1) as [Subscription]
      expect(dispatcher.ask(5, again)).toBe(0)
      expect(dispatcher.state).toEqual({ demands: [[5, again]], pending: 5 })
      expect(dispatcher.cancel(again)).toBe(0)
      expect(dispatcher.state).toEqual({ demands: [], pending: 10 })
      expect(dispatcher.dispatch([1, 2, 3])).toEqual([1, 2, 3])
      expect(dispatcher.state.pending).toBe(7)
      expect(dispatcher.dispatch(range(1, 10))).toEqual(range(1, 10))
      expect(dispatcher.state.pending).toBe(0)
    }))

  it('S228 keeps consumers by demand, first come first among equals', () =>
    bench((bench) => {
      const consumers = bench.subscribeMany(3)
      const [c1, c2, c3] = consumers
      expect([bench.ask(4, c1), bench.ask(2, c2), bench.ask(3, c3)]).toEqual([4, 2, 3])
      expect(state(bench, consumers).demands).toEqual([
        [4, 1],
        [3, 3],
        [2, 2],
      ])
      expect(bench.ask(2, c3)).toBe(2)
      expect(state(bench, consumers).demands).toEqual([
        [5, 3],
        [4, 1],
        [2, 2],
      ])
      expect(bench.ask(4, c2)).toBe(4)
      expect(state(bench, consumers).demands).toEqual([
        [6, 2],
        [5, 3],
        [4, 1],
      ])
      // Behind its equals.
      bench.ask(2, c1)
      expect(state(bench, consumers).demands).toEqual([
        [6, 2],
        [6, 1],
        [5, 3],
      ])
    }))

  it('S229 gives to the largest demand first and hands back the rest', () =>
    bench((bench) => {
      const consumers = bench.subscribeMany(2)
      const [c1, c2] = consumers
      bench.ask(3, c1)
      bench.ask(2, c2)
      expect(bench.dispatcher.dispatch(['a', 'b', 'c', 'd', 'e'])).toEqual([])
      expect(bench.sent(c1)).toEqual([['a', 'b', 'c']])
      expect(bench.sent(c2)).toEqual([['d', 'e']])
      expect(state(bench, consumers).demands).toEqual([
        [0, 1],
        [0, 2],
      ])
      expect(bench.dispatcher.dispatch(['f', 'g', 'h'])).toEqual(['f', 'g', 'h'])
    }))

  it('S229 alternates between equals as their demand falls', () =>
    bench((bench) => {
      const consumers = bench.subscribeMany(2)
      const [c1, c2] = consumers
      bench.ask(3, c1)
      bench.ask(3, c2)
      expect(bench.dispatcher.dispatch(['a', 'b'])).toEqual([])
      expect(state(bench, consumers).demands).toEqual([
        [3, 2],
        [1, 1],
      ])
      expect(bench.dispatcher.dispatch(['c', 'd'])).toEqual([])
      expect(state(bench, consumers).demands).toEqual([
        [1, 1],
        [1, 2],
      ])
      expect(bench.dispatcher.dispatch(['e', 'f', 'g'])).toEqual(['g'])
      expect(bench.sent(c1)).toEqual([['a', 'b'], ['e']])
      expect(bench.sent(c2)).toEqual([['c', 'd'], ['f']])
    }))

  it('S229 forgets of the inherited demand what it hands back', () =>
    bench((bench) => {
      const consumers = bench.subscribeMany(2)
      const [c1, c2] = consumers as [Subscription, Subscription]
      bench.ask(3, c1)
      bench.ask(3, c2)
      bench.dispatcher.cancel(c1)
      expect(state(bench, consumers)).toEqual({ demands: [[3, 2]], pending: 3 })
      expect(bench.dispatcher.dispatch(['a', 'b', 'c', 'd', 'e'])).toEqual(['d', 'e'])
      expect(bench.sent(c2)).toEqual([['a', 'b', 'c']])
      expect(state(bench, consumers).pending).toBe(1)
    }))

  it.each([
    ['given', { maxDemand: 5 }, []],
    ['learned from the first ask', {}, [5]],
  ] as const)('S230 warns of a demand above the largest expected one, %s, and grants it', (_how, options, first) =>
    bench((bench) => {
      const [c1] = bench.subscribeMany(1)
      for (const demand of first) bench.ask(demand, c1)
      expect(bench.said).toEqual([])
      expect(bench.ask(8, c1)).toBe(8)
      expect(bench.ask(9, c1)).toBe(9)
      expect(bench.said).toHaveLength(2)
      expect(bench.said[0]).toContain('expects demands of at most 5')
      expect(bench.said[0]).toContain(`${c1?.consumer} asked for 8`)
      expect(bench.dispatcher.dispatch(range(1, 17))).toEqual([])
      expect(bench.ask(5, c1)).toBe(5)
      expect(bench.said).toHaveLength(2)
    }, options),
  )

  it('S231 shuffles the consumers once, before the first dispatch, and loses none', () =>
    bench(
      (bench) => {
        const consumers = bench.subscribeMany(50)
        for (const consumer of consumers) bench.ask(2, consumer)
        const order = () => state(bench, consumers).demands.map(([, place]) => place)
        expect(order()).toEqual(range(1, 50))
        expect(bench.dispatcher.dispatch(range(1, 2))).toEqual([])
        const shuffled = order()
        // One in 50! that this fails by chance.
        expect(shuffled).not.toEqual([...range(2, 50), 1])
        expect(shuffled.toSorted((a, b) => Number(a) - Number(b))).toEqual(range(1, 50))
        expect(bench.dispatcher.dispatch(range(3, 100))).toEqual([])
        const delivered = consumers.map((consumer) => bench.sent(consumer).flat())
        expect(delivered.every((events) => events.length === 2)).toBe(true)
        expect(new Set(delivered.flat()).size).toBe(100)
        // Served in the shuffled order: no second shuffle.
        const served = shuffled.slice(0, 49).map((place) => delivered[Number(place) - 1]?.[0])
        expect(served).toEqual(range(1, 49).map((index) => index * 2 + 1))
      },
      { shuffleDemandsOnFirstDispatch: true },
    ))

  it('S231 shuffles in a simulation as its seed says', async () => {
    const shuffled = (seed: number) =>
      simulate({ seed }).run(() => {
        const bench = new Bench(new DemandDispatcher({ shuffleDemandsOnFirstDispatch: true }))
        const consumers = bench.asking(...range(1, 20).map(() => 1))
        bench.dispatcher.dispatch(range(1, 20))
        return consumers.map((consumer) => bench.sent(consumer))
      })
    expect(await shuffled(1)).toEqual(await shuffled(1))
    expect(await shuffled(1)).not.toEqual(await shuffled(2))
  })

  it('S231 shuffles only consumers with equal demands: one that has not asked does not hold up the others', () =>
    bench(
      (bench) => {
        const consumers = bench.subscribeMany(20)
        bench.ask(2, consumers[19])
        expect(bench.dispatcher.dispatch(range(1, 2))).toEqual([])
        expect(bench.sent(consumers[19])).toEqual([range(1, 2)])
      },
      { shuffleDemandsOnFirstDispatch: true },
    ))

  it('S232 passes an info on at once and stays as it is', () =>
    bench((bench) => {
      const consumers = bench.subscribeMany(1)
      bench.ask(3, consumers[0])
      const before = state(bench, consumers)
      let infos = 0
      bench.dispatcher.info(() => infos++)
      expect(infos).toBe(1)
      expect(state(bench, consumers)).toEqual(before)
    }))

  it('serves one producer only', async () => {
    await simulate().run(async () => {
      const shared = new DemandDispatcher({ maxDemand: 10 })
      class Sharing extends Producer<number> {
        constructor() {
          super({ dispatcher: shared })
        }
        override handleDemand(): void {}
      }
      const first = await start(Sharing)
      const second = start(Sharing)
      await expect(second).rejects.toMatchObject({ code: 'start_failed', cause: { code: 'bad_dispatcher' } })
      expect(first.alive).toBe(true)
    })
  })

  it('gives consumers with a larger maxDemand more', async () => {
    await simulate().run(async (sim) => {
      class Numbers extends Producer<number> {
        constructor() {
          super({ dispatcher: new DemandDispatcher({ maxDemand: 100 }) })
        }
        override handleDemand(): void {}
        give(count: number): void {
          this.emit(range(1, count))
        }
      }
      const [large, small] = [new Journal(), new Journal()]
      const numbers = await start(Numbers)
      await start(Sink, { arg: { note: large.note }, subscribeTo: [{ to: numbers, maxDemand: 100 }] })
      await start(Sink, { arg: { note: small.note }, subscribeTo: [{ to: numbers, maxDemand: 10 }] })
      await sim.settle()
      await numbers.call.give(110)
      await sim.settle()
      expect([large.events.length, small.events.length]).toEqual([100, 10])
      expect(sim.logs).toEqual([])
    })
  })
})

// ---- The description of the spec, as a list of pairs

type Pair = readonly [demand: number, consumer: number]

interface Model {
  readonly demands: readonly Pair[]
  readonly pending: number
}

function insert(demands: readonly Pair[], [demand, consumer]: Pair): Pair[] {
  const smaller = demands.findIndex(([other]) => other < demand)
  const place = smaller < 0 ? demands.length : smaller
  return [...demands.slice(0, place), [demand, consumer], ...demands.slice(place)]
}

function modelAsk({ demands, pending }: Model, demand: number, consumer: number): [Model, number] {
  const had = demands.find(([, other]) => other === consumer)?.[0] ?? 0
  const others = demands.filter(([, other]) => other !== consumer)
  const already = Math.min(pending, demand)
  return [{ demands: insert(others, [had + demand, consumer]), pending: pending - already }, demand - already]
}

function modelCancel({ demands, pending }: Model, consumer: number): Model {
  const had = demands.find(([, other]) => other === consumer)?.[0] ?? 0
  return { demands: demands.filter(([, other]) => other !== consumer), pending: pending + had }
}

function modelDispatch(model: Model, events: readonly number[]) {
  let { demands } = model
  let left = events
  const sent: [consumer: number, events: readonly number[]][] = []
  for (let head = demands[0]; left.length > 0 && head !== undefined && head[0] > 0; head = demands[0]) {
    const [demand, consumer] = head
    const count = Math.min(demand, left.length)
    sent.push([consumer, left.slice(0, count)])
    left = left.slice(count)
    demands = insert(demands.slice(1), [demand - count, consumer])
  }
  return { model: { demands, pending: Math.max(0, model.pending - left.length) }, sent, left }
}

type Step =
  | { readonly do: 'subscribe' }
  | { readonly do: 'ask'; readonly who: number; readonly demand: number }
  | { readonly do: 'cancel'; readonly who: number }
  | { readonly do: 'dispatch'; readonly count: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.constant({ do: 'subscribe' } as const) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('ask' as const), who: fc.nat(7), demand: fc.integer({ min: 1, max: 9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), who: fc.nat(7) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('dispatch' as const), count: fc.integer({ min: 1, max: 20 }) }) },
)

describe('the demand dispatcher, as the spec describes it', () => {
  it('does the same as a list of pairs', async () => {
    await simulate().run(() => {
      void fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
          const bench = new Bench(new DemandDispatcher({ maxDemand: 9 }))
          const consumers: Subscription[] = []
          const alive: number[] = []
          let model: Model = { demands: [], pending: 0 }
          let next = 0
          const seen = new Map<number, number>()
          for (const step of steps) {
            if (step.do === 'subscribe') {
              consumers.push(...bench.subscribeMany(1))
              alive.push(consumers.length)
              model = { ...model, demands: [...model.demands, [0, consumers.length]] }
            } else if (step.do === 'dispatch') {
              const events = range(next, next + step.count - 1)
              next += step.count
              const expected = modelDispatch(model, events)
              expect(bench.dispatcher.dispatch(events)).toEqual(expected.left)
              for (const [consumer, batch] of expected.sent) {
                const before = seen.get(consumer) ?? 0
                expect(bench.sent(consumers[consumer - 1])[before]).toEqual(batch)
                seen.set(consumer, before + 1)
              }
              for (const [index, consumer] of consumers.entries()) {
                expect(bench.sent(consumer)).toHaveLength(seen.get(index + 1) ?? 0)
              }
              model = expected.model
            } else {
              const who = alive[step.who % Math.max(1, alive.length)]
              const consumer = who === undefined ? undefined : consumers[who - 1]
              if (who === undefined || consumer === undefined) continue
              if (step.do === 'ask') {
                const [after, granted] = modelAsk(model, step.demand, who)
                expect(bench.dispatcher.ask(step.demand, consumer)).toBe(granted)
                model = after
              } else {
                expect(bench.dispatcher.cancel(consumer)).toBe(0)
                alive.splice(alive.indexOf(who), 1)
                model = modelCancel(model, who)
              }
            }
            expect(state(bench, consumers)).toEqual(model)
          }
          expect(bench.said).toEqual([])
        }),
        { numRuns },
      )
    })
  })
})

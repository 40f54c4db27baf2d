import {
  BroadcastDispatcher,
  estimateBufferedCount,
  type Ref,
  type Selector,
  type SubscribeTo,
  type Subscription,
  setDemand,
  stageInfo,
  start,
  syncSubscribe,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { type Bench, bench as benchOf } from '../../support/dispatcher-bench.ts'
import { RawProcess } from '../../support/raw-process.ts'
import { Counter, Journal, Middle, type Note, range, Sink, Source, type SourceArg } from '../../support/stages.ts'

function bench(test: (bench: Bench<BroadcastDispatcher>) => void): Promise<void> {
  return benchOf(() => new BroadcastDispatcher(), test)
}

/** Extra demand with the places of consumers in a list, what all wait for, what the producer owes. */
function state({ dispatcher }: Bench<BroadcastDispatcher>, consumers: readonly Subscription[]) {
  const { demands, waiting, requested } = dispatcher.state
  return [demands.map(([extra, consumer]) => [extra, consumers.indexOf(consumer) + 1]), waiting, requested]
}

/** Sends every event that it is given to everyone. */
class Caster extends Source {
  constructor(arg: SourceArg = {}) {
    super({ ...arg, options: { ...arg.options, dispatcher: new BroadcastDispatcher() } })
  }
}

/** Counts as it is asked, from when the mode is set to forward. */
class CountingCaster extends Counter {
  constructor(arg: { readonly note?: Note; readonly until: number }) {
    super({ ...arg, options: { dispatcher: new BroadcastDispatcher(), demand: 'accumulate' } })
  }
}

class CastingMiddle extends Middle {
  constructor(arg: { readonly note?: Note } = {}) {
    super({ ...arg, options: { dispatcher: new BroadcastDispatcher() } })
  }
}

/** Starts a consumer and gives the journal that it writes. */
async function follow(
  to: SubscribeTo<unknown>['to'],
  options: Partial<SubscribeTo<unknown>> = {},
): Promise<[Journal, Ref<Sink>]> {
  const journal = new Journal()
  const sink = await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to, ...options }] })
  return [journal, sink]
}

describe('the broadcast dispatcher', () => {
  it('S233 hands over what those who left had asked for', () =>
    bench((bench) => {
      const { dispatcher } = bench
      const c1 = bench.subscribe()
      expect(bench.ask(10, c1)).toBe(10)
      expect(state(bench, [c1])).toEqual([[[0, 1]], 10, 10])
      const c2 = bench.subscribe()
      const consumers = [c1, c2]
      expect(state(bench, consumers)).toEqual([
        [
          [0, 2],
          [10, 1],
        ],
        0,
        10,
      ])
      expect(dispatcher.cancel(c1)).toBe(0)
      expect(state(bench, consumers)).toEqual([[[0, 2]], 0, 10])
      expect(bench.ask(10, c2)).toBe(0)
      expect(state(bench, consumers)).toEqual([[[0, 2]], 10, 10])
    }))

  it('S233 asks when the one that held up the others leaves', () =>
    bench((bench) => {
      const consumers = bench.subscribeMany(2)
      const [c1, c2] = consumers as [Subscription, Subscription]
      expect(bench.ask(10, c1)).toBe(0)
      expect(state(bench, consumers)).toEqual([
        [
          [0, 2],
          [10, 1],
        ],
        0,
        0,
      ])
      expect(bench.dispatcher.cancel(c2)).toBe(10)
      expect(state(bench, consumers)).toEqual([[[0, 1]], 10, 10])
      expect(bench.ask(10, c1)).toBe(10)
      expect(state(bench, consumers)).toEqual([[[0, 1]], 20, 20])
    }))

  it('S233 sends what all have asked for, as one array, and gives back the rest', () =>
    bench((bench) => {
      const consumers = bench.subscribeMany(2)
      const [c1, c2] = consumers
      expect(bench.ask(3, c1)).toBe(0)
      expect(bench.ask(2, c2)).toBe(2)
      expect(state(bench, consumers)).toEqual([
        [
          [0, 2],
          [1, 1],
        ],
        2,
        2,
      ])
      const events = ['a', 'b']
      expect(bench.dispatcher.dispatch(events)).toEqual([])
      expect([c1, c2].map((consumer) => bench.sent(consumer)[0] === events)).toEqual([true, true])
      expect(bench.dispatcher.ready).toBe(0)
      expect(bench.ask(2, c2)).toBe(1)
      expect(bench.dispatcher.dispatch(['c', 'd'])).toEqual(['d'])
      expect([bench.sent(c1), bench.sent(c2)]).toEqual([
        [['a', 'b'], ['c']],
        [['a', 'b'], ['c']],
      ])
    }))

  it('S233 takes back what was common when another comes', () =>
    bench((bench) => {
      const c1 = bench.subscribe()
      bench.ask(10, c1)
      bench.dispatcher.dispatch([1, 2, 3])
      expect(state(bench, [c1])).toEqual([[[0, 1]], 7, 7])
      const c2 = bench.subscribe()
      const consumers = [c1, c2]
      expect(state(bench, consumers)).toEqual([
        [
          [0, 2],
          [7, 1],
        ],
        0,
        7,
      ])
      expect(bench.ask(20, c2)).toBe(0)
      expect(state(bench, consumers)).toEqual([
        [
          [13, 2],
          [0, 1],
        ],
        7,
        7,
      ])
    }))

  it('S233 asks for the difference when a late one leaves again', () =>
    bench((bench) => {
      const c1 = bench.subscribe()
      bench.ask(10, c1)
      const c2 = bench.subscribe()
      const consumers = [c1, c2]
      expect(bench.ask(5, c1)).toBe(0)
      expect(state(bench, consumers)).toEqual([
        [
          [0, 2],
          [15, 1],
        ],
        0,
        10,
      ])
      expect(bench.dispatcher.cancel(c2)).toBe(5)
      expect(state(bench, consumers)).toEqual([[[0, 1]], 15, 15])
    }))

  it('S233 forgets of what the producer owes what it gives back', () =>
    bench((bench) => {
      const c1 = bench.subscribe()
      bench.ask(10, c1)
      bench.dispatcher.cancel(c1)
      expect(bench.dispatcher.dispatch([1, 2, 3])).toEqual([1, 2, 3])
      expect(state(bench, [])).toEqual([[], 0, 7])
      const c2 = bench.subscribe()
      expect(bench.ask(10, c2)).toBe(3)
      expect(state(bench, [c2])).toEqual([[[0, 1]], 10, 10])
    }))

  it('passes an info on at once', () =>
    bench((bench) => {
      let infos = 0
      bench.dispatcher.info(() => infos++)
      expect(infos).toBe(1)
    }))

  it('S234 a late subscriber pauses the others until it asks, the slowest sets the pace', async () => {
    await simulate().run(async (sim) => {
      const counter = await start(CountingCaster, { arg: { until: 1000 } })
      const [fast, slow] = [new RawProcess(), new RawProcess()]
      const first = fast.subscribeTo(counter)
      first.ask(3)
      setDemand(counter, 'forward')
      await sim.settle()
      expect(fast.of('events')).toEqual([[0, 1, 2]])
      const second = slow.subscribeTo(counter)
      first.ask(100)
      await sim.settle()
      expect(fast.of('events')).toHaveLength(1)
      second.ask(2)
      await sim.settle()
      expect([fast.of('events').slice(1), slow.of('events')]).toEqual([[[3, 4]], [[3, 4]]])
    })
  })

  it('S235 consumers of 10 and 20 ask the producer for 10', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const caster = await start(Caster, { arg: { note: journal.note } })
      for (const maxDemand of [10, 20]) await start(Sink, { subscribeTo: [{ to: caster, maxDemand }] })
      await sim.settle()
      expect(journal.of('demand')).toEqual([10])
    })
  })

  it('S236 one that never asks holds up the start, until it leaves', async () => {
    await simulate().run(async (sim) => {
      const counter = await start(CountingCaster, { arg: { until: 5 } })
      setDemand(counter, 'forward')
      const gate = new RawProcess().subscribeTo(counter)
      await sim.settle()
      const [journal] = await follow(counter)
      await sim.settle()
      expect(journal.events).toEqual([])
      gate.cancel()
      await sim.settle()
      expect(journal.events).toEqual(range(0, 4))
    })
  })

  it('S202 accumulates until everyone has subscribed, whoever came before', async () => {
    await simulate().run(async (sim) => {
      const caster = await start(Caster, { arg: { options: { demand: 'accumulate' } } })
      const subscribers = async (): Promise<[Journal, Ref<Sink>][]> => [
        await follow(caster, { cancel: 'temporary', maxDemand: 4 }),
        await follow(caster, { cancel: 'temporary', maxDemand: 4 }),
      ]
      const before = await subscribers()
      await sim.settle()
      for (const [, sink] of before) await sink.stop()
      await sim.settle()
      for (const event of ['a', 'b', 'c', 'd']) await caster.call.give(event)
      const after = await subscribers()
      await sim.settle()
      setDemand(caster, 'forward')
      await sim.settle()
      for (const [journal] of after) expect(journal.of('events')).toEqual([['a'], ['b'], ['c'], ['d']])
      expect(await estimateBufferedCount(caster)).toBe(0)
    })
  })

  it('S215 consumers of a producer-consumer with 10/0 and 20/0 get the same', async () => {
    await simulate().run(async (sim) => {
      const counter = await start(Counter, { arg: { until: 200 } })
      const middle = await start(CastingMiddle)
      const [ten] = await follow(middle, { maxDemand: 10, minDemand: 0 })
      const [twenty] = await follow(middle, { maxDemand: 20, minDemand: 0 })
      await syncSubscribe(middle, { to: counter })
      await sim.settle()
      expect(ten.events).toEqual(range(0, 199))
      expect(twenty.events).toEqual(range(0, 199))
    })
  })

  it('two subscriptions of different consumers in one process tree are no duplicates', async () => {
    await simulate().run(async (sim) => {
      const caster = await start(Caster)
      const [journals, sinks] = [[new Journal(), new Journal()], [] as Ref<Sink>[]]
      for (const { note } of journals) sinks.push(await start(Sink, { arg: { note }, subscribeTo: [caster] }))
      await sim.settle()
      await caster.call.give(1)
      await sim.settle()
      expect(journals.map(({ events }) => events)).toEqual([[1], [1]])
    })
  })
})

function fail(): never {
  throw new Error('torn')
}

describe('the selector of a broadcast subscription', () => {
  const even: Selector<unknown> = (n) => Number(n) % 2 === 0

  it('S237 chooses the events, and the dispatcher asks for as many as it kept back', () =>
    bench((bench) => {
      const c1 = bench.subscribe({ selector: (event) => event !== 'b' })
      const c2 = bench.subscribe({ selector: (event) => event === 'a' || event === 'd' })
      bench.ask(4, c1)
      bench.ask(4, c2)
      expect(bench.dispatcher.dispatch(['a', 'b', 'c', 'd'])).toEqual([])
      expect(bench.sent(c1)).toEqual([['a', 'c', 'd']])
      expect(bench.sent(c2)).toEqual([['a', 'd']])
      expect(bench.producer.of('ask')).toEqual([2, 1])
    }))

  it('S237 sends nothing instead of no events, and the array itself when all are selected', () =>
    bench((bench) => {
      const c1 = bench.subscribe({ selector: () => false })
      const c2 = bench.subscribe({ selector: () => true })
      bench.ask(3, c1)
      bench.ask(3, c2)
      const events = [1, 2, 3]
      bench.dispatcher.dispatch(events)
      expect(bench.sent(c1)).toEqual([])
      expect(bench.sent(c2)[0]).toBe(events)
      expect(bench.producer.of('ask')).toEqual([3])
    }))

  it('S237 does not stall when everything is rejected', async () => {
    await simulate().run(async (sim) => {
      const counter = await start(CountingCaster, { arg: { until: 100 } })
      const [nothing] = await follow(counter, { maxDemand: 7, selector: () => false })
      const [some] = await follow(counter, { maxDemand: 10, selector: even })
      const [last] = await follow(counter, { maxDemand: 3, selector: (n) => n === 99 })
      setDemand(counter, 'forward')
      await sim.settle()
      expect(nothing.of('events')).toEqual([])
      expect(some.events).toEqual(range(0, 99).filter(even))
      expect(last.events).toEqual([99])
    })
  })

  it.each([
    ['a word', 'even', "selector: expected a function of an event, got 'even'"],
    ['null', null, 'selector: expected a function of an event, got null'],
    [
      'a function of two',
      (_a: unknown, _b: unknown) => true,
      'selector: expected a function of one event, got one of 2',
    ],
  ])('S238 as %s fails the start of its consumer, and nothing else', async (_what, selector, text) => {
    await simulate().run(async (sim) => {
      const caster = await start(Caster)
      const starting = start(Sink, { subscribeTo: [{ to: caster, selector: selector as Selector<unknown> }] })
      await expect(starting).rejects.toMatchObject({ cause: { code: 'bad_options' } })
      await expect(starting).rejects.toThrow(`cannot subscribe to ${caster}: ${text}`)
      expect(sim.processes).toEqual([caster])
    })
  })

  it.each<readonly [what: string, selector: () => unknown, text: string]>([
    ['throws', fail, 'torn'],
    ['returns a promise', async () => true, 'it returned a Promise, expected true or false'],
    ['returns nothing', () => undefined, 'it returned undefined, expected true or false'],
  ])('that %s ends its subscription, not the producer', async (_what, selector, text) => {
    await simulate().run(async (sim) => {
      const counter = await start(CountingCaster, { arg: { until: 20 } })
      const [fine] = await follow(counter, { maxDemand: 5 })
      const [bad, sink] = await follow(counter, {
        maxDemand: 5,
        selector: (n) => (n === 7 ? (selector() as boolean) : true),
      })
      setDemand(counter, 'forward')
      await sim.settle()
      expect(fine.events).toEqual(range(0, 19))
      expect(bad.events.at(-1)).toBe(4)
      expect(bad.of('cancel')).toMatchObject([['cancel', { code: 'bad_selector' }]])
      expect(await sink.done).toMatchObject({ code: 'bad_selector' })
      const [report] = sim.logs.filter(({ level }) => level === 'error')
      expect(report?.message).toContain(`of ${sink} to ${counter} failed, so it was cancelled: ${text}`)
      expect((await stageInfo(counter)).consumers).toHaveLength(1)
    })
  })
})

describe('the holes of the reference', () => {
  it('S238 a consumer subscribes once: the second and the third attempt are refused', async () => {
    await simulate().run(async (sim) => {
      const caster = await start(Caster)
      const [journal, sink] = await follow(caster)
      for (const _attempt of [2, 3]) {
        await syncSubscribe(sink, { to: caster })
        await sim.settle()
      }
      expect(journal.of('cancel')).toEqual([
        ['cancel', 'already_subscribed'],
        ['cancel', 'already_subscribed'],
      ])
      expect(sink.alive).toBe(true)
      expect((await stageInfo(caster)).consumers).toEqual([sink])
      expect(sim.logs.map(({ level }) => level)).toEqual(['error', 'error'])
      await caster.call.give(1)
      await sim.settle()
      expect(journal.of('events')).toEqual([[1]])
    })
  })

  it('a consumer that left may subscribe again', async () => {
    await simulate().run(async (sim) => {
      const caster = await start(Caster)
      const [journal, sink] = await follow(caster, { cancel: 'temporary' })
      for (let round = 0; round < 3; round++) {
        journal.subscriptions.at(-1)?.cancel()
        await syncSubscribe(sink, { to: caster, cancel: 'temporary' })
      }
      await sim.settle()
      await caster.call.give(1)
      await sim.settle()
      expect(journal.events).toEqual([1])
    })
  })

  it('S239 what came after the consumer died goes to the next one first', async () => {
    await simulate().run(async (sim) => {
      const above = new Journal()
      const caster = await start(Caster, { arg: { note: above.note } })
      const [, first] = await follow(caster, { maxDemand: 10 })
      await sim.settle()
      first.kill()
      await sim.settle()
      await caster.call.give(...range(1, 10))
      expect(await estimateBufferedCount(caster)).toBe(10)
      const [journal] = await follow(caster, { maxDemand: 10, minDemand: 0 })
      await sim.settle()
      expect(journal.events).toEqual(range(1, 10))
      expect(above.of('demand')).toEqual([10, 10])
      await caster.call.give(11)
      await sim.settle()
      expect(journal.events).toEqual(range(1, 11))
    })
  })

  it('S239 also when only a part has come, and is owed no more than once', async () => {
    await simulate().run(async (sim) => {
      const above = new Journal()
      const caster = await start(Caster, { arg: { note: above.note } })
      const gone = [new RawProcess(), new RawProcess()].map((raw) => raw.subscribeTo(caster))
      for (const subscription of gone) subscription.ask(10)
      await sim.settle()
      expect(above.of('demand')).toEqual([10])
      // Both leave; 4 of the 10 come.
      for (const subscription of gone) subscription.cancel()
      await sim.settle()
      await caster.call.give(1, 2, 3, 4)
      const heir = new RawProcess()
      const next = heir.subscribeTo(caster)
      next.ask(5)
      await sim.settle()
      expect(heir.of('events').flat()).toEqual([1, 2, 3, 4])
      expect(above.of('demand')).toEqual([10])
      // One more is wanted, 6 are on their way: 5 too many, which are not asked for again.
      next.ask(5)
      await sim.settle()
      expect(above.of('demand')).toEqual([10])
      next.ask(1)
      await sim.settle()
      expect(above.of('demand')).toEqual([10, 1])
    })
  })

  it('S239 what was owed and has come is asked for again', async () => {
    await simulate().run(async (sim) => {
      const above = new Journal()
      const caster = await start(Caster, { arg: { note: above.note } })
      const gone = new RawProcess().subscribeTo(caster)
      gone.ask(10)
      gone.cancel()
      await sim.settle()
      await caster.call.give(1, 2, 3, 4)
      const heir = new RawProcess()
      const next = heir.subscribeTo(caster)
      next.ask(5)
      await sim.settle()
      await caster.call.give(...range(5, 10))
      next.ask(10)
      await sim.settle()
      expect(heir.of('events').flat()).toEqual(range(1, 10))
      expect(above.of('demand')).toEqual([10, 5])
    })
  })

  it('what handleCancel emits does not overtake what waits', async () => {
    await simulate().run(async (sim) => {
      class Parting extends Caster {
        override handleCancel(): undefined {
          this.emit(['parting'])
          return undefined
        }
      }
      const parting = await start(Parting)
      const [stays, goes] = [new RawProcess(), new RawProcess()]
      stays.subscribeTo(parting).ask(5)
      const gate = goes.subscribeTo(parting)
      await sim.settle()
      await parting.call.give(1, 2)
      expect(await estimateBufferedCount(parting)).toBe(2)
      gate.cancel()
      await sim.settle()
      expect(stays.of('events').flat()).toEqual([1, 2, 'parting'])
    })
  })

  it.each(['the early one', 'the late one'])(
    'S240 the order stays when a late subscriber joins a producer-consumer and %s asks',
    async (who) => {
      await simulate().run(async (sim) => {
        const middle = await start(CastingMiddle)
        const upstream = new RawProcess()
        const source = upstream.acceptFrom(middle, { maxDemand: 100, minDemand: 0 })
        const [early, late] = [new RawProcess(), new RawProcess()]
        const first = early.subscribeTo(middle)
        first.ask(4)
        const second = late.subscribeTo(middle)
        await sim.settle()
        // It was asked for 4 and nobody may have them yet.
        for (const event of range(1, 6)) source.deliver([event])
        await sim.settle()
        expect([early, late].map((raw) => raw.of('events'))).toEqual([[], []])
        const asks = [() => first.ask(1), () => second.ask(5)]
        if (who === 'the late one') asks.reverse()
        for (const ask of asks) {
          ask()
          await sim.settle()
        }
        first.ask(1)
        second.ask(1)
        await sim.settle()
        for (const raw of [early, late]) expect(raw.of('events').flat()).toEqual(range(1, 6))
      })
    },
  )

  it('S240 while everyone is paused a producer-consumer handles no more than it was asked for', async () => {
    await simulate().run(async (sim) => {
      const middle = await start(CastingMiddle)
      const source = new RawProcess().acceptFrom(middle, { maxDemand: 100, minDemand: 0 })
      new RawProcess().subscribeTo(middle).ask(4)
      await sim.settle()
      new RawProcess().subscribeTo(middle)
      await sim.settle()
      for (const event of range(1, 50)) source.deliver([event])
      await sim.settle()
      expect(await estimateBufferedCount(middle)).toBe(4)
    })
  })
})

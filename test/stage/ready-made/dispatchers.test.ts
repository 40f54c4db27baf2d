import {
  asyncSubscribe,
  Batch,
  BroadcastDispatcher,
  DemandDispatcher,
  type Dispatcher,
  type Emits,
  FairDispatcher,
  PartitionDispatcher,
  PriorityDispatcher,
  QueueProducer,
  RateLimiter,
  type Ref,
  type SubscriptionOptions,
  start,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { RawProcess } from '../../support/raw-process.ts'
import { Counter, Journal, range, Sink } from '../../support/stages.ts'

const first = (event: unknown): number => (Array.isArray(event) ? Number(event[0]) : Number(event))

/** Each dispatcher, with what its two consumers have to say when they subscribe, and how many of them get an event. */
const dispatchers: readonly (readonly [string, () => Dispatcher, readonly SubscriptionOptions[], number])[] = [
  ['DemandDispatcher', () => new DemandDispatcher(), [{}, {}], 1],
  ['FairDispatcher', () => new FairDispatcher(), [{}, {}], 1],
  ['BroadcastDispatcher', () => new BroadcastDispatcher(), [{}, {}], 2],
  [
    'PartitionDispatcher',
    () => new PartitionDispatcher({ partitions: 2, hash: (event) => first(event) % 2 }),
    [{ partition: 0 }, { partition: 1 }],
    1,
  ],
  [
    'PriorityDispatcher',
    () => new PriorityDispatcher<unknown>({ levels: 2, priority: (event) => first(event) % 2 }),
    [{}, {}],
    1,
  ],
]

class Queue extends QueueProducer<unknown> {
  constructor(dispatcher: () => Dispatcher) {
    super({ capacity: 10, dispatcher: dispatcher() })
  }
}
class Limiter extends RateLimiter<unknown> {
  constructor(dispatcher: () => Dispatcher) {
    super({ limit: 7, interval: 10, dispatcher: dispatcher() })
  }
}
class Batches extends Batch<unknown> {
  constructor(dispatcher: () => Dispatcher) {
    super({ size: 3, timeout: 10, dispatcher: dispatcher() as Dispatcher<never> })
  }
}

describe.each(dispatchers)('with a %s', (_name, dispatcher, options, copies) => {
  /** Two consumers that take their time; gives what both got, sorted. */
  async function consume(producer: Ref<Emits<unknown>>) {
    const journal = new Journal()
    const work = (_events: readonly unknown[], sink: Sink) => sink.sleep(1)
    for (const each of options) {
      await start(Sink, {
        arg: { note: journal.note, work },
        subscribeTo: [{ to: producer, maxDemand: 4, cancel: 'temporary', ...each }],
      })
    }
    return () => journal.events.flat().sort((a, b) => Number(a) - Number(b))
  }
  const expected = (last: number) => range(1, last).flatMap((n) => Array<number>(copies).fill(n))

  it.each(range(1, 5))('a queue hands on everything, and ends when it has: seed %i', async (seed) => {
    await simulate({ seed }).run(async (sim) => {
      const queue = await start(Queue, { arg: dispatcher })
      const got = await consume(queue)
      for (const n of range(1, 50)) void queue.with({ timeout: Infinity }).call.enqueueAll([2 * n - 1, 2 * n])
      queue.cast.finish()
      await sim.advance(1000)
      expect(queue.alive).toBe(false)
      expect(got()).toEqual(expected(100))
    })
  })

  it.each(range(1, 5))('a rate limiter lets everything through: seed %i', async (seed) => {
    await simulate({ seed }).run(async (sim) => {
      const numbers = await start(Counter, { arg: { until: 101 } })
      const limiter = await start(Limiter, { arg: dispatcher })
      const got = await consume(limiter)
      asyncSubscribe(limiter, { to: numbers })
      await sim.advance(1000)
      expect(got().filter((n) => n !== 0)).toEqual(expected(100))
    })
  })

  it.each(range(1, 5))('a batch stage gives everything: seed %i', async (seed) => {
    await simulate({ seed }).run(async (sim) => {
      const numbers = await start(Counter, { arg: { until: 101 } })
      const batches = await start(Batches, { arg: dispatcher })
      const got = await consume(batches)
      asyncSubscribe(batches, { to: numbers })
      await sim.advance(1000)
      expect(got().filter((n) => n !== 0)).toEqual(expected(100))
    })
  })

  it('a rate limiter lets nothing through for consumers that have gone, and does not stall', async () => {
    await simulate().run(async (sim) => {
      const numbers = await start(Counter, { arg: { until: 1000 } })
      const limiter = await start(Limiter, { arg: dispatcher, subscribeTo: [numbers] })
      const leaving = new RawProcess()
      const subscriptions = options.map((each) => leaving.subscribeTo(limiter, each))
      for (const subscription of subscriptions) subscription.ask(100)
      await sim.advance(5)
      for (const subscription of subscriptions) subscription.cancel()
      await sim.advance(995)
      const before = leaving.of('events').flat().length
      expect(before).toBeLessThanOrEqual(7 * copies)
      const journal = new Journal()
      for (const each of options) {
        const sink = await start(Sink, { arg: { note: journal.note } })
        asyncSubscribe(sink, { to: limiter, maxDemand: 5, ...each })
      }
      await sim.settle()
      // A partition keeps what was meant for it, and that was counted when it left the limiter.
      if (_name !== 'PartitionDispatcher') expect(journal.events.length).toBeLessThanOrEqual(7 * copies)
      await sim.advance(1000)
      expect(journal.events.length).toBeGreaterThan(500 * copies)
    })
  })
})

describe('a queue with priorities', () => {
  class Ordered extends QueueProducer<number> {
    constructor(overflow: 'wait' | 'drop_newest' | 'drop_oldest') {
      // What is below 10 is urgent.
      const dispatcher = new PriorityDispatcher<number>({ levels: 2, priority: (event) => (event < 10 ? 0 : 1) })
      super({ capacity: 4, overflow, dispatcher })
    }
  }

  it('gives what is urgent first', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(Ordered, { arg: 'wait' })
      await queue.call.enqueueAll([10, 1, 11])
      await queue.call.enqueue(2)
      const waiting = queue.call.enqueueAll([12, 3])
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(queue)
      subscription.ask(2)
      expect(await waiting).toBe(2)
      subscription.ask(10)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual([1, 2, 3, 10, 11, 12])
    })
  })

  it.each([
    ['drop_newest', [1, 2, 10, 11]],
    ['drop_oldest', [1, 2, 12, 13]],
  ] as const)('%s: what is not urgent pays', async (overflow, kept) => {
    await simulate().run(async (sim) => {
      const queue = await start(Ordered, { arg: overflow })
      await queue.call.enqueueAll([10, 11, 12, 13])
      await queue.call.enqueueAll([1, 2])
      expect(await queue.call.queueInfo()).toMatchObject({ queued: 4, dropped: 2 })
      const raw = new RawProcess()
      raw.subscribeTo(queue).ask(10)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual(kept)
    })
  })

  it('a drain keeps the order', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(Ordered, { arg: 'wait' })
      await queue.call.enqueueAll([10, 1, 11, 2])
      const stopping = queue.stop({ drain: true })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(queue)
      for (const _ of range(1, 4)) {
        subscription.ask(1)
        await sim.settle()
      }
      await stopping
      expect(raw.of('events').flat()).toEqual([1, 2, 10, 11])
    })
  })
})

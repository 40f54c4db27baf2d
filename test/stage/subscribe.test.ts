import {
  asyncSubscribe,
  Consumer,
  fresh,
  name,
  PartitionDispatcher,
  type ProducerTarget,
  resubscribe,
  type SyncSubscribeOptions,
  stageInfo,
  start,
  syncSubscribe,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { ASK, CANCEL, EVENTS, SUBSCRIBE } from '../../src/stage/subscription.ts'
import { RawProcess, send } from '../support/raw-process.ts'
import { Counter, Journal, Middle, range, Sink, Source } from '../support/stages.ts'

describe('subscribing', () => {
  it('S160 a consumer that stops in handleSubscribe answers nobody: the caller fails with the reason', async () => {
    await simulate().run(async (sim) => {
      class Unwilling extends Consumer<unknown> {
        override handleEvents(): void {}
        override handleSubscribe(): undefined {
          this.stop('unwilling')
          return undefined
        }
      }
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 10, note: journal.note } })
      const consumer = await start(Unwilling)
      await expect(syncSubscribe(consumer, { to: counter })).rejects.toMatchObject({
        code: 'exit',
        reason: 'unwilling',
      })
      expect(await consumer.done).toBe('unwilling')
      await sim.settle()
      // Nothing was asked for, so nothing is lost.
      expect(journal.of('demand')).toEqual([])
    })
  })

  it('S168 gives the subscription when handleSubscribe of the consumer has run', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 3 } })
      const sink = await start(Sink, { arg: { note: journal.note } })
      const subscription = await syncSubscribe(sink, { to: counter, maxDemand: 10, data: 'mine' })
      expect(journal.of('subscribe')).toEqual([['producer', subscription]])
      expect(subscription.options).toEqual({ maxDemand: 10, data: 'mine' })
      expect(`${subscription}`).toBe(`subscription ${subscription.id} of ${sink} to ${counter}`)
      await sim.settle()
      expect(journal.events).toEqual([0, 1, 2])
    })
  })

  it('S168 refuses to subscribe a producer, and a dead consumer', async () => {
    await simulate().run(async () => {
      const counter = await start(Counter, { arg: { until: 3 } })
      const source = await start(Source)
      const wrong = syncSubscribe(source as never, { to: counter as never })
      await expect(wrong).rejects.toMatchObject({ code: 'not_a_consumer' })
      const sink = await start(Sink)
      sink.kill()
      await expect(syncSubscribe(sink, { to: counter })).rejects.toMatchObject({ code: 'noproc' })
    })
  })

  it('asyncSubscribe does not wait', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 3 } })
      const sink = await start(Sink, { arg: { note: journal.note } })
      asyncSubscribe(sink, { to: counter })
      expect(journal.events).toEqual([])
      await sim.settle()
      expect(journal.events).toEqual([0, 1, 2])
    })
  })

  it.each([
    ['maxDemand 0', { maxDemand: 0 }, 'maxDemand of a subscription: expected an integer >= 1, got 0'],
    ['maxDemand Infinity', { maxDemand: Infinity }, 'expected an integer >= 1, got Infinity'],
    ['minDemand 2000', { minDemand: 2000 }, 'minDemand of a subscription: expected an integer from 0 to 999'],
    ['minDemand = maxDemand', { maxDemand: 5, minDemand: 5 }, 'expected an integer from 0 to 4, less than maxDemand 5'],
    ['minDemand -1', { minDemand: -1 }, 'got -1'],
    ['cancel sometimes', { cancel: 'sometimes' }, 'expected permanent, transient, temporary, got sometimes'],
    ['maxDemnad', { maxDemnad: 5 }, 'no option maxDemnad'],
  ])('S169 refuses %s and tells the producer nothing', async (_title, options, text) => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source, { arg: { note: journal.note } })
      const sink = await start(Sink, { arg: { note: journal.note } })
      journal.clear()
      const subscribing = syncSubscribe(sink, { to: source, ...options } as SyncSubscribeOptions<unknown>)
      await expect(subscribing).rejects.toMatchObject({ code: 'bad_options', message: expect.stringContaining(text) })
      await sim.settle()
      expect(journal.entries).toEqual([])
      expect(sink.alive).toBe(true)
    })
  })

  it('S170 without a producer to subscribe to the caller fails', async () => {
    await simulate().run(async () => {
      const sink = await start(Sink)
      for (const options of [{}, { to: undefined }, { maxDemand: 3 }]) {
        await expect(syncSubscribe(sink, options as never)).rejects.toThrow(/expected|to:/)
      }
      expect(sink.alive).toBe(true)
    })
  })

  it.each(['permanent', 'transient'] as const)(
    'S171 a %s subscription to a name that nobody bears fails and ends the consumer',
    async (cancel) => {
      await simulate().run(async (sim) => {
        const sink = await start(Sink)
        const subscribing = syncSubscribe(sink, { to: name(Source, 'nowhere'), cancel })
        await expect(subscribing).rejects.toMatchObject({
          code: 'noproc',
          message: expect.stringContaining(`${sink} cannot subscribe to Source(nowhere)`),
        })
        expect(await sink.done).toBe('noproc')
        expect(sim.logs.filter(({ level }) => level === 'error')).toMatchObject([
          { message: `${sink} crashed: noproc`, fields: { process: `${sink}` } },
        ])
      })
    },
  )

  it('S171 a temporary subscription to a name that nobody bears fails and lets the consumer live', async () => {
    await simulate().run(async (sim) => {
      const sink = await start(Sink)
      const subscribing = syncSubscribe(sink, { to: name(Source, 'nowhere'), cancel: 'temporary' })
      await expect(subscribing).rejects.toMatchObject({ code: 'noproc' })
      await sim.settle()
      expect(sink.alive).toBe(true)
    })
  })

  it.each([
    ['permanent', 'noproc'],
    ['transient', 'noproc'],
    ['temporary', 'alive'],
  ] as const)('S172 a %s subscription to a dead producer is down at once', async (cancel, outcome) => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source)
      await source.stop()
      const sink = await start(Sink, { arg: { note: journal.note } })
      await syncSubscribe(sink, { to: source, cancel })
      await sim.settle()
      expect(journal.of('cancel')).toEqual([['down', 'noproc']])
      expect(sink.alive ? 'alive' : await sink.done).toBe(outcome)
    })
  })

  it('S180 a new subscription replaces an old one', async () => {
    await simulate().run(async (sim) => {
      const above = new Journal()
      const below = new Journal()
      const source = await start(Source, { arg: { note: above.note } })
      const sink = await start(Sink, { arg: { note: below.note } })
      const old = await syncSubscribe(sink, { to: source, cancel: 'temporary', maxDemand: 3 })
      const fresh = await resubscribe(sink, old, 'replaced', {
        to: source,
        cancel: 'temporary',
        maxDemand: 5,
        minDemand: 0,
      })
      expect(fresh).not.toBe(old)
      await sim.settle()
      expect(above.of('cancel')).toEqual([['cancel', 'replaced']])
      expect(below.of('cancel')).toEqual([['cancel', 'replaced']])
      expect(above.subscriptions).toEqual([old, fresh])
      await source.call.give(...range(1, 5))
      await sim.settle()
      // One batch, as long as the new subscription allows.
      expect(below.of('events')).toEqual([range(1, 5)])
    })
  })

  it('S180 a new subscription replaces one to another producer, which is told', async () => {
    await simulate().run(async (sim) => {
      const [first, second, below] = [new Journal(), new Journal(), new Journal()]
      const sink = await start(Sink, { arg: { note: below.note } })
      const old = await syncSubscribe(sink, {
        to: await start(Source, { arg: { note: first.note } }),
        cancel: 'temporary',
      })
      const other = await start(Source, { arg: { note: second.note } })
      await resubscribe(sink, old, 'replaced', { to: other })
      await sim.settle()
      expect(first.of('cancel')).toEqual([['cancel', 'replaced']])
      expect(below.of('cancel')).toEqual([['cancel', 'replaced']])
      expect(second.of('cancel')).toEqual([])
      expect((await stageInfo(sink)).producers).toEqual([other])
    })
  })

  it('S180 a subscription may replace one that nobody knows', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 3 } })
      const sink = await start(Sink, { arg: { note: journal.note } })
      const other = new RawProcess().subscribeTo(counter)
      other.cancel()
      await sim.settle()
      await resubscribe(sink, other, 'replaced', { to: counter })
      await sim.settle()
      expect(journal.events).toEqual([0, 1, 2])
      expect(journal.of('cancel')).toEqual([])
    })
  })

  it('S181 the cancel mode of a replaced subscription applies', async () => {
    await simulate().run(async () => {
      const journal = new Journal()
      const source = await start(Source)
      const sink = await start(Sink, { arg: { note: journal.note } })
      const old = await syncSubscribe(sink, { to: source })
      await resubscribe(sink, old, 'replaced', { to: source })
      expect(await sink.done).toBe('replaced')
      expect(journal.of('cancel')).toEqual([['cancel', 'replaced']])
    })
  })

  it('S182 a producer refuses a subscription that it knows already and keeps the first', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source, { arg: { note: journal.note } })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(source)
      send(source, SUBSCRIBE, subscription, undefined)
      await sim.settle()
      expect(raw.received).toEqual([['cancelled', 'duplicated_subscription']])
      expect(journal.of('subscribe')).toHaveLength(1)
      subscription.ask(1)
      await source.call.give('a')
      expect(raw.of('events')).toEqual([['a']])
    })
  })

  it('S183 an ask of an unknown subscription is answered, a cancel is not', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source, { arg: { note: journal.note } })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(source)
      subscription.cancel()
      await sim.settle()
      expect(raw.received).toEqual([['cancelled', 'normal']])
      send(source, ASK, subscription, 5)
      await sim.settle()
      expect(raw.received.slice(1)).toEqual([['cancelled', 'unknown_subscription']])
      send(source, CANCEL, subscription, 'again')
      await sim.settle()
      expect(raw.received).toHaveLength(2)
      expect(journal.of('demand')).toEqual([])
      expect(journal.of('cancel')).toHaveLength(1)
    })
  })

  it.each([
    ['a consumer', Sink],
    ['a producer-consumer', Middle],
  ] as const)('S184 %s drops events of an unknown subscription and tells the producer', async (_kind, Class) => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const stage = await start(Class as typeof Sink, { arg: { note: journal.note } })
      const raw = new RawProcess()
      const subscription = raw.acceptFrom(stage, { cancel: 'temporary' })
      subscription.cancel()
      // The raw process confirms nothing by itself.
      const { inflow } = subscription
      subscription.inflow = undefined
      expect(inflow).toBeDefined()
      send(stage, EVENTS, subscription, [1, 2])
      await sim.settle()
      expect(raw.received.at(-1)).toEqual(['cancel', 'unknown_subscription'])
      expect(journal.events).toEqual([])
    })
  })

  it('S185 messages for the other kind of stage are reported and ignored', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source, { arg: { note: journal.note } })
      const sink = await start(Sink, { arg: { note: journal.note } })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(source)
      await sim.settle()
      journal.clear()
      send(source, EVENTS, subscription, [1])
      send(sink, ASK, subscription, 5)
      send(sink, SUBSCRIBE, subscription, undefined)
      await sim.settle()
      expect(journal.entries).toEqual([])
      expect(source.alive && sink.alive).toBe(true)
      expect(sim.logs.map(({ level }) => level)).toEqual(['error', 'error', 'error'])
      const texts = sim.logs.map(({ message }) => message)
      expect(texts.filter((text) => text.startsWith(`${source} got a message for consumers`))).toHaveLength(1)
      expect(texts.filter((text) => text.startsWith(`${sink} got a message for producers`))).toHaveLength(2)
    })
  })

  it('refuses a target that emits nothing', async () => {
    await simulate().run(async (sim) => {
      const sink = await start(Sink)
      const other = await start(Sink, { name: Sink })
      for (const to of [other, Sink, sink]) {
        const subscribing = syncSubscribe(sink, { to: to as unknown as ProducerTarget<unknown> })
        await expect(subscribing).rejects.toMatchObject({
          code: 'not_a_producer',
          message: expect.stringContaining('emits no events'),
        })
      }
      const probe = sim.probe()
      const starting = start(Sink, { subscribeTo: [probe.ref as unknown as ProducerTarget<unknown>] })
      await expect(starting).rejects.toMatchObject({ code: 'start_failed', cause: { code: 'not_a_producer' } })
    })
  })

  it('subscribes from inside, and keeps several subscriptions to one producer apart', async () => {
    await simulate().run(async (sim) => {
      class Joining extends Sink {
        join(to: ProducerTarget<unknown>) {
          return [this.subscribe({ to, maxDemand: 2 }).id, this.subscribe({ to, maxDemand: 3 }).id]
        }
      }
      const journal = new Journal()
      const source = await start(Source, { arg: { note: journal.note } })
      const joining = await start(Joining, { arg: { note: journal.note } })
      const [first, second] = await joining.call.join(source)
      expect(first).not.toBe(second)
      await source.call.give(...range(1, 5))
      await sim.settle()
      expect(journal.events.toSorted()).toEqual(range(1, 5))
    })
  })

  it('a consumer that died before its subscription was handled takes the place of nobody', async () => {
    await simulate().run(async (sim) => {
      const dispatcher = new PartitionDispatcher({ partitions: 1, hash: () => 0 })
      const journal = new Journal()
      const source = await start(Source, { arg: fresh(() => ({ note: journal.note, options: { dispatcher } })) })
      const [dead, heir] = [new RawProcess(), new RawProcess()]
      dead.subscribeTo(source, { partition: 0 }).ask(5)
      dead.kill()
      heir.subscribeTo(source, { partition: 0 }).ask(5)
      await source.call.give(1)
      await sim.settle()
      expect([heir.of('cancelled'), heir.of('events')]).toEqual([[], [[1]]])
      // Nobody hears of the one that was dead.
      expect(journal.of('subscribe')).toHaveLength(1)
      expect(journal.of('cancel')).toEqual([])
    })
  })
})

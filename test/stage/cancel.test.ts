import {
  type Cancellation,
  Consumer,
  child,
  type ExitReason,
  Producer,
  type Subscription,
  start,
  supervise,
  syncSubscribe,
  whereis,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { processOf } from '../../src/process/ref.ts'
import { RawProcess } from '../support/raw-process.ts'
import { Counter, Journal, Middle, type Note, range, Sink, Source } from '../support/stages.ts'

/** A source and a sink that subscribed to it. */
async function pair(cancel: 'permanent' | 'transient' | 'temporary') {
  const above = new Journal()
  const below = new Journal()
  const source = await start(Source, { arg: { note: above.note } })
  const sink = await start(Sink, { arg: { note: below.note } })
  const subscription = await syncSubscribe(sink, { to: source, cancel })
  return { above, below, source, sink, subscription }
}

describe('the end of a subscription', () => {
  it('S173 both sides hear of a cancel, and a temporary consumer lives', async () => {
    await simulate().run(async (sim) => {
      const { above, below, source, sink, subscription } = await pair('temporary')
      subscription.cancel('oops')
      await sim.settle()
      expect(above.of('cancel')).toEqual([['cancel', 'oops']])
      expect(below.of('cancel')).toEqual([['cancel', 'oops']])
      expect(source.alive && sink.alive).toBe(true)
      await source.call.give(1)
      await sim.settle()
      expect(below.events).toEqual([])
    })
  })

  const detail: ExitReason = { shutdown: 'x' }
  const boom = new Error('boom')

  it.each(['normal', 'shutdown', detail])('S174 a transient consumer survives a cancel with %o', async (reason) => {
    await simulate().run(async (sim) => {
      const { below, sink, subscription } = await pair('transient')
      subscription.cancel(reason)
      await sim.settle()
      expect(below.of('cancel')).toEqual([['cancel', reason]])
      expect(sink.alive).toBe(true)
    })
  })

  it.each(['boom', boom, 'noproc'])('S174 a transient consumer ends with the bare reason %o', async (reason) => {
    await simulate().run(async () => {
      const { sink, subscription } = await pair('transient')
      subscription.cancel(reason)
      expect(await sink.done).toBe(reason)
    })
  })

  it.each(['normal', 'shutdown', detail, 'boom', boom])('S175 a permanent consumer ends with %o', async (reason) => {
    await simulate().run(async () => {
      const { above, sink, subscription } = await pair('permanent')
      subscription.cancel(reason)
      expect(await sink.done).toBe(reason)
      expect(above.of('cancel')).toEqual([['cancel', reason]])
    })
  })

  it.each(['permanent', 'transient', 'temporary'] as const)(
    'S175 a %s consumer stays when a dispatcher refused it as subscribed already',
    async (cancel) => {
      await simulate().run(async (sim) => {
        const { below, sink, subscription } = await pair(cancel)
        subscription.cancel('already_subscribed')
        await sim.settle()
        expect(below.of('cancel')).toEqual([['cancel', 'already_subscribed']])
        expect(sink.alive).toBe(true)
      })
    },
  )

  it.each([
    ['temporary', 'alive'],
    ['transient', 'killed'],
    ['permanent', 'killed'],
  ] as const)('S176 when its producer is killed a %s consumer is %s', async (cancel, outcome) => {
    await simulate().run(async (sim) => {
      const { below, source, sink } = await pair(cancel)
      source.kill()
      await sim.settle()
      expect(below.of('cancel')).toEqual([['down', 'killed']])
      expect(sink.alive ? 'alive' : await sink.done).toBe(outcome)
      const said = sim.logs.filter(({ message }) => message.includes(`${sink} stops, because ${source} ended: killed`))
      expect(said).toHaveLength(outcome === 'killed' ? 1 : 0)
    })
  })

  it.each([
    ['permanent', 'normal'],
    ['transient', 'alive'],
    ['temporary', 'alive'],
  ] as const)('S177 when its producer stops normally a %s consumer is %s', async (cancel, outcome) => {
    await simulate().run(async (sim) => {
      const { below, source, sink } = await pair(cancel)
      await source.stop()
      await sim.settle()
      expect(below.of('cancel')).toEqual([['down', 'normal']])
      expect(sink.alive ? 'alive' : await sink.done).toBe(outcome)
    })
  })

  it('S178 what a killed consumer had asked for is inherited by the next that asks', async () => {
    await simulate().run(async (sim) => {
      const { above, source, sink } = await pair('permanent')
      await sim.settle()
      expect(above.of('demand')).toEqual([1000])
      sink.kill()
      await sim.settle()
      expect(above.of('cancel')).toEqual([['down', 'killed']])
      expect(source.alive).toBe(true)
      const next = new RawProcess()
      const subscription = next.subscribeTo(source)
      subscription.ask(900)
      await sim.settle()
      expect(above.of('demand')).toEqual([1000])
      subscription.ask(200)
      await sim.settle()
      expect(above.of('demand')).toEqual([1000, 100])
      await source.call.give(...range(1, 1100))
      expect(next.of('events').flat()).toEqual(range(1, 1100))
    })
  })

  it('S178 what came meanwhile goes to the next that asks before anything else, however little it asks for', async () => {
    await simulate().run(async (sim) => {
      const { above, source, sink } = await pair('permanent')
      await sim.settle()
      sink.kill()
      await source.call.give(1, 2, 3)
      const next = new RawProcess()
      const subscription = next.subscribeTo(source)
      subscription.ask(2)
      await sim.settle()
      expect(next.of('events')).toEqual([[1, 2]])
      await source.call.give(4)
      subscription.ask(5)
      await sim.settle()
      expect(next.of('events').flat()).toEqual([1, 2, 3, 4])
      expect(above.of('demand')).toEqual([1000])
    })
  })

  it('S179 handleCancel may end the consumer with a reason of its own', async () => {
    await simulate().run(async () => {
      class Deciding extends Consumer<unknown> {
        override handleEvents(): void {}
        override handleCancel(): void {
          this.stop('other')
        }
      }
      const source = await start(Source)
      const sink = await start(Deciding, { subscribeTo: [source] })
      source.kill()
      expect(await sink.done).toBe('other')
    })
  })

  it('leaves neither side watching the other', async () => {
    await simulate().run(async (sim) => {
      const first = await pair('temporary')
      first.subscription.cancel()
      await sim.settle()
      expect(processOf(first.source).watching).toEqual([])
      expect(processOf(first.sink).watching).toEqual([])
      first.source.kill()
      const second = await pair('temporary')
      second.subscription.cancel()
      await sim.settle()
      second.sink.kill()
      await sim.settle()
      for (const journal of [first.below, second.above]) {
        expect(journal.of('cancel')).toEqual([['cancel', 'normal']])
        expect(journal.of('info')).toEqual([])
      }
    })
  })

  it('hands what handleCancel of a producer emits to the consumers that are left', async () => {
    await simulate().run(async (sim) => {
      class Returning extends Producer<unknown> {
        override handleDemand(): void {}
        override handleCancel(_cancellation: Cancellation, subscription: Subscription): readonly unknown[] {
          return [`back from ${subscription.id}`]
        }
      }
      const returning = await start(Returning)
      const leaving = new RawProcess()
      const staying = new RawProcess()
      const subscription = leaving.subscribeTo(returning)
      subscription.ask(100)
      staying.subscribeTo(returning).ask(10)
      subscription.cancel()
      await sim.settle()
      expect(leaving.of('events')).toEqual([])
      expect(staying.of('events')).toEqual([[`back from ${subscription.id}`]])
    })
  })
})

describe('crashes', () => {
  it('S186 a supervised consumer that crashes loses its batch and goes on with later events', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      await start(Counter, { arg: { until: 40 }, name: Counter })
      const work = (events: readonly unknown[]): void => {
        if (events.includes(12)) throw new Error('unlucky')
      }
      const tree = await supervise({
        strategy: 'one_for_one',
        children: [
          child(Sink, {
            arg: { note: journal.note, work },
            subscribeTo: [{ to: Counter, maxDemand: 10, minDemand: 5 }],
          }),
        ],
      })
      await sim.settle()
      expect(journal.of('started')).toHaveLength(2)
      expect(journal.of('terminate')).toMatchObject([{ message: 'unlucky' }])
      const seen = journal.events as number[]
      // Those that were on their way to it are lost with the batch, all others came once, in order.
      expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b))
      expect(seen.slice(0, 15)).toEqual(range(0, 14))
      expect(seen.length).toBeGreaterThanOrEqual(30)
      expect(seen.at(-1)).toBe(39)
      await tree.stop()
    })
  })

  it('S187 in a rest_for_one tree the crash of the producer is one restart of all', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      class Fragile extends Counter {
        constructor(arg: { readonly note: Note }) {
          super({ until: 25 })
          arg.note('started')
        }
        fail(): void {
          throw new Error('unlucky')
        }
      }
      const tree = await supervise({
        strategy: 'rest_for_one',
        maxRestarts: 1,
        children: [
          child(Fragile, { arg: { note: journal.note }, name: Fragile }),
          child(Middle, {
            arg: { note: journal.note },
            name: Middle,
            subscribeTo: [{ to: Fragile, maxDemand: 10, minDemand: 0 }],
          }),
          child(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: Middle, maxDemand: 10, minDemand: 0 }] }),
        ],
      })
      await sim.settle()
      expect(journal.of('started')).toHaveLength(3)
      journal.clear()
      whereis(Fragile)?.cast.fail()
      await sim.settle()
      expect(tree.alive).toBe(true)
      expect(journal.of('started')).toHaveLength(3)
      expect(journal.events).toHaveLength(50)
      expect(sim.logs.filter(({ level }) => level === 'error')).toHaveLength(1)
      await tree.stop()
    })
  })
})

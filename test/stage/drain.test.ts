import {
  asyncInfo,
  child,
  fromIterable,
  name,
  Producer,
  ProducerConsumer,
  run,
  start,
  supervise,
  syncSubscribe,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { RawProcess } from '../support/raw-process.ts'
import { Counter, Journal, Middle, range, Sink, Source } from '../support/stages.ts'

describe('a drain', () => {
  it('of a producer hands on what it holds, and asks it for no more', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 1000, note: journal.note } })
      const source = await start(Source, { arg: { note: journal.note } })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(source)
      await source.call.give(...range(1, 5))
      const stopping = source.stop({ drain: true })
      subscription.ask(3)
      await sim.settle()
      expect(source.alive).toBe(true)
      subscription.ask(10)
      await stopping
      expect(raw.of('events').flat()).toEqual(range(1, 5))
      expect(journal.of('demand')).toEqual([])
      expect(journal.of('terminate')).toEqual(['normal'])
      await counter.stop({ drain: true, reason: 'shutdown' })
      expect(await counter.done).toBe('shutdown')
    })
  })

  it('of a producer that nobody reads is ended by its deadline', async () => {
    await simulate().run(async (sim) => {
      const source = await start(Source)
      await source.call.give(1)
      const stopping = source.stop({ drain: true, timeout: 100 })
      const failed = expect(stopping).rejects.toMatchObject({ code: 'timeout' })
      await sim.advance(99)
      expect(source.alive).toBe(true)
      await sim.advance(1)
      await failed
      expect(await source.done).toBe('killed')
    })
  })

  it('of a producer that accumulates hands on what it kept', async () => {
    await simulate().run(async (sim) => {
      const source = await start(Source, { arg: { options: { demand: 'accumulate' } } })
      const raw = new RawProcess()
      raw.subscribeTo(source).ask(5)
      await sim.settle()
      await source.call.give(1, 2, 3)
      await source.stop({ drain: true })
      expect(raw.of('events').flat()).toEqual([1, 2, 3])
    })
  })

  it('of a producer that awaits its events waits for them', async () => {
    await simulate().run(async (sim) => {
      class Slow extends Producer<number> {
        override async handleDemand(demand: number): Promise<readonly number[]> {
          await this.sleep(50)
          return range(1, demand)
        }
      }
      const slow = await start(Slow)
      const raw = new RawProcess()
      raw.subscribeTo(slow).ask(3)
      await sim.settle()
      const stopping = slow.stop({ drain: true })
      await sim.advance(100)
      await stopping
      expect(raw.of('events')).toEqual([[1, 2, 3]])
    })
  })

  it('runs handleDrain first, which may still emit', async () => {
    await simulate().run(async (sim) => {
      class Last extends Producer<number> {
        override handleDemand(): void {}
        override async handleDrain(): Promise<void> {
          await this.sleep(10)
          this.emit([1, 2])
        }
      }
      const last = await start(Last)
      const raw = new RawProcess()
      raw.subscribeTo(last).ask(5)
      await sim.settle()
      const stopping = last.stop({ drain: true })
      await sim.advance(10)
      await stopping
      expect(raw.of('events')).toEqual([[1, 2]])
    })
  })

  it('of a consumer handles what was sent to it, and leaves its producer alive', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 1000, note: journal.note } })
      const handled: unknown[] = []
      const work = async (events: readonly unknown[], stage: Sink) => {
        await stage.sleep(10)
        handled.push(...events)
      }
      const sink = await start(Sink, {
        arg: { work, note: journal.note },
        subscribeTo: [{ to: counter, maxDemand: 10, minDemand: 5 }],
      })
      await sim.advance(15)
      const stopping = sink.stop({ drain: true })
      await sim.advance(1000)
      await stopping
      const asked = journal.of('demand').reduce<number>((sum, demand) => sum + Number(demand), 0)
      expect(handled).toEqual(range(0, handled.length - 1))
      expect(handled.length).toBe(asked)
      expect(journal.of('cancel')).toEqual([
        ['cancel', 'normal'],
        ['cancel', 'normal'],
      ])
      expect(counter.alive).toBe(true)
    })
  })

  it('of a consumer without producers ends at once', async () => {
    await simulate().run(async () => {
      const sink = await start(Sink)
      await sink.stop({ drain: true, reason: { shutdown: 'deploy' } })
      expect(await sink.done).toEqual({ shutdown: 'deploy' })
    })
  })

  it('of a producer-consumer handles what waits and hands on what it has', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source)
      const map = (events: readonly unknown[]) => events.flatMap((event) => [event, event])
      const middle = await start(Middle, { arg: { note: journal.note, map }, subscribeTo: [source] })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(middle)
      await source.call.give(1, 2)
      subscription.ask(1)
      await sim.settle()
      await source.call.give(3)
      await sim.settle()
      const stopping = middle.stop({ drain: true })
      for (const ask of [2, 2]) {
        subscription.ask(ask)
        await sim.settle()
        expect(middle.alive).toBe(true)
      }
      subscription.ask(10)
      await stopping
      expect(raw.of('events').flat()).toEqual([1, 1, 2, 2, 3, 3])
      expect(source.alive).toBe(true)
    })
  })

  it('of a producer-consumer with an info behind the end of its producer comes to its end', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source)
      const middle = await start(Middle, { arg: { note: journal.note }, subscribeTo: [source] })
      await source.call.give(1)
      await sim.settle()
      const stopping = middle.stop({ drain: true })
      await sim.settle()
      asyncInfo(middle, 'late')
      await sim.settle()
      new RawProcess().subscribeTo(middle).ask(1)
      await stopping
      expect(journal.events).toEqual([1])
      expect(sim.now).toBe(0)
    })
  })

  it('of a tree delivers everything that was read', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const above = new Journal()
      const work = (_events: readonly unknown[], stage: Sink) => stage.sleep(1)
      const tree = await supervise({
        strategy: 'rest_for_one',
        children: [
          child(Counter, { arg: { until: 100_000, note: above.note }, name: Counter }),
          child(Middle, { name: Middle, subscribeTo: [{ to: Counter, maxDemand: 20 }] }),
          child(Sink, { arg: { note: journal.note, work }, subscribeTo: [{ to: Middle, maxDemand: 10 }] }),
        ],
      })
      await sim.advance(20)
      const stopping = tree.stop({ drain: true })
      await sim.advance(1000)
      await stopping
      const asked = above.of('demand').reduce<number>((sum, demand) => sum + Number(demand), 0)
      expect(journal.events).toEqual(range(0, asked - 1))
      expect(journal.events.length).toBeGreaterThan(50)
      expect(sim.processes).toEqual([])
      expect(sim.clock.pending).toBe(0)
    })
  })

  it.each(range(1, 10))(
    'of an application tells of nothing that was dropped, in the order of seed %i',
    async (seed) => {
      await simulate({ seed }).run(async (sim) => {
        const journal = new Journal()
        const app = await run(
          [
            child(Counter, { arg: { until: 100_000 }, name: Counter }),
            child(Middle, { name: Middle, subscribeTo: [{ to: Counter, maxDemand: 4, minDemand: 0 }] }),
            child(Sink, {
              arg: { note: journal.note, work: (_events, stage) => stage.sleep(1) },
              subscribeTo: [{ to: Middle, maxDemand: 2, minDemand: 0 }],
            }),
          ],
          { strategy: 'rest_for_one' },
        )
        await sim.advance(10)
        const stopping = app.stop()
        await sim.advance(100)
        expect((await stopping).dropped).toEqual([])
        expect(journal.events).toEqual(range(0, journal.events.length - 1))
      })
    },
  )

  it.each(range(1, 20))('of a source delivers what was read of it, in the order of seed %i', async (seed) => {
    await simulate({ seed }).run(async (sim) => {
      let pulled = 0
      async function* numbers() {
        while (pulled < 100) yield pulled++
        await new Promise(() => {})
      }
      const producer = await fromIterable(numbers())
      const raw = new RawProcess()
      raw.subscribeTo(producer).ask(1000)
      // Other messages give the drain a place in the middle of the reading.
      for (let turn = 0; turn < seed; turn++) await Promise.resolve()
      await producer.stop({ drain: true })
      await sim.settle()
      // One may be on its way out of the source.
      expect(pulled - raw.of('events').flat().length).toBeLessThanOrEqual(1)
    })
  })

  it('of a consumer that has just subscribed leaves nothing', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 10, note: journal.note } })
      const sink = await start(Sink, { arg: { note: journal.note } })
      const subscribing = syncSubscribe(sink, { to: counter })
      await sink.stop({ drain: true })
      await subscribing
      await sim.settle()
      expect(journal.of('subscribe')).toHaveLength(1)
      expect(journal.events).toEqual(range(0, 9))
    })
  })

  it('of a producer hands on what it emits while it waits, too', async () => {
    await simulate().run(async (sim) => {
      const source = await start(Source)
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(source)
      await source.call.give(1, 2)
      const stopping = source.stop({ drain: true })
      await source.call.give(3)
      subscription.ask(2)
      await sim.settle()
      subscription.ask(10)
      await stopping
      expect(raw.of('events').flat()).toEqual([1, 2, 3])
    })
  })

  it('of a producer-consumer emits what its last callback sent to itself', async () => {
    await simulate().run(async (sim) => {
      class Postponing extends ProducerConsumer<unknown, unknown> {
        override handleEvents(events: readonly unknown[]): void {
          this.self.send(events)
        }
        override handleInfo(events: readonly unknown[]): readonly unknown[] {
          return events
        }
      }
      const source = await start(Source)
      const postponing = await start(Postponing, { subscribeTo: [source] })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(postponing)
      await source.call.give(1, 2)
      await sim.settle()
      const stopping = postponing.stop({ drain: true })
      await sim.settle()
      // Only now it handles what waited, and has nothing left to do.
      subscription.ask(5)
      await stopping
      expect(raw.of('events').flat()).toEqual([1, 2])
    })
  })

  it('of a tree lets a consumer of two producers finish what the second sends when the first has finished', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      class Prefilled extends Source {
        constructor(events: readonly number[]) {
          super()
          this.emit(events)
        }
      }
      const work = (_events: readonly unknown[], stage: Sink): Promise<void> => stage.sleep(10)
      const [first, second] = [name(Prefilled, 'first'), name(Prefilled, 'second')]
      const tree = await supervise({
        strategy: 'rest_for_one',
        children: [
          child(Prefilled, { id: 'first', name: first, arg: [1] }),
          child(Prefilled, { id: 'second', name: second, arg: range(2, 9) }),
          child(Middle, { name: name(Middle, 'middle'), subscribeTo: [{ to: first }, { to: second, maxDemand: 1 }] }),
          child(Sink, {
            arg: { note: journal.note, work },
            subscribeTo: [{ to: name(Middle, 'middle'), maxDemand: 1 }],
          }),
        ],
      })
      const draining = tree.stop({ drain: true })
      await sim.advance(1000)
      await draining
      expect(journal.events.toSorted()).toEqual(range(1, 9))
    })
  })
})

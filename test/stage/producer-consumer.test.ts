import { asyncInfo, estimateBufferedCount, ProducerConsumer, start, syncInfo, syncSubscribe } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { cancelFrom, RawProcess } from '../support/raw-process.ts'
import { Counter, Journal, Middle, range, Sink, Source } from '../support/stages.ts'

const twice = (events: readonly unknown[]): readonly unknown[] => events.flatMap((event) => [event, event])
const doubled = (first: number, last: number): unknown[] => twice(range(first, last)) as unknown[]

describe('a producer-consumer', () => {
  it('S205 the worked trace: it doubles events, 100/20 above, 100/50 below', async () => {
    await simulate().run(async (sim) => {
      const above = new Journal()
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 180, note: above.note } })
      const middle = await start(Middle, {
        arg: { note: journal.note, map: twice },
        subscribeTo: [{ to: counter, maxDemand: 100, minDemand: 20 }],
      })
      await sim.settle()
      expect(above.of('demand')).toEqual([100])
      expect(journal.of('events')).toEqual([])

      const raw = new RawProcess()
      const subscription = raw.subscribeTo(middle)
      subscription.ask(100)
      await sim.settle()
      expect(journal.of('events')).toEqual([range(0, 79), range(80, 99)])
      expect(raw.of('events')).toEqual([doubled(0, 49)])
      expect(await estimateBufferedCount(middle)).toBe(100)
      expect(above.of('demand')).toEqual([100, 80])

      for (const ask of [50, 50]) {
        subscription.ask(ask)
        await sim.settle()
      }
      expect(raw.of('events').slice(1).flat()).toEqual(doubled(50, 99))
      expect(await estimateBufferedCount(middle)).toBe(0)
      expect(journal.of('events')).toHaveLength(2)

      subscription.ask(50)
      await sim.settle()
      expect(journal.of('events').at(-1)).toEqual(range(100, 179))
      expect(raw.of('events').at(-1)).toEqual(doubled(100, 124))
      expect(await estimateBufferedCount(middle)).toBe(110)
      expect(above.of('demand')).toEqual([100, 80, 100])
    })
  })

  it.each(['the consumer first', 'the producer first'])(
    'S205 the same batches arrive when %s is subscribed',
    async (order) => {
      await simulate().run(async (sim) => {
        const journal = new Journal()
        const counter = await start(Counter, { arg: { until: 300 } })
        const middle = await start(Middle, { arg: { map: twice } })
        const sink = await start(Sink, { arg: { note: journal.note } })
        const up = () => syncSubscribe(middle, { to: counter, maxDemand: 100, minDemand: 80 })
        const down = () => syncSubscribe(sink, { to: middle, maxDemand: 100, minDemand: 50 })
        for (const subscribe of order === 'the consumer first' ? [down, up] : [up, down]) {
          await subscribe()
          await sim.settle()
        }
        expect(journal.events).toEqual(doubled(0, 299))
        const batches = journal.of('events').map((batch) => (batch as unknown[]).length)
        expect(Math.max(...batches)).toBeLessThanOrEqual(50)
        expect(batches.slice(0, 3)).toEqual([40, 40, 20])
      })
    },
  )

  it('S206 without a consumer it handles nothing; for one event it handles a whole message', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 1000 } })
      const middle = await start(Middle, {
        arg: { note: journal.note },
        subscribeTo: [{ to: counter, maxDemand: 100 }],
      })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(middle)
      await sim.settle()
      expect(journal.of('events')).toEqual([])
      subscription.ask(1)
      await sim.settle()
      expect(journal.events).toEqual(range(0, 99))
      expect(raw.of('events')).toEqual([[0]])
    })
  })

  it('S207 when nobody asks below, at most maxDemand events wait and nothing is asked for above', async () => {
    await simulate().run(async (sim) => {
      const above = new Journal()
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 1000, note: above.note } })
      const middle = await start(Middle, {
        arg: { note: journal.note },
        subscribeTo: [{ to: counter, maxDemand: 10, minDemand: 5 }],
      })
      const raw = new RawProcess()
      raw.subscribeTo(middle).ask(7)
      await sim.settle()
      const asked = () => above.of('demand').reduce<number>((sum, demand) => sum + Number(demand), 0)
      expect(raw.of('events').flat()).toEqual(range(0, 6))
      // A message is handled whole: 10 events, of which 3 wait in the buffer, and 10 more wait in front.
      expect(journal.events).toEqual(range(0, 9))
      expect(await estimateBufferedCount(middle)).toBe(3)
      expect(asked()).toBe(20)
      await sim.settle()
      expect(asked()).toBe(20)
    })
  })

  it('S208 one that drops everything keeps pulling', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 5000 } })
      const map = (events: readonly unknown[]) => events.filter((event) => event === 4999)
      const middle = await start(Middle, { arg: { map }, subscribeTo: [{ to: counter, maxDemand: 10 }] })
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: middle, maxDemand: 1, minDemand: 0 }] })
      await sim.settle()
      expect(journal.events).toEqual([4999])
    })
  })

  it('S209 one that multiplies keeps what was not asked for', async () => {
    await simulate().run(async (sim) => {
      const counter = await start(Counter, { arg: { until: 100 } })
      const map = (events: readonly unknown[]) => events.flatMap((event) => [event, event, event])
      const middle = await start(Middle, { arg: { map }, subscribeTo: [{ to: counter, maxDemand: 10, minDemand: 0 }] })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(middle)
      const got: unknown[] = []
      for (const ask of [4, 1, 20, 9]) {
        subscription.ask(ask)
        await sim.settle()
        const now = raw.of('events').flat()
        expect(now.length - got.length).toBe(ask)
        got.splice(0, got.length, ...now)
      }
      expect(got).toEqual(map(range(0, 33)).slice(0, 34))
    })
  })

  it('S210 what it emits later counts against the demand', async () => {
    await simulate().run(async (sim) => {
      class Postponing extends ProducerConsumer<number, number> {
        override handleEvents(events: readonly number[]): void {
          asyncInfo(this.self, events)
        }
        override handleInfo(events: readonly number[]): void {
          this.emit(events)
        }
      }
      const above = new Journal()
      const counter = await start(Counter, { arg: { until: 1000, note: above.note } })
      const middle = await start(Postponing, { subscribeTo: [{ to: counter, maxDemand: 4, minDemand: 0 }] })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(middle)
      subscription.ask(6)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual(range(0, 5))
      const asked = above.of('demand').length
      await sim.settle()
      expect(above.of('demand')).toHaveLength(asked)
      subscription.ask(6)
      await sim.settle()
      expect(raw.of('events').flat()).toEqual(range(0, 11))
    })
  })

  it('S211 what a killed producer had sent is handled when somebody asks, then the end is told', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source)
      const middle = await start(Middle, {
        arg: { note: journal.note },
        subscribeTo: [{ to: source, maxDemand: 10, minDemand: 8, cancel: 'temporary' }],
      })
      await source.call.give(1, 2, 3)
      await source.call.give(4, 5)
      await sim.settle()
      source.kill()
      await sim.settle()
      expect(journal.of('cancel')).toEqual([])
      const raw = new RawProcess()
      raw.subscribeTo(middle).ask(10)
      await sim.settle()
      // Each message is one batch: there is nobody left to ask.
      expect(journal.entries.slice(1)).toEqual([
        ['events', [1, 2, 3]],
        ['events', [4, 5]],
        ['cancel', 'down', 'killed'],
      ])
      expect(raw.of('events').flat()).toEqual(range(1, 5))
      expect(middle.alive).toBe(true)
    })
  })

  it('S211 the subscription of late events still names the producer', async () => {
    await simulate().run(async (sim) => {
      const producers: unknown[] = []
      class Naming extends ProducerConsumer<unknown, unknown> {
        override handleEvents(_events: readonly unknown[], subscription: { readonly producer: unknown }): void {
          producers.push(subscription.producer)
        }
      }
      const source = await start(Source)
      const middle = await start(Naming, { subscribeTo: [{ to: source, cancel: 'temporary' }] })
      await source.call.give(1)
      await sim.settle()
      source.kill()
      await sim.settle()
      new RawProcess().subscribeTo(middle).ask(1)
      await sim.settle()
      expect(producers).toEqual([source])
    })
  })

  it('S212 an info waits behind the events that wait', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source)
      const middle = await start(Middle, { arg: { note: journal.note }, subscribeTo: [source] })
      await syncInfo(middle, 'at once')
      await sim.settle()
      expect(journal.of('info')).toEqual(['at once'])
      await source.call.give(1, 2)
      await sim.settle()
      await syncInfo(middle, 'behind')
      await source.call.give(3)
      await sim.settle()
      expect(journal.of('info')).toEqual(['at once'])
      const subscription = new RawProcess().subscribeTo(middle)
      subscription.ask(1)
      await sim.settle()
      // One of the two events has gone, the other waits in the buffer, and the info behind it.
      expect(journal.of('info')).toEqual(['at once'])
      subscription.ask(1)
      await sim.settle()
      expect(journal.of('info')).toEqual(['at once', 'behind'])
    })
  })

  it('S213 the end of its consumer is told at once, whatever waits from above', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source)
      const middle = await start(Middle, { arg: { note: journal.note }, subscribeTo: [source] })
      const subscription = new RawProcess().subscribeTo(middle)
      await source.call.give(1, 2)
      await sim.settle()
      subscription.cancel('enough')
      await sim.settle()
      expect(journal.entries.slice(1)).toEqual([['cancel', 'cancel', 'enough']])
    })
  })

  it('S214 it ends with its producer only when it has handled and handed on what that sent', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const below = new Journal()
      const source = await start(Source)
      const middle = await start(Middle, {
        arg: { note: journal.note, map: twice },
        subscribeTo: [{ to: source, maxDemand: 10, minDemand: 5 }],
      })
      const sink = await start(Sink, { arg: { note: below.note, manual: true } })
      const subscription = await syncSubscribe(sink, { to: middle })
      await source.call.give(...range(1, 5))
      await source.stop()
      await sim.settle()
      expect(middle.alive).toBe(true)
      for (const ask of [3, 3, 3]) {
        subscription.ask(ask)
        await sim.settle()
        expect(middle.alive).toBe(true)
      }
      subscription.ask(3)
      expect(await middle.done).toBe('normal')
      expect(await sink.done).toBe('normal')
      expect(below.events).toEqual(doubled(1, 5))
    })
  })

  it('S214 after a crash of its producer it handles what waits and ends with the reason', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source)
      const middle = await start(Middle, { arg: { note: journal.note }, subscribeTo: [source] })
      await source.call.give(1, 2)
      await sim.settle()
      source.kill()
      await sim.settle()
      expect(middle.alive).toBe(true)
      const raw = new RawProcess()
      raw.subscribeTo(middle).ask(5)
      expect(await middle.done).toBe('killed')
      expect(raw.of('events')).toEqual([[1, 2]])
    })
  })

  it('goes on with what waits behind the end of a producer that it awaits', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const middle = await start(Middle, { arg: { note: journal.note, cancelled: (stage) => stage.sleep(10) } })
      const [first, second] = [new RawProcess(), new RawProcess()]
      const gone = first.acceptFrom(middle, { cancel: 'temporary' })
      const left = second.acceptFrom(middle)
      gone.deliver([1])
      await sim.settle()
      cancelFrom(gone, 'normal')
      await sim.settle()
      left.deliver([2])
      await sim.settle()
      const raw = new RawProcess()
      raw.subscribeTo(middle).ask(10)
      await sim.advance(100)
      expect(journal.entries.slice(1)).toEqual([
        ['events', [1]],
        ['cancel', 'cancel', 'normal'],
        ['events', [2]],
      ])
      expect(raw.of('events')).toEqual([[1], [2]])
    })
  })

  it('handles one message after another when it awaits', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      let running = 0
      const map = async (events: readonly unknown[], stage: Middle) => {
        expect(++running).toBe(1)
        await stage.sleep(10)
        running--
        return events
      }
      const counters = [await start(Counter, { arg: { until: 30 } }), await start(Counter, { arg: { until: 30 } })]
      const middle = await start(Middle, { arg: { map }, subscribeTo: counters.map((to) => ({ to, maxDemand: 7 })) })
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: middle, maxDemand: 5 }] })
      await sim.advance(1000)
      expect(journal.events).toHaveLength(60)
      expect((journal.events as number[]).toSorted((a, b) => a - b)).toEqual(
        range(0, 29).flatMap((event) => [event, event]),
      )
    })
  })
})

import {
  asyncInfo,
  type Dispatcher,
  estimateBufferedCount,
  Producer,
  type ProducerOptions,
  setDemand,
  start,
  syncInfo,
  syncSubscribe,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { RawProcess } from '../support/raw-process.ts'
import { Counter, Journal, Middle, range, Sink, Source } from '../support/stages.ts'

/** A source with a consumer in the hands of the test; both write into one journal. */
async function buffering(options: ProducerOptions<unknown> = {}, reportsDiscarded = true) {
  const journal = new Journal()
  const source = await start(Source, { arg: { note: journal.note, options, reportsDiscarded } })
  const sink = await start(Sink, { arg: { note: journal.note, manual: true } })
  const subscription = await syncSubscribe(sink, { to: source })
  return { journal, source, sink, ask: (demand: number) => subscription.ask(demand) }
}

/** What the consumer got and the infos that were released, in order. */
function flow(journal: Journal): unknown[] {
  return journal.entries.filter(([what]) => what === 'events' || what === 'info').map((entry) => entry[1])
}

describe('the buffer', () => {
  it('S188 events that nobody asked for go first to whoever comes', async () => {
    await simulate().run(async (sim) => {
      class Prefilled extends Counter {
        fill(...events: number[]): void {
          this.emit(events)
        }
      }
      const journal = new Journal()
      const counter = await start(Prefilled, { arg: { until: 7 } })
      await counter.call.fill(101, 102, 103, 104, 105)
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: counter, maxDemand: 4, minDemand: 0 }] })
      await sim.settle()
      expect(journal.of('events')).toEqual([[101, 102, 103, 104], [105], [0, 1, 2], [3, 4, 5, 6]])
    })
  })

  it.each([
    ['first', ['a', 'b', 'c', 'd', 'e']],
    ['last', ['d', 'e', 'f', 'g', 'h']],
  ] as const)('S189 a full buffer keeps the %s events and says what it dropped', async (bufferKeep, kept) => {
    await simulate().run(async (sim) => {
      const { journal, source, ask } = await buffering({ bufferSize: 5, bufferKeep })
      await source.call.give('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')
      expect(await estimateBufferedCount(source)).toBe(5)
      const warnings = sim.logs.filter(({ level }) => level === 'warn')
      expect(warnings).toMatchObject([{ fields: { process: `${source}`, discarded: 3 } }])
      expect(warnings[0]?.message).toContain(`${source} discarded 3 events: its buffer is full`)
      ask(10)
      await sim.settle()
      expect(journal.events).toEqual(kept)
    })
  })

  it.each([
    ['first', ['a', 'b', 'c', 'd', 'e']],
    ['last', ['d', 'e', 'f', 'g', 'h']],
  ] as const)('S189 a buffer that fills up little by little keeps the %s events', async (bufferKeep, kept) => {
    await simulate().run(async (sim) => {
      const { journal, source, ask } = await buffering({ bufferSize: 5, bufferKeep })
      for (const events of ['ab', 'cdef', 'gh']) await source.call.give(...events)
      expect(journal.of('discarded').reduce<number>((sum, count) => sum + Number(count), 0)).toBe(3)
      ask(10)
      await sim.settle()
      expect(journal.events).toEqual(kept)
    })
  })

  it('S190 an infinite buffer drops nothing', async () => {
    await simulate().run(async (sim) => {
      const { journal, source, ask } = await buffering({ bufferSize: Infinity })
      await source.call.give(...range(1, 5))
      expect(await estimateBufferedCount(source)).toBe(5)
      await source.call.give(...range(6, 8))
      expect(await estimateBufferedCount(source)).toBe(8)
      ask(8)
      await sim.settle()
      expect(await estimateBufferedCount(source)).toBe(0)
      expect(journal.events).toEqual(range(1, 8))
      expect(sim.logs).toEqual([])
    })
  })

  it.each([
    [false, 0],
    [true, 1],
  ])('S191 when formatDiscarded returns %o there are %i warnings', async (reportsDiscarded, warnings) => {
    await simulate().run(async (sim) => {
      const { journal, source } = await buffering({ bufferSize: 5 }, reportsDiscarded)
      await source.call.give(...range(1, 8))
      expect(journal.of('discarded')).toEqual([3])
      expect(sim.logs).toHaveLength(warnings)
    })
  })

  it('events that a dispatcher gives back stay the oldest', async () => {
    await simulate().run(async (sim) => {
      const taken: unknown[] = []
      /** It takes one event for two that are asked for. */
      class Reluctant extends Producer<number> {
        constructor() {
          let wanted = 0
          const dispatcher: Dispatcher<number> = {
            attach: () => {},
            subscribe: () => 0,
            cancel: () => 0,
            ask: (demand) => {
              wanted += demand / 2
              return demand
            },
            get ready() {
              return wanted
            },
            dispatch: (events) => {
              taken.push(...events.slice(0, wanted))
              const left = events.slice(wanted)
              wanted = Math.max(0, wanted - events.length)
              return left
            },
            info: (info) => info(),
          }
          super({ dispatcher })
        }
        override handleDemand(): void {}
        give(...events: number[]): void {
          this.emit(events)
        }
      }
      const reluctant = await start(Reluctant)
      await reluctant.call.give(1, 2, 3)
      await reluctant.call.give(4, 5, 6)
      const subscription = new RawProcess().subscribeTo(reluctant)
      for (const left of [4, 2, 0]) {
        subscription.ask(4)
        await sim.settle()
        expect(await estimateBufferedCount(reluctant)).toBe(left)
      }
      expect(taken).toEqual(range(1, 6))
    })
  })

  it('a producer-consumer buffers without bound, unless told', async () => {
    await simulate().run(async (sim) => {
      const unbounded = await start(Middle)
      await unbounded.call.give(...range(1, 20_000))
      expect(await estimateBufferedCount(unbounded)).toBe(20_000)
      const bounded = await start(Middle, { arg: { options: { bufferSize: 2, bufferKeep: 'first' } } })
      await bounded.call.give(...range(1, 5))
      expect(await estimateBufferedCount(bounded)).toBe(2)
      expect(sim.logs).toHaveLength(1)
    })
  })

  it('a producer buffers 10000 events, unless told', async () => {
    await simulate().run(async () => {
      const { journal, source } = await buffering()
      await source.call.give(...range(1, 10_001))
      expect(await estimateBufferedCount(source)).toBe(10_000)
      expect(journal.of('discarded')).toEqual([1])
    })
  })
})

describe('infos', () => {
  it('S192 the events before an info go out first, then it, then the rest', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source, { arg: { note: journal.note } })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(source)
      await source.call.give('a', 'b')
      await syncInfo(source, 'i')
      await source.call.give('c')
      subscription.ask(3)
      await sim.settle()
      expect(raw.of('events')).toEqual([['a', 'b'], ['c']])
      expect(journal.of('info')).toEqual(['i'])
    })
  })

  it('S193 with nothing in front an info is delivered at once, to each kind of stage', async () => {
    await simulate().run(async (sim) => {
      for (const Class of [Source, Middle, Sink] as const) {
        const journal = new Journal()
        const stage = await start(Class as typeof Source, { arg: { note: journal.note } })
        await syncInfo(stage, 'sync')
        asyncInfo(stage, 'async')
        await sim.settle()
        expect(journal.of('info')).toEqual(['sync', 'async'])
      }
    })
  })

  it('S193 an info comes behind the messages that wait already', async () => {
    await simulate().run(async (sim) => {
      const { journal, source } = await buffering()
      asyncInfo(source, 'info')
      source.send('message')
      await sim.settle()
      expect(journal.of('info')).toEqual(['message', 'info'])
    })
  })

  it.each([3, 10, Infinity])('S194 an info behind the last of three events, in a buffer for %d', async (bufferSize) => {
    await simulate().run(async (sim) => {
      const { journal, source, ask } = await buffering({ bufferSize })
      await source.call.give('a', 'b', 'c')
      await syncInfo(source, 'i')
      await sim.settle()
      expect(flow(journal)).toEqual([])
      ask(1000)
      await sim.settle()
      expect(journal.events).toEqual(['a', 'b', 'c'])
      expect(journal.of('info')).toEqual(['i'])
      expect(journal.of('demand')).toEqual([997])
    })
  })

  it.each([3, Infinity])(
    'S195 an info behind the last event taken is released with it, in a buffer for %d',
    async (bufferSize) => {
      await simulate().run(async (sim) => {
        const { journal, source, ask } = await buffering({ bufferSize })
        await source.call.give('a', 'b', 'c')
        await syncInfo(source, 'i')
        ask(2)
        await sim.settle()
        expect(journal.of('info')).toEqual([])
        ask(1)
        await sim.settle()
        expect(journal.of('info')).toEqual(['i'])
        expect(journal.of('demand')).toEqual([])
      })
    },
  )

  it('S196 infos keep their places between the events', async () => {
    await simulate().run(async (sim) => {
      const { journal, source, ask } = await buffering()
      await source.call.give('a', 'b', 'c')
      await syncInfo(source, 'i1')
      await source.call.give('d', 'e')
      await syncInfo(source, 'i2')
      for (const [demand, events, infos] of [
        [2, ['a', 'b'], []],
        [1, ['c'], ['i1']],
        [2, ['d', 'e'], ['i2']],
      ] as const) {
        ask(demand)
        await sim.settle()
        expect(journal.of('events')).toEqual([events])
        expect(journal.of('info')).toEqual(infos)
        journal.clear()
      }
    })
  })

  it('S197 infos at one place are delivered in the order they came', async () => {
    await simulate().run(async (sim) => {
      const { journal, source, ask } = await buffering()
      await source.call.give('a')
      for (const info of ['i1', 'i2', 'i3']) await syncInfo(source, info)
      ask(1)
      await sim.settle()
      expect(journal.of('info')).toEqual(['i1', 'i2', 'i3'])
    })
  })

  it('S198 an info is delivered when the event that it waits behind is dropped', async () => {
    await simulate().run(async (sim) => {
      const { journal, source, ask } = await buffering({ bufferSize: 3 })
      await source.call.give('a', 'b')
      await syncInfo(source, 'i')
      await source.call.give('c', 'd')
      await sim.settle()
      expect(journal.of('info')).toEqual([])
      await source.call.give('e')
      await sim.settle()
      expect(journal.of('info')).toEqual(['i'])
      ask(10)
      await sim.settle()
      expect(journal.events).toEqual(['c', 'd', 'e'])
    })
  })

  it('S199 infos are not counted, and a consumer has no buffer to count', async () => {
    await simulate().run(async (sim) => {
      for (const bufferSize of [10, Infinity]) {
        const { source } = await buffering({ bufferSize })
        await source.call.give('a', 'b')
        await syncInfo(source, 'i')
        expect(await estimateBufferedCount(source)).toBe(2)
      }
      expect(sim.logs).toEqual([])
      const sink = await start(Sink)
      expect(await estimateBufferedCount(sink)).toBe(0)
      expect(sim.logs).toMatchObject([{ level: 'error', fields: { process: `${sink}` } }])
    })
  })

  it('S204 the last events of a producer that stops behind them arrive before its end', async () => {
    await simulate().run(async (sim) => {
      class Finishing extends Source {
        override handleInfo(): void {
          this.stop('normal')
        }
      }
      const journal = new Journal()
      const source = await start(Finishing)
      const sink = await start(Sink, { arg: { note: journal.note, manual: true } })
      const subscription = await syncSubscribe(sink, { to: source })
      await source.call.give(...range(1, 5))
      asyncInfo(source, 'done')
      subscription.ask(3)
      await sim.settle()
      expect(source.alive).toBe(true)
      subscription.ask(3)
      await sim.settle()
      expect(journal.entries.slice(2)).toEqual([
        ['events', [1, 2, 3]],
        ['events', [4, 5]],
        ['cancel', 'down', 'normal'],
        ['terminate', 'normal'],
      ])
    })
  })

  it('S204 an accumulating producer holds no info behind what it keeps', async () => {
    await simulate().run(async (sim) => {
      const { journal, source, ask } = await buffering({ demand: 'accumulate' })
      ask(3)
      await source.call.give(1)
      await syncInfo(source, 'i')
      await sim.settle()
      expect(flow(journal)).toEqual(['i'])
      setDemand(source, 'forward')
      await sim.settle()
      expect(flow(journal)).toEqual(['i', [1]])
    })
  })
})

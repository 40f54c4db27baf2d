import { demand, estimateBufferedCount, Producer, setDemand, start, syncSubscribe } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { RawProcess } from '../support/raw-process.ts'
import { Counter, Journal, Middle, range, Sink, Source } from '../support/stages.ts'

describe('the demand mode', () => {
  it('S200 a producer that accumulates gives nothing until it is set to forward', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 4, note: journal.note, options: { demand: 'accumulate' } } })
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: counter, maxDemand: 4, minDemand: 0 }] })
      await sim.settle()
      expect(await demand(counter)).toBe('accumulate')
      expect(journal.of('demand')).toEqual([])
      expect(journal.events).toEqual([])
      setDemand(counter, 'forward')
      await sim.settle()
      expect(await demand(counter)).toBe('forward')
      expect(journal.of('events')).toEqual([[0, 1, 2, 3]])
    })
  })

  it('S201 setting accumulate again keeps what was kept', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 9, note: journal.note, options: { demand: 'accumulate' } } })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(counter)
      subscription.ask(2)
      await sim.settle()
      setDemand(counter, 'accumulate')
      subscription.ask(3)
      await sim.settle()
      expect(raw.of('events')).toEqual([])
      setDemand(counter, 'forward')
      await sim.settle()
      expect(journal.of('demand')).toEqual([2, 3])
      expect(raw.of('events').flat()).toEqual(range(0, 4))
    })
  })

  it('S201 setting forward before there is a consumer changes nothing later', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 5, options: { demand: 'accumulate' } } })
      setDemand(counter, 'forward')
      setDemand(counter, 'forward')
      await start(Sink, { arg: { note: journal.note }, subscribeTo: [counter] })
      await sim.settle()
      expect(journal.events).toEqual(range(0, 4))
    })
  })

  it('keeps events and demand in one order, outside of the buffer', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source, {
        arg: { note: journal.note, options: { demand: 'accumulate', bufferSize: 1 } },
      })
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(source)
      subscription.ask(2)
      await sim.settle()
      await source.call.give(1, 2)
      await source.call.give(3)
      await source.call.give(4)
      expect(await estimateBufferedCount(source)).toBe(0)
      subscription.ask(5)
      await sim.settle()
      expect(raw.of('events')).toEqual([])
      setDemand(source, 'forward')
      await sim.settle()
      expect(raw.of('events')).toEqual([[1, 2], [3], [4]])
      expect(journal.of('demand')).toEqual([2, 5])
      expect(journal.of('discarded')).toEqual([])
    })
  })

  it('serves what is owed from the buffer when it is set to forward', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const source = await start(Source, { arg: { note: journal.note } })
      const gone = new RawProcess().subscribeTo(source)
      gone.ask(10)
      gone.cancel()
      await sim.settle()
      await source.call.give(1, 2, 3, 4)
      setDemand(source, 'accumulate')
      const raw = new RawProcess()
      // Not new: the producer owes it.
      raw.subscribeTo(source).ask(5)
      await sim.settle()
      expect(raw.of('events')).toEqual([])
      setDemand(source, 'forward')
      await sim.settle()
      expect(raw.of('events').flat()).toEqual([1, 2, 3, 4])
      expect(journal.of('demand')).toEqual([10])
    })
  })

  it('hands accumulated demands on one after another when handleDemand is awaited', async () => {
    await simulate().run(async (sim) => {
      let running = 0
      const seen: number[] = []
      class Slow extends Producer<number> {
        constructor() {
          super({ demand: 'accumulate' })
        }
        override async handleDemand(wanted: number): Promise<readonly number[]> {
          seen.push(wanted)
          running++
          await this.sleep(10)
          expect(running).toBe(1)
          running--
          return new Array<number>(wanted).fill(wanted)
        }
      }
      const slow = await start(Slow)
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(slow)
      for (const wanted of [1, 2, 3]) subscription.ask(wanted)
      await sim.settle()
      setDemand(slow, 'forward')
      await sim.advance(100)
      expect(seen).toEqual([1, 2, 3])
      expect(raw.of('events')).toEqual([[1], [2, 2], [3, 3, 3]])
    })
  })

  it('S203 only producers have a mode to set; the others forward', async () => {
    await simulate().run(async (sim) => {
      const sink = await start(Sink)
      const middle = await start(Middle)
      expect(await demand(sink)).toBe('forward')
      expect(await demand(middle)).toBe('forward')
      setDemand(middle, 'forward')
      await sim.settle()
      expect(sim.logs).toEqual([])
      setDemand(middle, 'accumulate')
      setDemand(sink, 'accumulate')
      await sim.settle()
      expect(sim.logs.map(({ level, message }) => [level, message.includes('can only be set for producers')])).toEqual([
        ['error', true],
        ['error', true],
      ])
      expect(await demand(middle)).toBe('forward')
      expect(middle.alive && sink.alive).toBe(true)
    })
  })

  it('a stop during the replay ends it', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      class Stopping extends Source {
        override handleDemand(wanted: number): undefined {
          this.note('demand', wanted)
          this.stop('shutdown')
          return undefined
        }
      }
      const source = await start(Stopping, { arg: { note: journal.note, options: { demand: 'accumulate' } } })
      const sink = await start(Sink, { arg: { manual: true } })
      const subscription = await syncSubscribe(sink, { to: source, cancel: 'temporary' })
      subscription.ask(1)
      subscription.ask(2)
      await sim.settle()
      setDemand(source, 'forward')
      expect(await source.done).toBe('shutdown')
      expect(journal.of('demand')).toEqual([1])
    })
  })
})

import { Consumer, type GenServer, Producer, ProducerConsumer, start, syncSubscribe } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { RawProcess } from '../support/raw-process.ts'
import { Counter, Journal, Middle, range, Sink, Source } from '../support/stages.ts'

describe('a stage class as it should not be', () => {
  class Demnad extends Producer<number> {
    override handleDemand(): void {}
    handleDemnad(): void {}
  }
  class Handel extends Consumer<number> {
    override handleEvents(): void {}
    handelEvents(): void {}
  }
  class Wrong extends Consumer<number> {
    override handleEvents(): void {}
    handleDemand(): void {}
  }
  class Discarded extends ProducerConsumer<number, number> {
    override handleEvents(): void {}
    formatDiscard(): void {}
  }
  class Hidden extends Producer<number> {
    override handleDemand(): void {}
  }
  Object.defineProperty(Hidden.prototype, 'emit', { value: () => {} })

  it.each([
    [Demnad, 'handleDemnad is no callback of Producer: did you mean handleDemand?'],
    [Handel, 'handelEvents looks like the callback handleEvents misspelt'],
    [Wrong, 'handleDemand is no callback of Consumer: it is one of Producer'],
    [Discarded, 'formatDiscard looks like the callback formatDiscarded misspelt'],
    [Hidden, 'emit hides a member of the base class'],
  ] as const)('%o does not start', async (Class, text) => {
    await simulate().run(async (sim) => {
      await expect(start<GenServer, []>(Class)).rejects.toMatchObject({
        code: 'bad_class',
        message: expect.stringContaining(text),
      })
      expect(sim.processes).toEqual([])
    })
  })

  it.each([
    ['an object', {}],
    ['a name', 'Source'],
    ['one subscription', { to: Source }],
  ])('subscribeTo as %s is refused', async (_kind, subscribeTo) => {
    await simulate().run(async () => {
      const starting = start(Sink, { subscribeTo: subscribeTo as unknown as [] })
      await expect(starting).rejects.toMatchObject({ cause: { code: 'bad_options' } })
    })
  })

  it.each([[[5]], [['Source']], [[undefined]], [[null]]])('subscribeTo as %o is refused', async (subscribeTo) => {
    await simulate().run(async () => {
      const starting = start(Sink, { subscribeTo: subscribeTo as unknown as [] })
      await expect(starting).rejects.toMatchObject({ cause: { code: 'bad_options' } })
    })
  })
})

describe('a callback that does what it should not', () => {
  const torn = new Error('torn')

  it.each([
    ['returns a string', () => 'junk'],
    ['returns null', () => null],
    ['promises a number', async () => 5],
  ])('handleDemand %s', async (_what, junk) => {
    await simulate().run(async (sim) => {
      class Junk extends Producer<number> {
        override handleDemand(): void {
          return junk() as unknown as undefined
        }
      }
      const journal = new Journal()
      const producer = await start(Junk)
      const sink = await start(Sink, { arg: { note: journal.note } })
      await syncSubscribe(sink, { to: producer, cancel: 'temporary' })
      expect(await producer.done).toMatchObject({ code: 'bad_return' })
      await sim.settle()
      expect(journal.of('cancel')).toMatchObject([['down', { code: 'bad_return' }]])
      expect(sink.alive).toBe(true)
    })
  })

  it.each([
    ['rejects', () => Promise.reject(torn)],
    [
      'throws',
      () => {
        throw torn
      },
    ],
  ])('handleDemand, handleEvents and handleCancel %s', async (_what, fail) => {
    await simulate().run(async () => {
      class Failing extends Producer<number> {
        override handleDemand(): void {
          return fail() as unknown as undefined
        }
      }
      const failing = await start(Failing)
      new RawProcess().subscribeTo(failing).ask(1)
      expect(await failing.done).toBe(torn)

      const middle = await start(Middle, { arg: { map: () => fail() as unknown as undefined } })
      const raw = new RawProcess()
      raw.subscribeTo(middle).ask(1)
      raw.acceptFrom(middle).deliver([1])
      expect(await middle.done).toBe(torn)
      expect(raw.of('ask')).toHaveLength(1)

      const cancelling = await start(Middle, { arg: { cancelled: () => fail() as unknown as undefined } })
      raw.subscribeTo(cancelling).cancel()
      expect(await cancelling.done).toBe(torn)

      const sink = await start(Sink, { arg: { work: () => fail() as unknown as undefined } })
      raw.acceptFrom(sink).deliver([1])
      expect(await sink.done).toBe(torn)
    })
  })

  it.each([
    [
      'throws',
      () => {
        throw torn
      },
      { message: 'torn' },
    ],
    ['promises', async () => undefined, { code: 'bad_return' }],
  ])('handleSubscribe of a producer %s: its consumers see the end', async (_what, subscribe, reason) => {
    await simulate().run(async () => {
      class Failing extends Producer<number> {
        override handleDemand(): void {}
        override handleSubscribe(): void {
          return subscribe() as unknown as undefined
        }
      }
      const failing = await start(Failing)
      const sink = await start(Sink)
      await syncSubscribe(sink, { to: failing })
      expect(await failing.done).toMatchObject(reason)
      expect(await sink.done).toMatchObject(reason)
    })
  })

  it('formatDiscarded that throws ends the stage', async () => {
    await simulate().run(async () => {
      class Failing extends Producer<number> {
        constructor() {
          super({ bufferSize: 1 })
        }
        override handleDemand(): void {}
        override formatDiscarded(): boolean {
          throw torn
        }
        fill(): void {
          this.emit([1, 2, 3])
        }
      }
      const failing = await start(Failing)
      await expect(failing.call.fill()).rejects.toMatchObject({ code: 'exit', cause: torn })
    })
  })

  it.each([
    ['a string', 'abc'],
    ['a set', new Set([1])],
    ['nothing', undefined],
    ['an object', { length: 1 }],
  ])('emit of %s', async (kind, events) => {
    await simulate().run(async () => {
      class Emitting extends Producer<number> {
        override handleDemand(): void {}
        send(): void {
          this.emit(events as unknown as [])
        }
      }
      const emitting = await start(Emitting)
      const sent = emitting.call.send()
      // Nothing is nothing to emit.
      if (kind === 'nothing') await sent
      else await expect(sent).rejects.toMatchObject({ code: 'exit', cause: { code: 'bad_return' } })
    })
  })

  it('emit outside of any process does nothing', () => {
    const passive = new Source()
    expect(() => passive.give(1)).not.toThrow()
  })

  it('emit after the end does nothing', async () => {
    await simulate().run(async (sim) => {
      let late: ((events: readonly number[]) => void) | undefined
      class Leaking extends Producer<number> {
        constructor() {
          super()
          late = (events) => this.emit(events)
        }
        override handleDemand(): void {}
      }
      const leaking = await start(Leaking)
      const raw = new RawProcess()
      raw.subscribeTo(leaking).ask(5)
      await sim.settle()
      late?.([1])
      expect(raw.of('events')).toEqual([[1]])
      leaking.kill()
      late?.([2])
      expect(raw.of('events')).toEqual([[1]])
    })
  })

  it('an event that a consumer changes fails that consumer, in development', async () => {
    await simulate().run(async () => {
      class Vandal extends Consumer<{ n: number }> {
        override handleEvents([first]: readonly { n: number }[]): void {
          if (first !== undefined) first.n = 0
        }
      }
      class Giving extends Producer<{ n: number }> {
        override handleDemand() {
          return [{ n: 1 }]
        }
      }
      const giving = await start(Giving)
      const vandal = await start(Vandal, { subscribeTo: [giving] })
      expect(await vandal.done).toBeInstanceOf(TypeError)
      expect(giving.alive).toBe(true)
    })
  })

  it('a demand of nothing asks for nothing, a demand that is no whole number is refused', async () => {
    await simulate().run(async (sim) => {
      const journal = new Journal()
      const counter = await start(Counter, { arg: { until: 10, note: journal.note } })
      const subscription = new RawProcess().subscribeTo(counter)
      subscription.ask(0)
      for (const demand of [-1, Number.NaN]) expect(() => subscription.ask(demand)).toThrow('whole number')
      await sim.settle()
      expect(journal.of('demand')).toEqual([])
    })
  })

  it('a producer that gives more than was asked keeps the rest', async () => {
    await simulate().run(async (sim) => {
      class Generous extends Producer<number> {
        override handleDemand(): readonly number[] {
          return range(1, 10)
        }
      }
      const generous = await start(Generous)
      const raw = new RawProcess()
      const subscription = raw.subscribeTo(generous)
      for (const _ of range(1, 4)) {
        subscription.ask(3)
        await sim.settle()
      }
      expect(raw.of('events').flat()).toEqual([...range(1, 10), 1, 2])
      expect(sim.logs).toEqual([])
    })
  })
})

import fc from 'fast-check'
import { Consumer, FairDispatcher, Producer, type Subscription, start, syncSubscribe } from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Bench, bench as benchOf } from '../../support/dispatcher-bench.ts'
import { Journal, range, Sink } from '../../support/stages.ts'

const numRuns = process.env['CI'] ? 1000 : 100

function bench(test: (bench: Bench<FairDispatcher>) => void): Promise<void> {
  return benchOf(() => new FairDispatcher(), test)
}

/** How much each of these got. */
function counts(messages: readonly unknown[][]): number[] {
  return messages.map((events) => events.flat().length)
}

describe('the fair dispatcher', () => {
  it('shares out what is emitted at once, in one piece for each', () =>
    bench((bench) => {
      const consumers = bench.asking(8, 8, 8)
      expect(bench.dispatcher.dispatch(range(1, 9))).toEqual([])
      expect(bench.news(consumers)).toEqual([[[1, 2, 3]], [[4, 5, 6]], [[7, 8, 9]]])
    }))

  it('gives to the others what is more than one has asked for', () =>
    bench((bench) => {
      const consumers = bench.asking(8, 2, 8)
      expect(bench.dispatcher.dispatch(range(1, 10))).toEqual([])
      expect(bench.news(consumers)).toEqual([[[1, 2, 3, 4]], [[5, 6]], [[7, 8, 9, 10]]])
    }))

  it('gives what does not divide to whose turn it is', () =>
    bench((bench) => {
      const consumers = bench.asking(9, 9, 9)
      bench.dispatcher.dispatch(range(1, 4))
      expect(counts(bench.news(consumers))).toEqual([2, 1, 1])
      bench.dispatcher.dispatch(range(5, 8))
      expect(counts(bench.news(consumers))).toEqual([1, 2, 1])
      bench.dispatcher.dispatch(range(9, 13))
      expect(counts(bench.news(consumers))).toEqual([2, 1, 2])
    }))

  it('takes turns with events that come one by one', () =>
    bench((bench) => {
      const consumers = bench.asking(3, 1, 2)
      for (const nth of range(1, 6)) expect(bench.dispatcher.dispatch(range(nth, nth))).toEqual([])
      expect(bench.news(consumers)).toEqual([[[1], [4], [6]], [[2]], [[3], [5]]])
    }))

  it('gives back, in order, what nobody has asked for', () =>
    bench((bench) => {
      const consumers = bench.asking(1, 0, 2)
      expect(bench.dispatcher.ready).toBe(3)
      expect(bench.dispatcher.dispatch(range(1, 5))).toEqual([4, 5])
      expect(bench.news(consumers)).toEqual([[[1]], [], [[2, 3]]])
      expect(bench.dispatcher.ready).toBe(0)
      expect(bench.dispatcher.dispatch(range(6, 7))).toEqual([6, 7])
    }))

  it('hands events on as they are when one consumer gets all', () =>
    bench((bench) => {
      const [only] = bench.asking(5)
      const events = [1, 2, 3]
      bench.dispatcher.dispatch(events)
      expect(bench.sent(only)[0]).toBe(events)
    }))

  it('inherits the demand of those who left', () =>
    bench((bench) => {
      const [first, second] = bench.asking(7, 4) as [Subscription, Subscription]
      expect(bench.dispatcher.cancel(first)).toBe(0)
      expect(bench.dispatcher.state).toEqual({ demands: [[4, second]], pending: 7 })
      expect(bench.dispatcher.ask(10, second)).toBe(3)
      bench.dispatcher.dispatch(range(1, 20))
      expect(bench.dispatcher.state).toEqual({ demands: [], pending: 0 })
    }))

  it('gives more to consumers with a larger weight', () =>
    bench((bench) => {
      const consumers = [bench.subscribe({ weight: 3 }), bench.subscribe()]
      for (const consumer of consumers) bench.dispatcher.ask(100, consumer)
      bench.dispatcher.dispatch(range(1, 40))
      expect(counts(bench.news(consumers))).toEqual([30, 10])
      for (const nth of range(1, 8)) bench.dispatcher.dispatch(range(nth, nth))
      expect(bench.news(consumers)).toEqual([
        [[1], [2], [3], [5], [6], [7]],
        [[4], [8]],
      ])
    }))

  it.each([0, -1, 1.5, Number.NaN, '2'])('refuses a consumer whose weight is %s', async (weight) => {
    await simulate().run(async (sim) => {
      class Fair extends Producer<unknown> {
        constructor() {
          super({ dispatcher: new FairDispatcher() })
        }
        override handleDemand(): void {}
      }
      const producer = await start(Fair)
      const sink = await start(Sink)
      const refused = syncSubscribe(sink, { to: producer, weight: weight as number })
      const text = `weight: expected a whole number >= 1, got ${weight}`
      await expect(refused).rejects.toMatchObject({ code: 'bad_options', message: expect.stringContaining(text) })
      expect([producer.alive, sink.alive, sim.logs]).toEqual([true, true, []])
    })
  })

  it('tells a consumer with a weight that another dispatcher takes none', async () => {
    await simulate().run(async () => {
      class Numbers extends Producer<unknown> {
        override handleDemand(): void {}
      }
      const producer = await start(Numbers)
      const refused = start(Sink, { subscribeTo: [{ to: producer, weight: 2 }] })
      await expect(refused).rejects.toMatchObject({
        cause: { message: expect.stringContaining('takes no weight; leave it out, or give the producer a dispatcher') },
      })
    })
  })

  it('keeps consumers equally busy whatever they ask for', async () => {
    await simulate({ seed: 5 }).run(async (sim) => {
      class Numbers extends Producer<number> {
        #next = 0
        constructor() {
          super({ dispatcher: new FairDispatcher() })
        }
        override handleDemand(): void {}
        give(count: number): void {
          this.emit(Array.from({ length: count }, () => this.#next++))
        }
      }
      class Slow extends Consumer<number> {
        readonly #note: Journal['note']
        constructor(note: Journal['note']) {
          super()
          this.#note = note
        }
        override async handleEvents(events: readonly number[]): Promise<void> {
          this.#note('events', events)
          await this.sleep(events.length)
        }
      }
      const journals = [new Journal(), new Journal(), new Journal()]
      const producer = await start(Numbers)
      for (const [index, { note }] of journals.entries()) {
        const maxDemand = [1000, 100, 60][index]
        await start(Slow, { arg: note, subscribeTo: [{ to: producer, maxDemand }] })
      }
      await sim.settle()
      for (let round = 0; round < 20; round++) {
        await producer.call.give(60)
        await sim.advance(20)
      }
      await sim.advance(1000)
      expect(journals.map(({ events }) => events.length)).toEqual([400, 400, 400])
    })
  })
})

describe('any dispatch of the fair dispatcher', () => {
  const consumer = fc.record({ weight: fc.integer({ min: 1, max: 4 }), demand: fc.nat(40) })
  const consumers = fc.array(consumer, { minLength: 1, maxLength: 8 })
  const emissions = fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1, maxLength: 6 })

  it('gives nobody more than a turn above another of the same weight that wants more', async () => {
    await simulate().run(() => {
      fc.assert(
        fc.property(consumers, emissions, (consumers, emissions) => {
          const bench = new Bench(new FairDispatcher())
          const subscriptions = consumers.map(({ weight, demand }) => {
            const subscription = bench.subscribe({ weight })
            if (demand > 0) bench.dispatcher.ask(demand, subscription)
            return subscription
          })
          const open = consumers.map(({ demand }) => demand)
          for (const emission of emissions) {
            const left = bench.dispatcher.dispatch(range(1, emission))
            const got = counts(bench.news(subscriptions))
            expect(got.reduce((sum, each) => sum + each, 0)).toBe(emission - left.length)
            for (const [index, count] of got.entries()) open[index] = (open[index] ?? 0) - count
            // In turns: one may be under way, and one be taken anew.
            const turns = got.map((count, index) => count / (consumers[index]?.weight ?? 1))
            const wanting = turns.filter((_, index) => (open[index] ?? 0) > 0)
            expect(Math.max(...turns) - Math.min(...wanting, Infinity)).toBeLessThan(2)
          }
        }),
        { numRuns },
      )
    })
  })
})

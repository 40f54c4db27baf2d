import {
  asyncInfo,
  type Dispatcher,
  estimateBufferedCount,
  FairDispatcher,
  fresh,
  PriorityDispatcher,
  type PriorityDispatcherOptions,
  type ProducerOptions,
  type Ref,
  type Subscription,
  setDemand,
  stageInfo,
  start,
  syncSubscribe,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { bench } from '../../support/dispatcher-bench.ts'
import { Journal, Sink, Source } from '../../support/stages.ts'

/** Events are words that begin with the first letter of their level. */
type Options = Partial<PriorityDispatcherOptions<string, readonly string[]>>

const NAMES: Readonly<Record<string, string>> = { u: 'urgent', n: 'normal', b: 'bulk' }

function byPriority(options: Options = {}): PriorityDispatcher<string> {
  return new PriorityDispatcher<string>({
    levels: ['urgent', 'normal', 'bulk'],
    priority: (event) => NAMES[event.charAt(0)] ?? event,
    ...options,
  })
}

interface Setup {
  readonly dispatcher?: Options
  readonly producer?: Omit<ProducerOptions<unknown>, 'dispatcher'>
}

/** A source with priorities, and a consumer in the hands of the test. */
async function prioritised({ dispatcher, producer }: Setup = {}) {
  const journal = new Journal()
  const make = () => ({
    note: journal.note,
    options: { ...producer, dispatcher: byPriority(dispatcher) as Dispatcher },
  })
  const source: Ref<Source> = await start(Source, { arg: fresh(make) })
  const sink = await start(Sink, { arg: { note: journal.note, manual: true } })
  const subscription: Subscription = await syncSubscribe(sink, { to: source })
  journal.clear()
  return { journal, source, subscription, give: (words: string) => source.call.give(...words.split(' ')) }
}

/** The messages that came, as words. */
function got(journal: Journal): string[] {
  return journal.of('events').map((events) => (Array.isArray(events) ? events.join(' ') : ''))
}

describe('the priority dispatcher', () => {
  it('sends what waits by priority, when it is asked for', async () => {
    await simulate().run(async (sim) => {
      const { journal, source, subscription, give } = await prioritised()
      await give('b1 n1 b2')
      await give('u1')
      await give('n2 b3 u2')
      expect(await estimateBufferedCount(source)).toBe(7)
      subscription.ask(3)
      await sim.settle()
      await give('u3')
      subscription.ask(5)
      await sim.settle()
      expect(got(journal)).toEqual(['u1 u2 n1', 'u3 n2 b1 b2 b3'])
    })
  })

  it('sends by priority what is emitted at once, with demand and without', async () => {
    await simulate().run(async (sim) => {
      const { journal, subscription, give } = await prioritised()
      subscription.ask(3)
      await sim.settle()
      await give('b1 n1 u1 b2 u2')
      await sim.settle()
      expect(got(journal)).toEqual(['u1 u2 n1'])
      subscription.ask(9)
      await sim.settle()
      await give('u3')
      await sim.settle()
      expect(got(journal)).toEqual(['u1 u2 n1', 'b1 b2', 'u3'])
    })
  })

  it('lets the lowest level pay when the buffer is full', async () => {
    await simulate().run(async (sim) => {
      const { journal, subscription, give } = await prioritised({ producer: { bufferSize: 4 } })
      await give('b1 u1 n1 b2 u2 n2')
      await give('u3')
      expect(journal.of('discarded')).toEqual([2, 1])
      subscription.ask(9)
      await sim.settle()
      expect(got(journal)).toEqual(['u1 u2 u3 n2'])
    })
  })

  it('keeps the first of the lowest level when the producer says so', async () => {
    await simulate().run(async (sim) => {
      const { journal, subscription, give } = await prioritised({ producer: { bufferSize: 3, bufferKeep: 'first' } })
      await give('b1 b2 b3')
      await give('u1 b4')
      subscription.ask(9)
      await sim.settle()
      expect([got(journal), journal.of('discarded')]).toEqual([['u1 b1 b2'], [2]])
    })
  })

  it('lets a lower level through when its patience is at an end', async () => {
    await simulate().run(async (sim) => {
      const { journal, subscription, give } = await prioritised({ dispatcher: { patience: 2 } })
      await give('u1 u2 u3 u4 u5 b1 b2')
      for (let asked = 0; asked < 7; asked++) {
        subscription.ask(1)
        await sim.settle()
      }
      expect(got(journal)).toEqual(['u1', 'u2', 'b1', 'u3', 'u4', 'b2', 'u5'])
    })
  })

  it('passes an info on behind what was there when it came', async () => {
    await simulate().run(async (sim) => {
      const { journal, source, subscription, give } = await prioritised()
      await give('n1 b1')
      asyncInfo(source, 'marker')
      await give('u1 b2')
      const infos: number[] = []
      for (let asked = 0; asked < 4; asked++) {
        subscription.ask(1)
        await sim.settle()
        infos.push(journal.of('info').length)
      }
      expect(got(journal)).toEqual(['u1', 'n1', 'b1', 'b2'])
      expect(infos).toEqual([0, 0, 1, 1])
    })
  })

  it('sends what was emitted while demand accumulated when it is forwarded', async () => {
    await simulate().run(async (sim) => {
      const { journal, source, subscription, give } = await prioritised({ producer: { demand: 'accumulate' } })
      await give('b1 u1')
      await give('n1')
      setDemand(source, 'forward')
      await sim.settle()
      subscription.ask(3)
      await sim.settle()
      expect(got(journal)).toEqual(['u1 n1 b1'])
    })
  })

  it('leaves it to another dispatcher who gets the events', () =>
    bench(
      () => byPriority({ dispatcher: new FairDispatcher() }),
      (bench) => {
        const consumers = bench.asking(4, 4)
        expect(bench.dispatcher.dispatch(['u1', 'u2', 'n1', 'n2'])).toEqual([])
        expect(bench.news(consumers)).toEqual([[['u1', 'u2']], [['n1', 'n2']]])
        expect(bench.dispatcher.options).toEqual(['weight'])
        expect(bench.dispatcher.check({ weight: 0 })).toContain('weight')
        expect(bench.dispatcher.kept).toBe(0)
      },
    ))

  it('is told in what the stage says of itself', async () => {
    await simulate().run(async () => {
      const { source, give } = await prioritised()
      await give('b1')
      expect(await stageInfo(source)).toMatchObject({ dispatcher: 'PriorityDispatcher', buffered: 1 })
    })
  })

  it('ends the producer when priority gives no level, and names it', async () => {
    await simulate().run(async (sim) => {
      const { source, give } = await prioritised()
      const text = 'priority of a PriorityDispatcher gave strange, expected urgent, normal, bulk'
      await expect(give('strange')).rejects.toMatchObject({ cause: { code: 'bad_return', message: text } })
      expect(source.alive).toBe(false)
      expect(sim.logs.filter(({ level }) => level === 'error')).toHaveLength(1)
    })
  })

  it.each([
    [{ levels: 0 }, 'levels of a PriorityDispatcher: expected a whole number >= 1, or the names'],
    [{ levels: 1.5 }, 'got 1.5'],
    [{ levels: [] }, 'levels of'],
    [{ levels: ['a', 'b', 'a'] }, 'each once, got a,b,a'],
    [{ patience: 0 }, 'patience of a PriorityDispatcher: expected a whole number >= 1 or Infinity, got 0'],
    [{ patience: Number.NaN }, 'got NaN'],
    [{ dispatcher: byPriority() }, 'dispatcher of a PriorityDispatcher: expected one that leaves it to the stage'],
  ])('refuses %j', (options, text) => {
    expect(() => byPriority(options as Options)).toThrow(text)
    expect(() => byPriority(options as Options)).toThrow(expect.objectContaining({ code: 'bad_options' }))
  })

  it.each([3, -1, 0.5, Number.NaN, '1'])('takes levels as numbers, but not %s of three', (level) => {
    const dispatcher = new PriorityDispatcher<unknown, 3>({ levels: 3, priority: () => level as number })
    expect(() => dispatcher.buffer(1, 'last').store([1])).toThrow('expected a whole number from 0 to 2')
  })
})

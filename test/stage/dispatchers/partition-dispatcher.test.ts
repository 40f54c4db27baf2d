import {
  asyncInfo,
  estimateBufferedCount,
  none,
  PartitionDispatcher,
  type PartitionDispatcherOptions,
  type Ref,
  type Subscription,
  setDemand,
  stageInfo,
  start,
  syncSubscribe,
} from 'sluice'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { stableHash } from '../../../src/otp/stable-hash.ts'
import { type Bench, bench as benchOf } from '../../support/dispatcher-bench.ts'
import { RawProcess } from '../../support/raw-process.ts'
import { Counter, Journal, Middle, type Note, range, Sink, Source, type SourceArg } from '../../support/stages.ts'

type Options = PartitionDispatcherOptions<unknown, string | number>

function bench(options: Options, test: (bench: Bench<PartitionDispatcher>) => void): Promise<void> {
  return benchOf(() => new PartitionDispatcher(options), test)
}

function state({ dispatcher }: Bench<PartitionDispatcher>) {
  const { waiting, pending } = dispatcher.state
  return [waiting, pending]
}

/** Every event is the name of its partition, or a pair of it and something. */
const hash = (event: unknown) => String(event).charAt(0)
const letters: Options = { partitions: ['a', 'b', 'c'], hash }

interface SplitterArg extends SourceArg {
  readonly partitions?: Options
}

class Splitter extends Source {
  constructor(arg: SplitterArg = {}) {
    const { partitions = letters, ...rest } = arg
    super({ ...rest, options: { ...arg.options, dispatcher: new PartitionDispatcher(partitions) } })
  }
}

class SplittingCounter extends Counter {
  constructor(arg: { readonly until: number; readonly partitions: Options; readonly note?: Note }) {
    super({ ...arg, options: { dispatcher: new PartitionDispatcher(arg.partitions), demand: 'accumulate' } })
  }
}

/** A consumer that is asked by hand, of a partition. */
function take(from: Ref<Source>, partition: string | number): [RawProcess, Subscription] {
  const raw = new RawProcess()
  return [raw, raw.subscribeTo(from, { partition })]
}

describe('the partition dispatcher', () => {
  it('S241 sends each event to the consumer of its partition, in order', () =>
    bench(letters, (bench) => {
      const [a, b, c] = ['a', 'b', 'c'].map((partition) => bench.subscribe({ partition }))
      expect([a, b, c].map((subscription) => bench.ask(5, subscription))).toEqual([5, 5, 5])
      expect(bench.dispatcher.dispatch(['a1', 'b1', 'a2', 'c1', 'b2', 'a3'])).toEqual([])
      expect([a, b, c].map((subscription) => bench.sent(subscription))).toEqual([
        [['a1', 'a2', 'a3']],
        [['b1', 'b2']],
        [['c1']],
      ])
    }))

  it('S241 takes numbers for names, wherever they stand', () =>
    bench({ partitions: [5, 1, -3], hash: (event) => Number(event) }, (bench) => {
      const consumers = [5, 1, -3].map((partition) => bench.subscribe({ partition }))
      for (const consumer of consumers) bench.ask(9, consumer)
      bench.dispatcher.dispatch([1, 5, 1, -3])
      expect(consumers.map((consumer) => bench.sent(consumer))).toEqual([[[5]], [[1, 1]], [[-3]]])
    }))

  it.each([
    ['a count', 3, [0, 1, 2]],
    ['numbers', [7, 8, 9], [7, 8, 9]],
  ])('S241 spreads by what the events say when partitions are %s', (_what, partitions, names) =>
    bench({ partitions }, (bench) => {
      const consumers = names.map((partition) => bench.subscribe({ partition }))
      for (const consumer of consumers) bench.ask(100, consumer)
      const events = range(0, 99).map((id) => ({ id }))
      bench.dispatcher.dispatch(events)
      const expected = names.map((_, place) => events.filter((event) => stableHash(event) % 3 === place))
      expect(consumers.map((consumer) => bench.sent(consumer)[0])).toEqual(expected)
      expect(Math.min(...expected.map(({ length }) => length))).toBeGreaterThan(15)
    }),
  )

  it('S241 consumers of named and of numbered partitions get what is theirs', async () => {
    await simulate().run(async (sim) => {
      const parity = (n: unknown) => (Number(n) % 2 === 0 ? 'even' : 'odd')
      const partitions: Options = { partitions: ['odd', 'even'], hash: parity }
      const counter = await start(SplittingCounter, { arg: { until: 100, partitions } })
      const journals = await Promise.all(
        ['odd', 'even'].map(async (partition) => {
          const journal = new Journal()
          await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: counter, partition, maxDemand: 10 }] })
          return journal
        }),
      )
      setDemand(counter, 'forward')
      await sim.settle()
      for (const [index, journal] of journals.entries()) {
        expect(journal.events).toEqual(range(0, 99).filter((n) => n % 2 === 1 - index))
      }
    })
  })

  it('S242 pools demand: what one who left had asked for is for whoever asks next', () =>
    bench({ partitions: 2, hash: () => 0 }, (bench) => {
      const c = bench.subscribe({ partition: 0 })
      expect(bench.ask(10, c)).toBe(10)
      expect(state(bench)).toEqual([10, 0])
      expect(bench.dispatcher.cancel(c)).toBe(0)
      expect(state(bench)).toEqual([10, 10])
      const other = bench.subscribe({ partition: 1 })
      expect(bench.ask(5, other)).toBe(0)
      expect(state(bench)).toEqual([10, 5])
      expect(bench.dispatcher.cancel(other)).toBe(0)
      expect(state(bench)).toEqual([10, 10])
      expect(bench.dispatcher.dispatch(range(1, 4))).toEqual([])
      expect(state(bench)).toEqual([6, 10])
    }))

  it('S242 gives back what was not asked for', () =>
    bench({ partitions: 1, hash: () => 0 }, (bench) => {
      const c = bench.subscribe({ partition: 0 })
      bench.ask(3, c)
      bench.dispatcher.dispatch([1])
      expect(state(bench)).toEqual([2, 0])
      expect(bench.ask(3, c)).toBe(3)
      expect(state(bench)).toEqual([5, 0])
      expect(bench.dispatcher.dispatch(range(2, 8))).toEqual([7, 8])
      expect(bench.sent(c)).toEqual([[1], range(2, 6)])
      expect(state(bench)).toEqual([0, 0])
      expect(bench.dispatcher.ready).toBe(0)
    }))

  it('S243 keeps the events of a partition that nobody claimed for its first consumer', () =>
    bench(letters, (bench) => {
      const b = bench.subscribe({ partition: 'b' })
      bench.ask(5, b)
      const early = range(1, 5).map((n) => `a${n}`)
      expect(bench.dispatcher.dispatch(early)).toEqual([])
      expect(state(bench)).toEqual([0, 0])
      expect(bench.dispatcher.kept).toBe(5)
      const a = bench.subscribe({ partition: 'a' })
      expect(bench.ask(3, a)).toBe(3)
      expect(bench.ask(2, a)).toBe(2)
      expect(bench.sent(a)).toEqual([early.slice(0, 3), early.slice(3)])
      expect(state(bench)).toEqual([5, 0])
      expect(bench.dispatcher.kept).toBe(0)
    }))

  it('S244 none drops an event, which uses no demand; another may be sent instead', () => {
    const partitions: Options = {
      partitions: ['a', 'b'],
      hash: (event) => {
        if (event === 'x') return none
        return event === 'c' ? { event: 'instead', partition: 'b' } : String(event)
      },
    }
    return bench(partitions, (bench) => {
      const [a, b] = ['a', 'b'].map((partition) => bench.subscribe({ partition }))
      bench.ask(2, a)
      bench.ask(2, b)
      expect(bench.dispatcher.dispatch(['x', 'a', 'x', 'c', 'x'])).toEqual([])
      expect([bench.sent(a), bench.sent(b)]).toEqual([[['a']], [['instead']]])
      expect(state(bench)).toEqual([2, 0])
      // Else the producer, which has done its part, would never be asked again.
      expect(bench.demanded).toEqual([3])
    })
  })

  it('S244 does not stall when nearly everything is dropped', async () => {
    await simulate().run(async (sim) => {
      const partitions: Options = { partitions: 2, hash: (n) => (Number(n) % 10 === 9 ? Number(n) % 2 : none) }
      const counter = await start(SplittingCounter, { arg: { until: 1000, partitions } })
      const journal = new Journal()
      for (const partition of [0, 1]) {
        await start(Sink, { arg: { note: journal.note }, subscribeTo: [{ to: counter, partition, maxDemand: 3 }] })
      }
      setDemand(counter, 'forward')
      await sim.settle()
      expect(journal.events).toEqual(range(0, 999).filter((n) => n % 10 === 9))
    })
  })

  it.each([
    ['an unknown partition', 'd', "it returned 'd', expected 'a', 'b', 'c', none or { event, partition }"],
    ['nothing', undefined, 'it returned undefined, expected'],
    ['a pair', ['a', 'b'], 'it returned an array of 2, expected'],
    ['an object', { partition: 'a' }, 'it returned an object of partition, expected'],
    ['an unknown partition for another', { event: 1, partition: 5 }, 'it returned 5, expected'],
    ['a promise', Promise.resolve('a'), 'it returned a Promise, expected'],
  ])('S245 ends the producer when the hash returns %s', async (_what, hashed, text) => {
    await simulate().run(async () => {
      const partitions = { partitions: ['a', 'b', 'c'], hash: () => hashed as 'a' }
      const splitter = await start(Splitter, { arg: { partitions } })
      take(splitter, 'a')[1].ask(5)
      splitter.cast.give('first')
      const reason = await splitter.done
      expect(reason).toMatchObject({ code: 'bad_partition' })
      expect(String(reason)).toContain(`the hash of the partitions of ${splitter} failed on event 'first': ${text}`)
    })
  })

  it('S245 ends the producer when the hash throws, and names the event', async () => {
    await simulate().run(async (sim) => {
      const torn = new Error('torn')
      const partitions: Options = {
        partitions: ['a', 'b', 'c'],
        hash: (event) => {
          if (event === 'b') throw torn
          return String(event)
        },
      }
      const splitter = await start(Splitter, { arg: { partitions } })
      const [raw, subscription] = take(splitter, 'a')
      subscription.ask(5)
      splitter.cast.give('a', 'b')
      expect(await splitter.done).toMatchObject({ code: 'bad_partition', cause: torn })
      expect(String(await splitter.done)).toContain("failed on event 'b': torn")
      await sim.settle()
      expect(raw.of('events')).toEqual([])
    })
  })

  it('S245 says what to do when the default hash cannot hash an event', async () => {
    await simulate().run(async () => {
      const splitter = await start(Splitter, { arg: { partitions: { partitions: 2 } } })
      take(splitter, 0)[1].ask(5)
      splitter.cast.give(() => {})
      expect(String(await splitter.done)).toContain('failed on event a function: cannot hash')
    })
  })

  it.each([
    [
      'no partitions',
      {},
      'partitions of a PartitionDispatcher: expected a number >= 1, or an array of names, got undef',
    ],
    ['none', { partitions: 0 }, 'expected a number >= 1, or an array of names, got 0'],
    ['half a partition', { partitions: 0.5 }, 'expected a number >= 1, or an array of names, got 0.5'],
    ['an empty list', { partitions: [] }, 'expected a number >= 1, or an array of names, got an empty array'],
    [
      'a name twice',
      { partitions: ['a', 'a'], hash },
      "partitions of a PartitionDispatcher: expected names that differ, got 'a'",
    ],
    [
      'an object for a name',
      { partitions: [{}], hash },
      'expected names that are strings or whole numbers, got an empty object',
    ],
    [
      'names without a hash',
      { partitions: ['a', 'b'] },
      'hash of a PartitionDispatcher: expected a function from an event to',
    ],
    [
      'a hash that is none',
      { partitions: 2, hash: 'id' },
      "hash of a PartitionDispatcher: expected a function of an event, got 'id'",
    ],
    [
      'no room for events',
      { partitions: 2, maxQueued: 0 },
      'maxQueued of a PartitionDispatcher: expected a whole number >= 1',
    ],
  ])('S246 cannot be made with %s', (_what, options, text) => {
    expect(() => new PartitionDispatcher(options as Options)).toThrow(text)
  })

  it.each([
    ['no partition', {}, "partition: expected one of 'a', 'b', 'c', got none"],
    ['an unknown partition', { partition: 'd' }, "partition: expected one of 'a', 'b', 'c', got 'd'"],
    ['a selector', { partition: 'a', selector: () => true }, 'it has a PartitionDispatcher, which takes no selector'],
  ])('S246 a subscription with %s fails the start of its consumer, and nothing else', async (_what, options, text) => {
    await simulate().run(async (sim) => {
      const splitter = await start(Splitter)
      const starting = start(Sink, { subscribeTo: [{ to: splitter, ...options }] })
      await expect(starting).rejects.toMatchObject({ cause: { code: 'bad_options' } })
      await expect(starting).rejects.toThrow(`cannot subscribe to ${splitter}: ${text}`)
      expect(sim.processes).toEqual([splitter])
    })
  })

  it('S246 a partition has one consumer: another is refused, and does not disturb it', async () => {
    await simulate().run(async (sim) => {
      const splitter = await start(Splitter)
      const [first, second] = [new Journal(), new Journal()]
      const owner = await start(Sink, {
        arg: { note: first.note },
        subscribeTo: [{ to: splitter, partition: 'a', cancel: 'temporary' }],
      })
      await sim.settle()
      const intruder = await start(Sink, {
        arg: { note: second.note },
        subscribeTo: [{ to: splitter, partition: 'a' }],
      })
      const reason = await intruder.done
      expect(reason).toMatchObject({ code: 'bad_options' })
      expect(String(reason)).toContain(`partition 'a' belongs to ${owner}`)
      expect(second.of('cancel')).toEqual([['cancel', reason]])
      // A restart takes the place of who died, whoever of the two is heard first.
      owner.kill()
      const heir = await start(Sink, { arg: { note: first.note }, subscribeTo: [{ to: splitter, partition: 'a' }] })
      await splitter.call.give('a1')
      await sim.settle()
      expect(first.events).toEqual(['a1'])
      expect((await stageInfo(splitter)).consumers).toEqual([heir])
    })
  })

  it('one consumer may serve several partitions', async () => {
    await simulate().run(async (sim) => {
      const splitter = await start(Splitter)
      const journal = new Journal()
      const sink = await start(Sink, { arg: { note: journal.note } })
      for (const partition of ['a', 'b']) await syncSubscribe(sink, { to: splitter, partition })
      await sim.settle()
      await splitter.call.give('a1', 'b1', 'a2')
      await sim.settle()
      expect(journal.of('events').toSorted()).toEqual([['a1', 'a2'], ['b1']])
    })
  })
})

describe('what waits for a partition', () => {
  it('S247 stays for the next consumer when one leaves', () =>
    bench(letters, (bench) => {
      const [a, b] = ['a', 'b'].map((partition) => bench.subscribe({ partition })) as [Subscription, Subscription]
      bench.ask(2, a)
      bench.ask(5, b)
      bench.dispatcher.dispatch(['a1', 'a2', 'a3', 'a4', 'b1'])
      expect(state(bench)).toEqual([2, 0])
      expect(bench.dispatcher.cancel(a)).toBe(0)
      expect(state(bench)).toEqual([2, 0])
      const heir = bench.subscribe({ partition: 'a' })
      expect(bench.ask(10, heir)).toBe(10)
      expect(bench.sent(heir)).toEqual([['a3', 'a4']])
      // 8 more for the heir, 4 for b.
      expect(state(bench)).toEqual([12, 0])
    }))

  it('S247 an info behind it goes on waiting when the consumer leaves', () =>
    bench(letters, (bench) => {
      const b = bench.subscribe({ partition: 'b' })
      bench.ask(2, b)
      bench.dispatcher.dispatch(['a1', 'a2'])
      const infos: string[] = []
      const a = bench.subscribe({ partition: 'a' })
      bench.ask(1, a)
      bench.dispatcher.info(() => infos.push('info'))
      bench.dispatcher.cancel(a)
      expect(infos).toEqual([])
      const heir = bench.subscribe({ partition: 'a' })
      bench.ask(1, heir)
      expect(bench.sent(heir)).toEqual([['a2']])
      expect(infos).toEqual(['info'])
    }))

  it('is for the new partitions when there are others, in order, with the infos behind it', () =>
    bench(letters, (bench) => {
      const b = bench.subscribe({ partition: 'b' })
      bench.ask(9, b)
      bench.dispatcher.dispatch(['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
      const infos: string[] = []
      bench.dispatcher.info(() => infos.push('info'))
      expect(() => bench.dispatcher.repartition({ partitions: 2 })).toThrow(
        'the producer cannot have other partitions while somebody is subscribed: subscription',
      )
      bench.dispatcher.cancel(b)
      bench.dispatcher.repartition({
        partitions: ['odd', 'even'],
        hash: (event) => (event === 'c2' ? none : Number(String(event).at(-1)) % 2 === 1 ? 'odd' : 'even'),
      })
      expect([bench.dispatcher.kept, bench.demanded]).toEqual([4, [1]])
      const [odd, even] = ['odd', 'even'].map((partition) => bench.subscribe({ partition })) as [
        Subscription,
        Subscription,
      ]
      bench.ask(5, odd)
      expect(infos).toEqual([])
      bench.ask(5, even)
      expect([bench.sent(odd), bench.sent(even), infos]).toEqual([[['a1', 'a3', 'c1']], [['a2']], ['info']])
      expect(bench.dispatcher.check({ partition: 'a' })).toBe("partition: expected one of 'odd', 'even', got 'a'")
    }))

  it('S248 an info waits behind all of it and is delivered once, with the last event', () =>
    bench(letters, (bench) => {
      const c = bench.subscribe({ partition: 'c' })
      bench.ask(6, c)
      bench.dispatcher.dispatch(['a1', 'b1', 'a2'])
      const infos: number[] = []
      bench.dispatcher.info(() => infos.push(1))
      bench.dispatcher.info(() => infos.push(2))
      bench.dispatcher.dispatch(['a3', 'b2'])
      const [a, b] = ['a', 'b'].map((partition) => bench.subscribe({ partition })) as [Subscription, Subscription]
      bench.ask(10, a)
      // Split where the infos are.
      expect(bench.sent(a)).toEqual([['a1', 'a2'], ['a3']])
      expect(infos).toEqual([])
      bench.ask(1, b)
      expect(bench.sent(b)).toEqual([['b1']])
      expect(infos).toEqual([1, 2])
      bench.ask(5, b)
      expect(bench.sent(b)).toEqual([['b1'], ['b2']])
      expect(infos).toEqual([1, 2])
    }))

  it('S248 an info with nothing in front is delivered at once', () =>
    bench(letters, (bench) => {
      let infos = 0
      bench.dispatcher.info(() => infos++)
      expect(infos).toBe(1)
    }))

  it('S248 the end of a stage that drains waits for the last partition', async () => {
    await simulate().run(async (sim) => {
      const splitter = await start(Splitter)
      const [, b] = take(splitter, 'b')
      const [raw, a] = take(splitter, 'a')
      b.ask(2)
      await sim.settle()
      await splitter.call.give('a1', 'a2')
      asyncInfo(splitter, 'hello')
      const stopping = splitter.stop({ drain: true })
      a.ask(1)
      await sim.settle()
      expect(splitter.alive).toBe(true)
      a.ask(1)
      await stopping
      expect(raw.of('events')).toEqual([['a1'], ['a2']])
    })
  })

  it('S249 idle partitions that ask feed the busy one, up to what they asked for', () =>
    bench({ partitions: 2, hash: () => 0 }, (bench) => {
      const [busy, idle] = [0, 1].map((partition) => bench.subscribe({ partition }))
      bench.ask(5, busy)
      for (let asked = 0; asked < 3; asked++) expect(bench.ask(100, idle)).toBe(100)
      expect(bench.dispatcher.dispatch(range(1, 306))).toEqual([306])
      expect(bench.sent(busy)).toEqual([range(1, 5)])
      expect(bench.dispatcher.kept).toBe(300)
      expect(state(bench)).toEqual([0, 0])
    }))

  it('is counted by stageInfo and estimateBufferedCount', async () => {
    await simulate().run(async (sim) => {
      const splitter = await start(Splitter)
      take(splitter, 'b')[1].ask(3)
      await sim.settle()
      await splitter.call.give('a1', 'a2', 'a3', 'a4')
      expect(await estimateBufferedCount(splitter)).toBe(4)
      expect((await stageInfo(splitter)).buffered).toBe(4)
    })
  })

  it('is bounded: when one partition is full nothing more is asked for, until half of it is gone', () =>
    bench({ partitions: 2, hash: () => 0, maxQueued: 10 }, (bench) => {
      const [busy, idle] = [0, 1].map((partition) => bench.subscribe({ partition }))
      expect(bench.ask(8, idle)).toBe(8)
      bench.dispatcher.dispatch(range(1, 8))
      expect(bench.said).toEqual([])
      expect(bench.ask(8, idle)).toBe(8)
      bench.dispatcher.dispatch(range(9, 12))
      expect(bench.said).toHaveLength(1)
      expect(bench.said[0]).toContain('12 events wait for partition 0 of the producer')
      // What was asked for before still comes.
      expect(bench.ask(100, idle)).toBe(0)
      expect(bench.dispatcher.dispatch(range(13, 16))).toEqual([])
      expect(bench.dispatcher.kept).toBe(16)
      expect(bench.ask(10, busy)).toBe(0)
      expect(bench.dispatcher.kept).toBe(6)
      expect(bench.ask(1, busy)).toBe(111)
      expect(state(bench)).toEqual([111, 0])
      expect(bench.sent(busy).flat()).toEqual(range(1, 11))
    }))

  it('is bounded for a partition that nobody serves', async () => {
    await simulate().run(async (sim) => {
      const note = new Journal()
      const partitions: Options = { partitions: 2, hash: (n) => Number(n) % 2, maxQueued: 20 }
      const counter = await start(SplittingCounter, { arg: { until: 1_000_000, partitions, note: note.note } })
      const raw = new RawProcess()
      const greedy = raw.subscribeTo(counter, { partition: 0 })
      setDemand(counter, 'forward')
      for (let round = 0; round < 50; round++) {
        greedy.ask(10)
        await sim.settle()
      }
      expect(await estimateBufferedCount(counter)).toBeLessThanOrEqual(30)
      const [report] = sim.logs
      expect(report?.message).toContain('which nobody serves')
      expect(sim.logs).toHaveLength(1)
      // Its consumer comes, and everything goes on.
      const late = new RawProcess()
      const heir = late.subscribeTo(counter, { partition: 1 })
      for (let round = 0; round < 60; round++) {
        heir.ask(10)
        await sim.settle()
      }
      expect(raw.of('events').flat()).toEqual(range(0, 499).map((n) => 2 * n))
      expect(late.of('events').flat().slice(0, 500)).toEqual(range(0, 499).map((n) => 2 * n + 1))
    })
  })
})

describe('a producer-consumer with partitions', () => {
  it('S244 goes on when everything is dropped', async () => {
    await simulate().run(async (sim) => {
      class Dropping extends Middle {
        constructor() {
          const partitions: Options = { partitions: 2, hash: (n) => (n === 499 ? 1 : none) }
          super({ options: { dispatcher: new PartitionDispatcher(partitions) } })
        }
      }
      const counter = await start(Counter, { arg: { until: 500 } })
      const dropping = await start(Dropping, { subscribeTo: [{ to: counter, maxDemand: 10 }] })
      const journal = new Journal()
      await start(Sink, {
        arg: { note: journal.note },
        subscribeTo: [{ to: dropping, partition: 1, maxDemand: 4 }],
      })
      await sim.settle()
      expect(journal.events).toEqual([499])
    })
  })
})

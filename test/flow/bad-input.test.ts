import { Readable } from 'node:stream'
import { child, Producer } from 'sluice'
import { Flow, type FlowSource } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { inSimulation, numbers, rejection, src } from '../support/flows.ts'

const same = <T>(x: T): T => x
const seeds = [1, 2, 3, 4]

/** Gives two events, then fails. */
class Failing extends Producer<number> {
  override handleDemand(): readonly number[] {
    this.continue('fail')
    return [1, 2]
  }

  override handleContinue(): never {
    throw new Error('on purpose')
  }
}

const failing: { readonly [what: string]: FlowSource<number> } = {
  'a generator': function* () {
    yield* [1, 2]
    throw new Error('on purpose')
  },
  'an async generator': async function* () {
    yield* [1, 2]
    throw new Error('on purpose')
  },
  'a function that opens a source': () => {
    throw new Error('on purpose')
  },
  'a stream': () =>
    Readable.from(
      (async function* () {
        yield* [1, 2]
        throw new Error('on purpose')
      })(),
    ),
}

const sources: readonly (readonly [string, () => Flow<number>])[] = [
  ...Object.entries(failing).map(([what, source]) => [what, () => Flow.from(source)] as const),
  ...Object.entries(failing).map(
    ([what, source]) => [`${what} beside another`, () => Flow.fromAll([numbers(1, 5000), source])] as const,
  ),
  ['a producer', () => Flow.fromSpecs([child(Failing)])],
]

describe.each(sources)('%s that fails half-way', (_, source) => {
  it.each(seeds)(
    'F192 F204 fails the flow with its error, fires nothing and leaves nothing (seed %i)',
    async (seed) => {
      await inSimulation(async (sim) => {
        let fired = 0
        const flow = source()
          .map(same)
          .partition({ stages: 3, maxDemand: 4 })
          .groupBy((x) => x % 7)
          .onTrigger((groups) => {
            fired++
            return [[...groups.keys()], groups]
          })
          .shuffle({ stages: 2 })
          .map(same)
        const failed = { code: 'failed', cause: { message: 'on purpose' } }
        const read = async () => {
          for await (const _ of flow) fired++
        }
        expect(await rejection(flow.toArray())).toMatchObject(failed)
        expect(await rejection(flow.run())).toMatchObject(failed)
        expect(await rejection(flow.forEach(() => {}))).toMatchObject(failed)
        expect(await rejection(read())).toMatchObject(failed)
        const started = await flow.start({ link: false }).then(({ done }) => done, same)
        // Only what cannot be opened is known at the start.
        if (started !== 'shutdown')
          expect(started).toMatchObject({ code: 'start_failed', cause: { cause: failed.cause } })
        await sim.settle()
        expect(fired).toBe(0)
        expect(sim.processes).toEqual([])
        expect(sim.clock.pending).toBe(0)
      }, seed)
    },
  )
})

describe('a key', () => {
  const events = [1, 2, 1]
  class Point {
    readonly x = 1
  }
  const use: { readonly [what: string]: (key: (x: number) => unknown) => Flow<unknown> } = {
    partition: (key) => src(events).partition({ stages: 2, key }).map(same),
    groupBy: (key) => src(events).groupBy(key).shuffle(),
    groupByKey: (key) =>
      src(events)
        .map((x): [unknown, number] => [key(x), x])
        .groupByKey()
        .shuffle(),
    uniqBy: (key) => src(events).uniqBy(key),
    uniq: (key) => src(events).map(key).uniq(),
    'a join': (key) => Flow.boundedJoin('inner', src(events), src(events), key, key, same),
  }
  const none: readonly (readonly [string, (x: number) => unknown])[] = [
    ['a Date', (x) => new Date(x)],
    ['a Point', () => new Point()],
    ['a Map', () => new Map()],
    ['a Promise', async (x) => x],
    ['Symbol(x)', () => Symbol('x')],
    ['a Date', (x) => ({ day: [new Date(x)] })],
  ]

  it.each(Object.keys(use))('that is an instance of a class is refused by %s, which says what to do', async (what) => {
    await inSimulation(async () => {
      for (const [shown, key] of none) {
        // A map awaits it.
        if (what === 'uniq' && shown === 'a Promise') continue
        const error = await rejection(use[what]?.(key).toArray() ?? Promise.resolve())
        expect(error).toMatchObject({
          code: 'failed',
          message: expect.stringMatching(`cannot hash ${shown.replace(/[()]/g, '.')}.*: a key is a string, number`),
        })
      }
    })
  })

  it.each(Object.keys(use))('that is an object or undefined is one like any other for %s', async (what) => {
    await inSimulation(async () => {
      const counts = {
        partition: [3, 3],
        groupBy: [2, 1],
        groupByKey: [2, 1],
        uniqBy: [2, 1],
        uniq: [2, 1],
        'a join': [5, 9],
      }
      const objects = await use[what]?.((x) => ({ of: x, at: [x, null] })).toArray()
      const nothing = await use[what]?.(() => undefined).toArray()
      expect([objects?.length, nothing?.length]).toEqual(Object.entries(counts).find(([name]) => name === what)?.[1])
    })
  })

  it('that throws fails the flow, and names the event', async () => {
    await inSimulation(async () => {
      const fails = (x: number) => {
        if (x === 2) throw new RangeError('on purpose')
        return x
      }
      for (const build of Object.values(use)) {
        expect(await rejection(build(fails).toArray())).toMatchObject({
          code: 'failed',
          message: expect.stringContaining('on purpose'),
        })
      }
      expect(await rejection(use['partition']?.(fails).toArray() ?? Promise.resolve())).toMatchObject({
        message: expect.stringContaining('on event 2: on purpose'),
      })
    })
  })
})

describe('a callback that returns the wrong thing', () => {
  it('is told what was expected', async () => {
    await inSimulation(async () => {
      const flow = src([1])
      const cases: readonly (readonly [Flow<unknown>, RegExp])[] = [
        [flow.flatMap(() => 'text'), /flatMap returned 'text', expected an iterable/],
        [flow.flatMap(async () => null as never), /flatMap returned null, expected an iterable/],
        [flow.mapBatch(() => new Set() as never), /mapBatch returned a Set, expected an array/],
        [flow.mapBatch(async () => 5 as never), /mapBatch returned 5, expected an array/],
        [
          flow
            .emitAndReduce(
              () => 0,
              () => [5, 0] as never,
            )
            .shuffle(),
          /emitAndReduce returned an array of 2, expected \[events, accumulator\]/,
        ],
        [
          flow
            .emitAndReduce(
              () => 0,
              () => 5 as never,
            )
            .shuffle(),
          /emitAndReduce returned 5/,
        ],
        [
          flow
            .reduce(() => 0, same)
            .onTrigger(async () => [] as never)
            .shuffle(),
          /onTrigger returned an empty array/,
        ],
      ]
      for (const [each, message] of cases) {
        const error = await rejection(each.toArray())
        expect(error).toMatchObject({
          code: 'failed',
          cause: { code: 'bad_return', message: expect.stringMatching(message) },
        })
      }
    })
  })
})

describe('what is not async', () => {
  const asynchronous = (): never => Promise.resolve(0) as never
  const seen = 'returned a promise, but reducers are not async: await in a map before it'
  const broken = async (): Promise<never> => {
    throw new Error('of what it was given')
  }

  it.each([
    ['a reducer', () => src([1, 2]).reduce(() => 0, asynchronous), 'reduce'],
    ['a reducer that fails of it', () => src([1, 2]).reduce(() => 0, broken as never), 'reduce'],
    [
      'a reducer behind another function',
      () =>
        src([1, 2])
          .map(same)
          .reduce(() => 0, asynchronous),
      'reduce',
    ],
    ['what makes an accumulator', () => src([1, 2]).reduce(asynchronous, same), 'reduce'],
    ['a reducer that emits', () => src([1, 2]).emitAndReduce(() => 0, asynchronous), 'emitAndReduce'],
  ] as const)('refuses a promise: %s', async (_, flow, operation) => {
    await inSimulation(async () => {
      expect(await rejection(flow().emit('state').toArray())).toMatchObject({
        cause: { code: 'bad_return', message: `a function given to ${operation} ${seen}` },
      })
    })
  })
})

describe('an iterator as a source', () => {
  it('is refused by the second run, which would find it empty', async () => {
    await inSimulation(async () => {
      const rows = function* () {
        yield* [1, 2]
      }
      const flow = src(rows())
      expect(await flow.toArray()).toEqual([1, 2])
      const refused = {
        code: 'failed',
        cause: { code: 'bad_flow', message: expect.stringContaining('give a function') },
      }
      expect(await rejection(flow.toArray())).toMatchObject(refused)
      expect(await rejection(flow.first())).toMatchObject(refused)
      const once = rows()
      const key = (n: number) => n
      const joined = Flow.boundedJoin('inner', src(once), src(once), key, key, (left, right) => [left, right])
      expect(await rejection(joined.toArray())).toMatchObject(refused)
      for (const opened of [src(rows), src(() => rows()), src([1, 2]), src(new Set([1, 2]))]) {
        expect(await opened.toArray()).toEqual([1, 2])
        expect(await opened.toArray()).toEqual([1, 2])
      }
    })
  })

  it('a text is refused at once', () => {
    expect(() => Flow.from('rows.csv')).toThrow(/got the text 'rows.csv'.*files\.lines\(path\)/)
  })
})

describe('what waits for a flow', () => {
  it.each([
    ['an unknown option', { timeout: 5 }, 'toArray has no option timeout: known are signal, workers'],
    [
      'no signal',
      { signal: new AbortController() },
      'signal of toArray: expected an AbortSignal, got an AbortController',
    ],
    ['no options', 5, 'the options of toArray: expected an object of options, got 5'],
  ])('refuses %s', async (_, options, message) => {
    expect(await rejection(src([1]).toArray(options as never))).toMatchObject({ code: 'bad_options', message })
  })

  it('refuses what is no number and no function', async () => {
    const flow = src([1])
    for (const [wrong, message] of [
      [flow.take('2' as never), "take: expected how many to take, a number >= 0, got '2'"],
      [flow.take(Number.NaN), 'take: expected how many to take, a number >= 0, got NaN'],
      [flow.forEach(undefined as never), 'forEach: expected a function, got undefined'],
      [flow.reduceAll(((a: number) => a) as never, 0 as never), 'reduceAll: expected a function, got 0'],
    ] as const) {
      expect(await rejection(wrong)).toMatchObject({ code: 'bad_options', message })
    }
    const pairs = flow as unknown as Flow<readonly [number, number]>
    expect(await rejection(pairs.toMap())).toMatchObject({
      cause: { message: 'toMap: expected pairs, [key, value], got 1' },
    })
  })
})

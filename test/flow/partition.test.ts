import fc from 'fast-check'
import { none, PartitionDispatcher } from 'sluice'
import { Flow } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import {
  add,
  append,
  byRemainder,
  inSimulation,
  isEven,
  list,
  numbers,
  rejection,
  sorted,
  src,
  zero,
} from '../support/flows.ts'

const ten = src(numbers(1, 10))
const total = (events: readonly number[]): number => events.reduce((sum, event) => sum + event, 0)

describe('a partition', () => {
  it('F83 gives each stage the events of its hash', async () => {
    await inSimulation(async () => {
      const sums = await ten
        .partition({ stages: 4, hash: byRemainder(4) })
        .reduce(zero, add)
        .emit('state')
        .toArray()
      expect(sorted(sums)).toEqual([10, 12, 15, 18])
    })
  })

  it('F84 without events still fires', async () => {
    await inSimulation(async () => {
      const odd = ten.partition({ stages: 4, hash: byRemainder(4) }).reject(isEven)
      expect(sorted(await odd.reduce(zero, add).emit('state').toArray())).toEqual([0, 0, 10, 15])
    })
  })

  it('F85 may get everything', async () => {
    await inSimulation(async () => {
      const lists = await ten
        .partition({ stages: 4, hash: () => 0 })
        .reduce(list<number>, append)
        .emit('state')
        .toArray()
      expect(lists.toSorted((a, b) => a.length - b.length)).toEqual([[], [], [], numbers(1, 10)])
    })
  })

  it('F86 brings equal keys together, whatever the key, and loses nothing', async () => {
    const event = fc.record({
      k: fc.oneof(fc.string(), fc.integer(), fc.constantFrom(-0, 0, NaN), fc.array(fc.nat(2))),
      id: fc.nat(),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 60 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(),
        async (events, stages, seed) => {
          await inSimulation(async () => {
            const text = (e: { k: unknown }) => JSON.stringify(Object.is(e.k, NaN) ? 'not a number' : e.k)
            for (const key of ['k', { key: 'k' }, (e: { k: unknown }) => e.k] as const) {
              const lists = await src(events, { maxDemand: 7 })
                .shuffle({ stages: 2 })
                .map((e) => e)
                .partition({ stages, key })
                .reduce(list<(typeof events)[number]>, append)
                .emit('state')
                .toArray()
              expect(
                lists
                  .flat()
                  .map(({ id }) => id)
                  .sort(),
              ).toEqual(events.map(({ id }) => id).sort())
              for (const each of new Set(events.map(text))) {
                expect(lists.filter((of) => of.some((e) => text(e) === each))).toHaveLength(1)
              }
            }
          }, seed)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('F86 takes the place in a tuple as its key', async () => {
    await inSimulation(async () => {
      const pairs = numbers(1, 20).map((x): [number, string] => [x % 3, `${x}`])
      for (const key of [0, { elem: 0 }] as const) {
        const lists = await src(pairs)
          .partition({ stages: 3, key })
          .reduce(list<[number, string]>, append)
          .emit('state')
          .toArray()
        expect(lists.flat()).toHaveLength(20)
        for (const k of [0, 1, 2]) expect(lists.filter((of) => of.some(([own]) => own === k))).toHaveLength(1)
      }
    })
  })

  it('F87 may replace events, or drop them', async () => {
    await inSimulation(async () => {
      const hash = (x: number) => (isEven(x) ? ([x * 100, 0] as const) : none)
      expect(await src(numbers(1, 6)).partition({ stages: 2, hash }).toArray()).toEqual([200, 400, 600])
      expect(await src(numbers(1, 6)).partition({ stages: 1, hash }).toArray()).toEqual([200, 400, 600])
    })
  })

  it('F88 that does not exist is named', async () => {
    await inSimulation(async () => {
      const error = await rejection(ten.partition({ stages: 2, hash: () => 7 }).toArray())
      expect(error).toMatchObject({ code: 'failed', message: expect.stringMatching(/returned 7, expected 0, 1/) })
    })
  })

  it('F89 by a property that is missing fails', async () => {
    await inSimulation(async () => {
      const events: readonly { readonly a?: number }[] = [{}]
      const error = await rejection(src(events).partition({ stages: 2, key: 'a' }).toArray())
      expect(error).toMatchObject({ code: 'failed', message: expect.stringMatching(/has no a, which is the key/) })
    })
  })

  it('F91 merges by broadcast', async () => {
    await inSimulation(async () => {
      expect(sorted(await src([1, 2, 3]).merge('broadcast', { stages: 2 }).toArray())).toEqual([1, 1, 2, 2, 3, 3])
    })
  })

  it('F92 merges with a dispatcher of the user', async () => {
    await inSimulation(async () => {
      const byParity = () => new PartitionDispatcher<number>({ partitions: 2, hash: (x) => x % 2 })
      const lists = await src([1, 2, 3, 4])
        .merge(byParity, { stages: 2 })
        .reduce(list<number>, append)
        .emit('state')
        .toArray()
      expect(lists.toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0))).toEqual([
        [1, 3],
        [2, 4],
      ])
    })
  })

  it('F93 takes several flows', async () => {
    await inSimulation(async () => {
      const odd = src(numbers(1, 100))
        .reject(isEven)
        .map((x) => x * 2)
      const even = src(numbers(1, 100))
        .filter(isEven)
        .map((x) => x * 2)
      const sums = await Flow.partition([odd, even], { stages: 4 }).reduce(zero, add).emit('state').toArray()
      expect(total(sums)).toBe(10_100)
      const first = Flow.partition([odd, even], { stages: 4, hash: () => 0 })
        .reduce(zero, add)
        .emit('state')
      expect(sorted(await first.toArray())).toEqual([0, 0, 0, 10_100])
      expect(await Flow.shuffle([odd, even], { stages: 1 }).reduce(zero, add).emit('state').toArray()).toEqual([10_100])
    })
  })

  it('F96 F95 brings equal words together, which otherwise meet by chance', async () => {
    await inSimulation(async () => {
      const tally = (word: string, counts: Map<string, number>) => counts.set(word, (counts.get(word) ?? 0) + 1)
      const words = Flow.from(['roses are red', 'violets are blue'], { stages: 2, maxDemand: 1 }).flatMap((line) =>
        line.split(' '),
      )
      const apart = await words.reduce(() => new Map<string, number>(), tally).toArray()
      expect(apart.filter(([word]) => word === 'are')).toEqual([
        ['are', 1],
        ['are', 1],
      ])
      const together = words
        .partition({ stages: 2, hash: (word) => word.length % 2 })
        .reduce(() => new Map<string, number>(), tally)
        .onTrigger((counts, { index }, { id, trigger }) => [[{ index, counts, id, trigger }], counts])
      const done = { id: 'global', trigger: 'done' }
      expect((await together.toArray()).toSorted((a, b) => a.index - b.index)).toEqual([
        { index: 0, counts: new Map([['blue', 1]]), ...done },
        {
          index: 1,
          counts: new Map([
            ['roses', 1],
            ['are', 2],
            ['red', 1],
            ['violets', 1],
          ]),
          ...done,
        },
      ])
    })
  })

  it('F97 follows a partition', async () => {
    await inSimulation(async () => {
      const sums = src(numbers(1, 8))
        .partition({ stages: 2, hash: byRemainder(2) })
        .reduce(zero, add)
        .emit('state')
      expect(await sums.partition({ stages: 1 }).reduce(zero, add).emit('state').toArray()).toEqual([36])
    })
  })
})

import { Flow, FlowError } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { add, inSimulation, list, numbers, rejection, sorted, src, zero } from '../support/flows.ts'

const total = (events: readonly number[]): number => events.reduce((sum, event) => sum + event, 0)
const withSum = (x: number, sum: number): readonly [readonly number[], number] => [[x], sum + x]

describe('a reducer', () => {
  it('F68 whose accumulator has no elements is told to say what it becomes', async () => {
    await inSimulation(async () => {
      const error = await rejection(src([1]).reduce(zero, add).toArray())
      expect(error).toBeInstanceOf(FlowError)
      expect(error).toMatchObject({ cause: { code: 'no_events', message: expect.stringContaining('onTrigger') } })
    })
  })

  it('F69 emits the elements of its accumulator by default', async () => {
    await inSimulation(async () => {
      const tally = (word: string, counts: Map<string, number>) => counts.set(word, (counts.get(word) ?? 0) + 1)
      const flow = src(['a', 'b', 'a']).reduce(() => new Map<string, number>(), tally)
      expect(await flow.toArray()).toEqual([
        ['a', 2],
        ['b', 1],
      ])
      expect(await flow.toMap()).toEqual(
        new Map([
          ['a', 2],
          ['b', 1],
        ]),
      )
      const object = src(['a', 'b']).reduce(
        (): Record<string, number> => ({}),
        (word, all) => ({ ...all, [word]: 1 }),
      )
      expect(await object.toArray()).toEqual([
        ['a', 1],
        ['b', 1],
      ])
    })
  })

  it('F70 refuses a trigger that gives no pair', async () => {
    await inSimulation(async () => {
      for (const wrong of [5, [1], [1, 2], [[1], 2, 3]]) {
        const error = await rejection(
          src([1])
            .reduce(zero, add)
            .onTrigger(() => wrong as never)
            .toArray(),
        )
        expect(error).toMatchObject({
          cause: { code: 'bad_return', message: expect.stringContaining('[events, accumulator]') },
        })
      }
    })
  })

  it('F71 that emits nothing gives nothing', async () => {
    await inSimulation(async () => {
      expect(await src([1, 2]).reduce(zero, add).emit('nothing').toArray()).toEqual([])
    })
  })

  it.each([1, 2, 4])('F72 in %i stages sums up everything once', async (stages) => {
    await inSimulation(async () => {
      const sums = await Flow.fromAll(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        { stages, maxDemand: 1 },
      )
        .reduce(zero, add)
        .emit('state')
        .toArray()
      expect(sums).toHaveLength(stages)
      expect(total(sums)).toBe(21)
    })
  })

  it('F73 that emits at once gives its events and its accumulator', async () => {
    await inSimulation(async () => {
      const flow = Flow.fromAll(
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        { stages: 2 },
      )
      expect(total(await flow.emitAndReduce(zero, withSum).emit('state').toArray())).toBe(42)
      expect(
        total(
          await flow
            .flatMap((x) => [x, x])
            .emitAndReduce(zero, withSum)
            .emit('state')
            .toArray(),
        ),
      ).toBe(84)
    })
  })

  it('F74 emits in the order of the events, the accumulator last', async () => {
    await inSimulation(async () => {
      const flow = src([1, 2, 3])
        .flatMap((x) => [x, x])
        .emitAndReduce(zero, withSum)
        .emit('state')
      expect(await flow.toArray()).toEqual([1, 1, 2, 2, 3, 3, 12])
    })
  })

  it('F75 that emits at once goes on doing so when its accumulator is not wanted', async () => {
    await inSimulation(async () => {
      expect(await src([1, 2]).emitAndReduce(zero, withSum).emit('nothing').toArray()).toEqual([1, 2])
    })
  })

  it('F76 makes windows that slide', async () => {
    await inSimulation(async () => {
      const flow = src(numbers(1, 5)).emitAndReduce(list<number>, (x, last) => {
        const next = [x, ...last].slice(0, 3)
        return [[next.toReversed()], next]
      })
      expect(await flow.toArray()).toEqual([[1], [1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5], 5, 4, 3])
    })
  })

  it('F77 groupBy collects by key, newest first', async () => {
    await inSimulation(async () => {
      const groups = await src(['the', 'quick', 'brown', 'fox'])
        .groupBy((word) => word.length)
        .toMap()
      expect(groups).toEqual(
        new Map([
          [3, ['fox', 'the']],
          [5, ['brown', 'quick']],
        ]),
      )
    })
  })

  it('F78 groupBy may collect something of each event', async () => {
    await inSimulation(async () => {
      const groups = src(['apple', 'bob', 'bee']).groupBy(
        (word) => word.charAt(0),
        (word) => word.length,
      )
      expect(await groups.toArray()).toEqual([
        ['a', [5]],
        ['b', [3, 3]],
      ])
    })
  })

  it('F79 groupByKey collects the values of pairs', async () => {
    await inSimulation(async () => {
      const pairs: readonly (readonly [string, number])[] = [
        ['foo', 1],
        ['foo', 2],
        ['bar', 3],
        ['foo', 4],
        ['bar', 5],
      ]
      expect(await src(pairs).groupByKey().emit('state').toArray()).toEqual([
        new Map([
          ['foo', [4, 2, 1]],
          ['bar', [5, 3]],
        ]),
      ])
    })
  })

  it('groups by keys that are equal by what they say', async () => {
    await inSimulation(async () => {
      const groups = await src([1, 2, 3, 4])
        .groupBy((x) => [x % 2, { even: x % 2 === 0 }])
        .toArray()
      expect(groups).toEqual([
        [
          [1, { even: false }],
          [3, 1],
        ],
        [
          [0, { even: true }],
          [4, 2],
        ],
      ])
      const nothing = await rejection(
        src([1])
          .groupBy(() => () => 1)
          .toArray(),
      )
      expect(nothing).toMatchObject({ cause: { message: expect.stringContaining('cannot hash') } })
    })
  })

  it('F81 that emits at once can be run for nothing', async () => {
    await inSimulation(async () => {
      const seen: number[] = []
      await src([1, 2])
        .emitAndReduce(zero, (x, sum) => {
          seen.push(x)
          return [[x], sum + x]
        })
        .run()
      expect(seen).toEqual([1, 2])
    })
  })

  it('F148 without input fires once in each stage', async () => {
    await inSimulation(async () => {
      const flow = src(list<number>(), { stages: 2 }).reduce(zero, add)
      const triggered = flow.onTrigger((sum, stage, window) => [[{ sum, stage, window }], sum])
      const window = { type: 'global', id: 'global', trigger: 'done' }
      const fired = await triggered.toArray()
      expect(fired.toSorted((a, b) => a.stage.index - b.stage.index)).toEqual([
        { sum: 0, stage: { index: 0, total: 2 }, window },
        { sum: 0, stage: { index: 1, total: 2 }, window },
      ])
    })
  })

  it('may await in a trigger', async () => {
    await inSimulation(async () => {
      expect(
        await src([1, 2])
          .reduce(zero, add)
          .onTrigger(async (sum) => [[sum], sum])
          .toArray(),
      ).toEqual([3])
    })
  })
})

describe('uniq', () => {
  it('F99 before a reducer keeps the first of equal events', async () => {
    await inSimulation(async () => {
      expect(await src([1, 1, 2, 3, 3]).uniq().reduce(zero, add).emit('state').toArray()).toEqual([6])
    })
  })

  it('F100 alone gives events at once and in order', async () => {
    await inSimulation(async () => {
      expect(await src(numbers(1, 5)).uniq().toArray()).toEqual([1, 2, 3, 4, 5])
      const endless = function* () {
        for (let x = 0; ; x++) yield x % 7
      }
      expect(await src(endless, { maxDemand: 10 }).uniq().take(7)).toEqual(numbers(0, 6))
    })
  })

  it('F98 is right only when equal keys meet', async () => {
    await inSimulation(async () => {
      const parity = (x: number) => x % 2
      const hundred = src(numbers(1, 100))
      expect(await hundred.partition().uniqBy(parity).toArray()).toEqual([1, 2])
      expect(sorted(await hundred.partition({ stages: 2, hash: parity }).uniqBy(parity).toArray())).toEqual([1, 2])
      expect(
        sorted(
          await hundred
            .partition({ stages: 4, hash: (x) => x % 4 })
            .uniqBy(parity)
            .toArray(),
        ),
      ).toEqual([1, 2, 3, 4])
    })
  })
})

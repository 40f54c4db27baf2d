import { start } from 'sluice'
import { Flow, FlowError, type JoinMode } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { Manual } from '../../support/flow-stages.ts'
import {
  add,
  append,
  byRemainder,
  double,
  inSimulation,
  list,
  numbers,
  rejection,
  src,
  zero,
} from '../../support/flows.ts'

const same = <T>(x: T): T => x
const pair = <L, R>(left: L, right: R): readonly [L, R] => [left, right]
const text = (rows: readonly unknown[]): readonly string[] => rows.map((row) => JSON.stringify(row)).sort()

/** Rows in whatever order. */
async function rowsOf(flow: Flow<unknown>): Promise<readonly string[]> {
  return text(await flow.toArray())
}

const lefts = src([0, 1, 2, 3])
const rights = src([4, 5, 6, 7, 8])
const less3 = (x: number) => x - 3
const met = [
  [1, 4],
  [2, 5],
  [3, 6],
]

describe.each([1, 3])('a bounded join in %i stages', (stages) => {
  const joined = (mode: JoinMode) => Flow.boundedJoin(mode, lefts, rights, same<number>, less3, pair, { stages })

  it('F118 inner gives the pairs with equal keys', async () => {
    await inSimulation(async () => {
      expect(await rowsOf(joined('inner'))).toEqual(text(met))
    })
  })

  it('F119 left_outer gives what the left has alone too', async () => {
    await inSimulation(async () => {
      expect(await rowsOf(joined('left_outer'))).toEqual(text([...met, [0, null]]))
    })
  })

  it('F120 right_outer gives what the right has alone too', async () => {
    await inSimulation(async () => {
      expect(await rowsOf(joined('right_outer'))).toEqual(text([...met, [null, 7], [null, 8]]))
    })
  })

  it('F121 full_outer gives what either has alone too', async () => {
    await inSimulation(async () => {
      expect(await rowsOf(joined('full_outer'))).toEqual(text([...met, [0, null], [null, 7], [null, 8]]))
    })
  })

  it('F122 of what never meets gives rows of outer modes only', async () => {
    await inSimulation(async () => {
      const alone = (mode: JoinMode) =>
        rowsOf(Flow.boundedJoin(mode, lefts, rights, same<number>, same<number>, pair, { stages }))
      const left = numbers(0, 3).map((x) => [x, null])
      const right = numbers(4, 8).map((x) => [null, x])
      expect(await alone('inner')).toEqual([])
      expect(await alone('left_outer')).toEqual(text(left))
      expect(await alone('right_outer')).toEqual(text(right))
      expect(await alone('full_outer')).toEqual(text([...left, ...right]))
    })
  })

  it('F123 is mapped and reduced', async () => {
    await inSimulation(async () => {
      const rows = Flow.boundedJoin('inner', lefts, src([4, 5, 6]), same<number>, less3, pair, { stages })
      const sums = rows.map(([left, right]) => left + right)
      expect((await sums.toArray()).sort()).toEqual([5, 7, 9])
      const reduced = await sums.reduce(zero, add).emit('state').toArray()
      expect(reduced).toHaveLength(stages)
      expect(reduced.reduce((all, sum) => all + sum)).toBe(21)
    })
  })

  it('F124 joins flows that have steps of their own', async () => {
    await inSimulation(async () => {
      const left = src(numbers(0, 9)).partition({ stages: 4, hash: byRemainder(4) })
      const right = src(numbers(0, 9)).map((x) => x + 10)
      const sums = await Flow.boundedJoin(
        'inner',
        left,
        right,
        same<number>,
        (x) => x - 10,
        (l, r) => l + r,
        { stages },
      )
        .reduce(zero, add)
        .emit('state')
        .toArray()
      expect(sums.reduce((all, sum) => all + sum)).toBe(190)
    })
  })

  it('F127 gives its outer rows to the operations behind it', async () => {
    await inSimulation(async () => {
      const rows = Flow.boundedJoin('left_outer', src([1, 2]), src([2, 3]), same<number>, same<number>, pair, {
        stages,
      })
      expect(await rowsOf(rows.map(([left, right]) => [left * 10, right]))).toEqual(
        text([
          [10, null],
          [20, 2],
        ]),
      )
    })
  })

  it('F128 compares keys by what they say', async () => {
    await inSimulation(async () => {
      const key = (x: number) => [x, { a: x, b: null }]
      const other = (x: number) => [x, { b: null, a: x }]
      const rows = Flow.boundedJoin('inner', src([1, 2]), src([2, 3]), key, other, pair, { stages })
      expect(await rows.toArray()).toEqual([[2, 2]])
      const strict = Flow.boundedJoin('inner', src([1]), src<number | string>(['1']), same<number | string>, same, pair)
      expect(await strict.toArray()).toEqual([])
    })
  })

  it('takes null and undefined as keys like any other', async () => {
    await inSimulation(async () => {
      const keys = src([null, undefined, 1])
      const rows = Flow.boundedJoin('inner', keys, keys, same, same, () => 'met', { stages })
      expect(await rows.toArray()).toEqual(['met', 'met', 'met'])
    })
  })
})

/** A join of two producers that are told what to give, with what it has given so far. */
async function byHand<Row>(build: (left: Flow<number>, right: Flow<number>) => Flow<Row>) {
  const left = await start(Manual)
  const right = await start(Manual)
  const rows: Row[] = []
  const flow = build(Flow.fromStages([left]), Flow.fromStages([right]))
  const done = flow.forEach((row) => void rows.push(row))
  return { left, right, rows, done }
}

describe('a join', () => {
  it('F125 gives each pair once, as it meets, the newest partner first', async () => {
    await inSimulation(async (sim) => {
      const byTens = (x: number) => x % 10
      const { left, right, rows, done } = await byHand((lefts, rights) =>
        Flow.boundedJoin('inner', lefts, rights, byTens, byTens, pair),
      )
      left.cast.give(11, 21)
      await sim.settle()
      expect(rows).toEqual([])
      right.cast.give(101, 201)
      await sim.settle()
      expect(rows).toEqual([
        [21, 101],
        [11, 101],
        [21, 201],
        [11, 201],
      ])
      left.cast.end('normal')
      right.cast.end('normal')
      await done
      expect(rows).toHaveLength(4)
    })
  })

  it('gives outer rows at the end, left ones first, the newest first for each key', async () => {
    await inSimulation(async (sim) => {
      const { left, right, rows, done } = await byHand((lefts, rights) =>
        Flow.boundedJoin(
          'full_outer',
          lefts,
          rights,
          (x) => x % 10,
          (x) => x % 10,
          pair,
        ),
      )
      right.cast.give(2, 12)
      left.cast.give(1, 11)
      await sim.settle()
      right.cast.end('normal')
      await sim.settle()
      expect(rows).toEqual([])
      left.cast.end('normal')
      await done
      expect(rows).toEqual([
        [11, null],
        [1, null],
        [null, 12],
        [null, 2],
      ])
    })
  })

  it('is spread over its stages by key', async () => {
    await inSimulation(async () => {
      const all = src(numbers(1, 100))
      const seen = await Flow.boundedJoin('inner', all, all, same<number>, same<number>, pair, { stages: 4 })
        .reduce(zero, (_, count) => count + 1)
        .emit('state')
        .toArray()
      expect(seen.reduce((sum, count) => sum + count)).toBe(100)
      expect(seen.every((count) => count > 10)).toBe(true)
    })
  })

  it('F126 reduces pairs and outer rows into one state', async () => {
    await inSimulation(async () => {
      const states = await Flow.boundedJoin('full_outer', src([1, 2]), src([2, 3]), same<number>, same<number>, pair)
        .reduce(list<readonly [number | null, number | null]>, append)
        .emit('state')
        .toArray()
      expect(states).toHaveLength(1)
      expect(text(states.flat())).toEqual(
        text([
          [1, null],
          [2, 2],
          [null, 3],
        ]),
      )
    })
  })

  it('of a flow with itself reads its source twice', async () => {
    await inSimulation(async () => {
      const flow = src([1, 2, 3]).map(double)
      const rows = Flow.boundedJoin(
        'inner',
        flow,
        flow,
        (x) => x,
        (x) => x + 2,
        pair,
      )
      expect(await rowsOf(rows)).toEqual(
        text([
          [4, 2],
          [6, 4],
        ]),
      )
    })
  })

  it('may be joined again, and be a side itself', async () => {
    await inSimulation(async () => {
      const first = Flow.boundedJoin('inner', src([1, 2, 3]), src([2, 3, 4]), same<number>, same<number>, (l) => l)
      const rows = Flow.boundedJoin('left_outer', first, src([3, 3]), same<number>, same<number>, pair, { stages: 2 })
      expect(await rowsOf(rows)).toEqual(
        text([
          [2, null],
          [3, 3],
          [3, 3],
        ]),
      )
    })
  })

  it('awaits a function that is async, one row after another', async () => {
    await inSimulation(async () => {
      let running = 0
      const slowly = async (left: number | null, right: number | null) => {
        expect(++running).toBe(1)
        await Promise.resolve()
        running--
        return (left ?? 0) + (right ?? 0)
      }
      const rows = Flow.boundedJoin('full_outer', src([1, 1, 1, 2]), src([1, 1, 3]), same<number>, same<number>, slowly)
      expect((await rows.toArray()).sort()).toEqual([2, 2, 2, 2, 2, 2, 2, 3])
    })
  })

  it.each([false, true])(
    'gives mapBatch the rows that a batch makes, and the outer rows as one (async %s)',
    async (async) => {
      await inSimulation(async (sim) => {
        const batches: unknown[] = []
        const note = (rows: readonly (readonly [number | null, number | null])[]) => {
          batches.push(rows)
          const sums = rows.map(([left, right]) => (left ?? 0) + (right ?? 0))
          return async ? Promise.resolve(sums) : sums
        }
        const { left, right, rows, done } = await byHand((lefts, rights) =>
          Flow.boundedJoin('full_outer', lefts, rights, same<number>, same<number>, pair)
            .mapBatch(note)
            .mapBatch((sums) => [...sums, 100]),
        )
        left.cast.give(1, 2, 3)
        await sim.settle()
        right.cast.give(2, 3, 4, 5)
        await sim.settle()
        left.cast.end('normal')
        right.cast.end('normal')
        await done
        expect(batches).toEqual([
          [
            [2, 2],
            [3, 3],
          ],
          [
            [1, null],
            [null, 4],
            [null, 5],
          ],
        ])
        expect(rows).toEqual([4, 6, 100, 1, 4, 5, 100])
      })
    },
  )

  it('runs for its function alone', async () => {
    await inSimulation(async () => {
      const seen: unknown[] = []
      await Flow.boundedJoin('full_outer', src([1]), src([2]), same<number>, same<number>, (left, right) =>
        seen.push([left, right]),
      ).run()
      expect(seen).toEqual([
        [1, null],
        [null, 2],
      ])
    })
  })

  it('gives no outer rows when a side fails', async () => {
    await inSimulation(async (sim) => {
      const { left, right, rows, done } = await byHand((lefts, rights) =>
        Flow.boundedJoin('full_outer', lefts, rights, same<number>, same<number>, pair),
      )
      const failed = rejection(done)
      left.cast.give(1)
      right.cast.give(2)
      await sim.settle()
      left.cast.end('normal')
      right.cast.end('on purpose')
      expect(await failed).toMatchObject({ code: 'failed' })
      expect(rows).toEqual([])
    })
  })
})

describe('a join refuses', () => {
  function refusal(build: () => unknown): string {
    try {
      build()
    } catch (error) {
      if (error instanceof FlowError) return `${error.code}: ${error.message}`
      throw error
    }
    throw new Error('it was expected to throw')
  }
  const join = (change: { mode?: unknown; left?: unknown; leftKey?: unknown; join?: unknown; options?: unknown }) =>
    Flow.boundedJoin(
      (change.mode ?? 'inner') as JoinMode,
      (change.left ?? lefts) as Flow<number>,
      rights,
      (change.leftKey ?? same) as () => number,
      less3,
      (change.join ?? pair) as () => number,
      (change.options ?? {}) as object,
    )

  it('F133 a mode that is none', () => {
    expect(refusal(() => join({ mode: 'cross' }))).toBe(
      "bad_options: mode of boundedJoin: expected one of 'inner', 'left_outer', 'right_outer', 'full_outer', got 'cross'",
    )
  })

  it('what is no flow, no function, no option', () => {
    expect(refusal(() => join({ left: [lefts] }))).toMatch(/left side of boundedJoin: expected a flow;.*Flow.shuffle/)
    expect(refusal(() => join({ leftKey: 'id' }))).toMatch(/leftKey of boundedJoin: expected a function, got 'id'/)
    expect(refusal(() => join({ join: {} }))).toMatch(/join of boundedJoin: expected a function/)
    expect(refusal(() => join({ options: { stages: 0 } }))).toMatch(/stages of boundedJoin/)
    expect(refusal(() => join({ options: { key: same } }))).toMatch(/boundedJoin has no option key/)
    expect(refusal(() => join({ options: { window: undefined } }))).toMatch(/windowJoin takes its window/)
    const none: never = undefined as never
    expect(refusal(() => Flow.windowJoin('inner', lefts, rights, none, same<number>, less3, pair))).toMatch(
      /window of windowJoin: expected a window/,
    )
  })

  it('a side with a dispatcher of its own', async () => {
    await inSimulation(async () => {
      const dispatcher = () => {
        throw new Error('not made')
      }
      const flow = join({ left: Flow.from([1], { dispatcher }) })
      expect(await rejection(flow.run())).toMatchObject({
        code: 'bad_flow',
        message: expect.stringContaining('the left side of a join was given a dispatcher'),
      })
    })
  })

  it.each([
    ['a Date', () => new Date(0)],
    ['Symbol(a)', () => Symbol('a')],
    ['a Promise', async () => 1],
  ])('a key that is %s', async (what, leftKey) => {
    await inSimulation(async () => {
      for (const stages of [1, 2]) {
        const error = await rejection(join({ leftKey, options: { stages } }).toArray())
        expect(error).toMatchObject({ code: 'failed', message: expect.stringContaining(`cannot hash ${what}`) })
      }
    })
  })
})

import { type Ref, start } from 'sluice'
import { Flow, type JoinMode, Window, type WindowDefinition } from 'sluice/flow'
import type { Simulation } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Manual } from '../../support/flow-stages.ts'
import { append, inSimulation, list, numbers, src } from '../../support/flows.ts'

type Row = readonly [left: number | null, right: number | null]

const same = <T>(x: T): T => x
const less3 = (x: number) => x - 3
const pair = (left: number | null, right: number | null): Row => [left, right]
const text = (rows: readonly unknown[]): readonly string[] => rows.map((row) => JSON.stringify(row)).sort()
const tens = Window.fixed(10, 'millisecond', (x: number) => x)

/** A join whose sides give what they are told to, with the rows so far; the left ends before the right. */
async function byHand(
  sim: Simulation,
  window: WindowDefinition<number>,
  use: (left: Ref<Manual>, right: Ref<Manual>, rows: readonly Row[]) => Promise<void>,
  mode: JoinMode = 'full_outer',
): Promise<readonly Row[]> {
  const left = await start(Manual)
  const right = await start(Manual)
  const rows: Row[] = []
  const [lefts, rights] = [Flow.fromStages([left]), Flow.fromStages([right])]
  const flow = Flow.windowJoin(mode, lefts, rights, window, same<number>, same<number>, pair)
  const done = flow.forEach((row) => void rows.push(row))
  await use(left, right, rows)
  await sim.settle()
  left.cast.end('normal')
  await sim.settle()
  right.cast.end('normal')
  await done
  return rows
}

describe('a join in windows', () => {
  it.each([1, 2])('F129 joins what is in the same window, whatever its triggers (%i stages)', async (stages) => {
    await inSimulation(async () => {
      const lefts = src([0, 1, 2, 3, 9, 10, 11])
      const rights = src([4, 5, 6, 7, 8, 12, 13])
      const rows = await Flow.windowJoin('full_outer', lefts, rights, tens.triggerEvery(2), same<number>, less3, pair, {
        stages,
      }).toArray()
      expect(text(rows)).toEqual(
        text([
          [0, null],
          [1, 4],
          [2, 5],
          [3, 6],
          [9, null],
          [10, 13],
          [11, null],
          [null, 7],
          [null, 8],
          [null, 12],
        ]),
      )
    })
  })

  it('F130 is not cleared by triggers', async () => {
    await inSimulation(async (sim) => {
      const rows = await byHand(
        sim,
        Window.global<number>().triggerEvery(2),
        async (left, right) => {
          left.cast.give(...numbers(1, 4))
          await sim.settle()
          right.cast.give(...numbers(1, 4))
        },
        'inner',
      )
      expect(rows).toEqual(numbers(1, 4).map((x) => [x, x]))
    })
  })

  it('a trigger makes no outer rows', async () => {
    await inSimulation(async (sim) => {
      const rows = await byHand(sim, Window.global<number>().triggerEvery(1), async (left, right, rows) => {
        left.cast.give(1, 2)
        await sim.settle()
        right.cast.give(2, 3)
        await sim.settle()
        expect(rows).toEqual([[2, 2]])
      })
      expect(rows).toEqual([
        [2, 2],
        [1, null],
        [null, 3],
      ])
    })
  })

  it('F131 gives a trigger of its own the events of both sides, before they are joined', async () => {
    await inSimulation(async (sim) => {
      const seen: (readonly number[])[] = []
      const window = Window.global<number>().trigger(
        () => 0,
        (events, state) => {
          seen.push(events)
          return { state, events: events.filter((x) => x !== 3) }
        },
      )
      const rows = await byHand(sim, window, async (left, right) => {
        left.cast.give(1, 2, 3)
        await sim.settle()
        right.cast.give(3, 2)
      })
      expect(seen.filter((events) => events.length > 0)).toEqual([
        [1, 2, 3],
        [3, 2],
      ])
      expect(rows).toEqual([
        [2, 2],
        [1, null],
      ])
    })
  })

  it('F132 gives the outer rows of a window when that closes', async () => {
    await inSimulation(async (sim) => {
      const rows = await byHand(sim, Window.count<number>(2), async (left, right, rows) => {
        left.cast.give(1, 2)
        await sim.settle()
        expect(rows).toEqual([
          [1, null],
          [2, null],
        ])
        right.cast.give(1, 2)
      })
      expect(rows).toEqual([
        [1, null],
        [2, null],
        [null, 1],
        [null, 2],
      ])
    })
  })

  it('forgets a fixed window when both sides have passed it', async () => {
    await inSimulation(async (sim) => {
      const rows = await byHand(sim, tens, async (left, right, rows) => {
        left.cast.give(1, 2, 12)
        await sim.settle()
        right.cast.give(2, 11)
        await sim.settle()
        expect(rows).toEqual([
          [2, 2],
          [1, null],
        ])
        // Late: its window is closed.
        right.cast.give(1, 12)
        await sim.settle()
      })
      expect(rows).toEqual([
        [2, 2],
        [1, null],
        [12, 12],
        [null, 11],
      ])
    })
  })

  it('gives outer rows to the reducer of their window, before it fires', async () => {
    await inSimulation(async (sim) => {
      const [left, right] = [await start(Manual), await start(Manual)]
      const flow = Flow.windowJoin(
        'left_outer',
        Flow.fromStages([left]),
        Flow.fromStages([right]),
        tens,
        same<number>,
        same<number>,
        pair,
      )
        .reduce(list<Row>, append)
        .onTrigger((rows, _, { id, trigger }) => [[{ id, trigger, rows }], rows])
      const fired = flow.toArray()
      left.cast.give(1, 2, 12)
      await sim.settle()
      right.cast.give(2, 12)
      await sim.settle()
      left.cast.end('normal')
      right.cast.end('normal')
      expect(await fired).toEqual([
        {
          id: 0,
          trigger: 'done',
          rows: [
            [2, 2],
            [1, null],
          ],
        },
        { id: 10, trigger: 'done', rows: [[12, 12]] },
      ])
    })
  })

  it('F134 brings together what was posted in the same second', async () => {
    await inSimulation(async () => {
      const posts = [
        { post: 1, title: 'a', at: 0 },
        { post: 2, title: 'b', at: 500 },
        { post: 3, title: 'c', at: 1500 },
      ]
      const comments = [
        { on: 1, text: 'now', at: 100 },
        { on: 2, text: 'later', at: 1100 },
        { on: 3, text: 'now', at: 1900 },
        { on: 1, text: 'much later', at: 2500 },
      ]
      const options = { stages: 1, maxDemand: 1 }
      const rows = Flow.windowJoin(
        'inner',
        Flow.from(posts, options),
        Flow.from(comments, options),
        Window.fixed(1, 'second', 'at'),
        ({ post }) => post,
        ({ on }) => on,
        ({ title }, comment) => `${title} ${comment.text}`,
        options,
      )
      expect((await rows.toArray()).sort()).toEqual(['a now', 'c now'])
    })
  })

  it.each([false, true])(
    'knows the side of events that a session window held back (triggers: %s)',
    async (triggers) => {
      await inSimulation(async (sim) => {
        const sessions = Window.session(10, 'millisecond', (x: number) => x)
        const rows = await byHand(sim, triggers ? sessions.triggerEvery(2) : sessions, async (left, right, rows) => {
          left.cast.give(1, 2, 5, 30)
          await sim.settle()
          expect(rows).toEqual([])
          right.cast.give(2, 4, 30)
          await sim.settle()
        })
        expect(text(rows)).toEqual(
          text([
            [2, 2],
            [1, null],
            [5, null],
            [null, 4],
            [30, 30],
          ]),
        )
      })
    },
  )
})

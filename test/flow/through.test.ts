import { Consumer, child, start } from 'sluice'
import { Flow } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { Collector, Copier, Declining, Finite, Manual, notebook } from '../support/flow-stages.ts'
import { double, inSimulation, isEven, numbers, rejection, sorted, src } from '../support/flows.ts'
import { Counter } from '../support/stages.ts'

const two = Flow.fromAll([
  [1, 2, 3],
  [4, 5, 6],
])
const byLength = (batches: readonly (readonly number[])[]) => batches.toSorted((a, b) => a.length - b.length)
const bySum = (batches: readonly (readonly number[])[]) => batches.toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0))

/** A flow through two stages that run, with a filter between them, into a third. */
async function throughAndInto() {
  const notes = [notebook(), notebook(), notebook()] as const
  const first = await start(Copier, { arg: notes[0].note })
  const second = await start(Copier, { arg: notes[1].note })
  const collector = await start(Collector, { arg: notes[2].note })
  const flow = await two.throughStages([first]).filter(isEven).throughStages([second]).intoStages([collector])
  return { first, second, collector, flow, batches: notes.map(({ batches }) => batches) }
}

describe('a flow through and into stages that run', () => {
  it('F195 gives them its batches, and ends when the last of them have ended', async () => {
    await inSimulation(async (sim) => {
      const { first, second, collector, flow, batches } = await throughAndInto()
      await sim.settle()
      expect(batches.map(bySum)).toEqual([
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        [[2], [4, 6]],
        [[2], [4, 6]],
      ])
      await first.stop()
      await sim.settle()
      expect(flow.alive).toBe(true)
      await second.stop()
      expect(await flow.done).toBe('normal')
      expect(collector.alive).toBe(true)
    })
  })

  it('F195 fails with the last of them', async () => {
    await inSimulation(async (sim) => {
      const { first, second, flow } = await throughAndInto()
      await sim.settle()
      second.kill()
      expect(await flow.done).toBe('shutdown')
      expect(first.alive).toBe(true)
    })
  })

  it('F195 is read as far as its reader likes, and leaves them running', async () => {
    await inSimulation(async () => {
      const { batches, note } = notebook()
      const copier = await start(Copier, { arg: note })
      expect(sorted(await two.throughStages([copier]).filter(isEven).take(3))).toEqual([2, 4, 6])
      expect(sorted(batches.flat())).toEqual(numbers(1, 6))
      expect(copier.alive).toBe(true)
    })
  })

  it('ends with a producer that is not its own', async () => {
    await inSimulation(async (sim) => {
      const { batches, note } = notebook()
      const collector = await start(Collector, { arg: note })
      const source = await start(Manual)
      const flow = await Flow.fromStages([source]).intoStages([collector])
      source.cast.give(1)
      await sim.settle()
      expect(flow.alive).toBe(true)
      await source.stop()
      expect(await flow.done).toBe('normal')
      const failing = await start(Manual)
      const failed = await Flow.fromStages([failing]).intoStages([])
      failing.kill()
      expect(await failed.done).toBe('shutdown')
      expect(batches).toEqual([[1]])
    })
  })
})

describe('a flow through and into stages of its own', () => {
  it('F196 F197 gives them its batches, and ends by itself when they have finished', async () => {
    await inSimulation(async (sim) => {
      const [first, second, third] = [notebook(), notebook(), notebook()]
      const flow = await two
        .throughSpecs([child(Copier, { arg: first.note })])
        .filter(isEven)
        .throughSpecs([child(Copier, { arg: second.note })])
        .intoSpecs([child(Collector, { arg: third.note })])
      expect(await flow.done).toBe('normal')
      expect(bySum(first.batches)).toEqual([
        [1, 2, 3],
        [4, 5, 6],
      ])
      expect(byLength(second.batches)).toEqual([[2], [4, 6]])
      expect(byLength(third.batches)).toEqual([[2], [4, 6]])
      await sim.settle()
      expect(sim.processes).toEqual([])
    })
  })

  it.each(['permanent', 'transient', 'temporary'] as const)(
    'F196 lets each of its consumers finish what it holds (%s)',
    async (restart) => {
      await inSimulation(async (sim) => {
        const done: number[] = []
        class Slow extends Consumer<number> {
          readonly #ms: number
          constructor(ms: number) {
            super()
            this.#ms = ms
          }
          override async handleEvents(events: readonly number[]) {
            for (const event of events) {
              await this.sleep(this.#ms)
              done.push(event)
            }
          }
        }
        const subscribed = { maxDemand: 2, minDemand: 0 }
        const flow = await src(numbers(1, 10))
          .map(double)
          .intoSpecs([
            { child: child(Slow, { id: 'quick', arg: 1, restart }), ...subscribed },
            { child: child(Slow, { id: 'slow', arg: 10_000, restart }), ...subscribed },
          ])
        await sim.advance(2500)
        expect(done.length).toBeLessThan(10)
        expect(flow.alive).toBe(true)
        await sim.advance(30_000)
        expect(sorted(done)).toEqual(numbers(1, 10).map(double))
        expect(await flow.done).toBe('normal')
      })
    },
  )

  it('F196 can be stopped by hand', async () => {
    await inSimulation(async (sim) => {
      const { batches, note } = notebook()
      const flow = await Flow.fromSpecs([child(Counter, { arg: { until: 3 } })])
        .throughSpecs([child(Copier, { arg: () => {} })])
        .intoSpecs([child(Collector, { arg: note, restart: 'transient' })])
      await sim.settle()
      expect(sorted(batches.flat())).toEqual([0, 1, 2])
      expect(flow.alive).toBe(true)
      await flow.stop()
      await sim.settle()
      expect(sim.processes).toEqual([])
    })
  })

  it('F197 ends when its producers do, its own or not, or have declined', async () => {
    await inSimulation(async (sim) => {
      const copier = () => child(Copier, { arg: () => {} })
      expect(sorted(await two.throughSpecs([copier()]).filter(isEven).toArray())).toEqual([2, 4, 6])
      const own = Flow.fromSpecs([child(Finite, { arg: [1, 2] })])
      expect(await own.throughSpecs([copier()]).throughSpecs([copier()]).take(9)).toEqual([1, 2])
      const source = await start(Manual)
      const reading = Flow.fromStages([source]).throughSpecs([copier()]).toArray()
      await sim.settle()
      source.cast.give(1)
      source.cast.end('normal')
      expect(await reading).toEqual([1])
      const declined = Flow.fromSpecs([child(Declining)]).throughSpecs([copier()])
      expect(await declined.toArray()).toEqual([])
      expect(await declined.take(1)).toEqual([])
    })
  })

  it('fails with one of its stages in the middle', async () => {
    await inSimulation(async (sim) => {
      const failing = () => {
        throw new Error('on purpose')
      }
      const through = two.throughSpecs([child(Copier, { arg: failing })])
      expect(await rejection(through.toArray())).toMatchObject({ code: 'failed', cause: { message: 'on purpose' } })
      await sim.settle()
      expect(sim.processes).toEqual([])
    })
  })
})

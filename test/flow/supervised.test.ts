/** Flows among stages that have names, and under supervisors. */

import { child, configure, name, type Ref, StartError, start, supervise, syncSubscribe, whereis } from 'sluice'
import { Flow, FlowCoordinator, FlowError, type RunningFlow } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { Collector, Copier, Manual, notebook } from '../support/flow-stages.ts'
import { add, double, inSimulation, isEven, rejection, sorted, src, zero } from '../support/flows.ts'

/** Holds whoever passes until it is opened. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, passed: async (event: number) => opened.then(() => event) }
}

/** Fails at 13. */
const unlucky = (event: number): number => {
  if (event === 13) throw new Error('on purpose')
  return event
}

describe('a flow between stages that it knows by their names', () => {
  it('finds those that bear them when it starts', async () => {
    await inSimulation(async (sim) => {
      const copied = notebook()
      const { batches, note } = notebook()
      const flow = Flow.fromStages([name(Manual, 'numbers')])
        .throughStages([Copier])
        .map(double)
      for (const event of [1, 2]) {
        const manual = await start(Manual, { name: name(Manual, 'numbers') })
        const copier = await start(Copier, { name: Copier, arg: copied.note })
        const collector = await start(Collector, { name: Collector, arg: note })
        const running = await flow.intoStages([{ to: Collector, maxDemand: 1 }])
        manual.cast.give(event)
        await sim.settle()
        for (const ref of [running, collector, copier, manual]) await ref.stop()
      }
      expect(batches).toEqual([[2], [4]])
      expect(copied.batches).toEqual([[1], [2]])
    })
  })

  it('says whose name nobody bears', async () => {
    await inSimulation(async () => {
      const said = /FlowCoordinator#\d+ cannot subscribe to Manual: no process bears that name; start it before/
      expect(await rejection(Flow.fromStages([Manual]).run())).toMatchObject({
        code: 'failed',
        cause: { code: 'noproc', message: expect.stringMatching(said) },
      })
      expect(await rejection(src([1]).throughStages([Copier]).toArray())).toMatchObject({ cause: { code: 'noproc' } })
      expect(await rejection(src([1]).intoStages([Collector]))).toMatchObject({ cause: { code: 'noproc' } })
    })
  })
})

describe('a flow that is the child of a supervisor', () => {
  it('goes on when its producer is started again', async () => {
    await inSimulation(async (sim) => {
      const { batches, note } = notebook()
      await using _all = await supervise({
        strategy: 'rest_for_one',
        children: [
          child(Manual, { name: Manual }),
          child(Collector, { name: Collector, arg: note }),
          Flow.fromStages([Manual])
            .filter(isEven)
            .child({ intoStages: [Collector] }),
        ],
      })
      name(Manual).cast.give(1, 2)
      await sim.settle()
      whereis(Manual)?.kill()
      await sim.settle()
      name(Manual).cast.give(3, 4)
      await sim.settle()
      expect(batches).toEqual([[2], [4]])
    })
  })

  it('is started again when it failed, and not when it ended, if it is transient', async () => {
    await inSimulation(async (sim) => {
      const reports: string[] = []
      configure({
        logger: { debug() {}, info() {}, warn() {}, error: (_fields, text) => void reports.push(text) },
      })
      let tries = 0
      const opened = function* () {
        yield tries++ === 0 ? 13 : 14
      }
      const seen: number[] = []
      const spec = src(opened)
        .map(unlucky)
        .map((event) => seen.push(event))
        .child({ id: 'import', restart: 'transient' })
      await using supervisor = await supervise({ strategy: 'one_for_one', children: [spec] })
      await sim.settle()
      expect({ tries, seen }).toEqual({ tries: 2, seen: [14] })
      // The flow fell with its stage, and that has been told.
      expect(reports).toEqual([expect.stringMatching(/^flow layer 1, stage 0 of 1.* crashed: Error: on purpose/)])
      expect(await supervisor.call.countChildren()).toMatchObject({ active: 0 })
    })
  })

  it('has consumers of its own, or none, or those that come later', async () => {
    await inSimulation(async (sim) => {
      const own = notebook()
      const later = notebook()
      const seen: number[] = []
      const restart = 'temporary'
      const into = [child(Collector, { arg: own.note, restart: 'transient' })]
      const late = name(FlowCoordinator, 'late')
      await using _all = await supervise({
        strategy: 'one_for_one',
        children: [
          src([1, 2]).map(double).child({ id: 'own', restart, intoSpecs: into }),
          src([3])
            .map((event) => seen.push(event))
            .child({ id: 'none', restart }),
          src([4]).map(double).child({ id: 'late', restart, name: late, intoStages: [] }),
        ],
      })
      const collector = await start(Collector, { arg: later.note })
      const flow = whereis(late) as Ref<RunningFlow<number>>
      await syncSubscribe(collector, { to: flow, cancel: 'transient' })
      await sim.settle()
      expect(sorted(own.batches.flat())).toEqual([2, 4])
      expect(seen).toEqual([3])
      expect(later.batches).toEqual([[8]])
      await collector.stop()
    })
  })

  it('finishes what is in it when all is drained, though its consumer was started before it', async () => {
    await inSimulation(async (sim) => {
      const { batches, note } = notebook()
      const { open, passed } = gate()
      const supervisor = await supervise({
        strategy: 'rest_for_one',
        children: [
          child(Manual, { name: Manual }),
          child(Collector, { name: Collector, arg: note }),
          Flow.fromStages([Manual], { maxDemand: 1 })
            .map(passed)
            .partition({ stages: 2 })
            .reduce(zero, add)
            .emit('state')
            .child({ intoStages: [Collector] }),
        ],
      })
      name(Manual).cast.give(1, 2, 3)
      await sim.settle()
      const stopping = supervisor.stop({ drain: true })
      await sim.settle()
      expect(batches).toEqual([])
      open()
      await stopping
      expect(batches.flat().reduce((sum, event) => sum + event)).toBe(6)
    })
  })

  it('lets go of producers that go on for others, and reads its own sources no further', async () => {
    await inSimulation(async (sim) => {
      const manual = await start(Manual)
      const { open, passed } = gate()
      const seen: number[] = []
      let read = 100
      function* endless() {
        while (true) yield read++
      }
      const flow = Flow.merge([Flow.fromStages([manual]), Flow.from(endless)], 'demand', { maxDemand: 1 })
        .map(passed)
        .map((event) => seen.push(event))
      const supervisor = await supervise({ strategy: 'one_for_one', children: [flow.child()] })
      manual.cast.give(1)
      await sim.settle()
      const stopping = supervisor.stop({ drain: true })
      open()
      await stopping
      expect(sorted(seen)).toEqual([1, 100])
      expect(read).toBe(101)
      expect(manual.alive).toBe(true)
      await manual.stop()
    })
  })

  it('refuses what cannot run, and what is no consumer, before anything starts', () => {
    const flow = src([1]).map(double)
    expect(() => flow.child({ intoStages: [], intoSpecs: [] })).toThrow('expected intoStages or intoSpecs, got both')
    expect(() => flow.child({ intoStages: [3 as never] })).toThrow(FlowError)
    expect(() => flow.child({ link: true } as never)).toThrow(StartError)
    expect(() => flow.child({ restart: 'never' as never })).toThrow(/restart of child FlowCoordinator/)
  })
})

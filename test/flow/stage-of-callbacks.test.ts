import { Flow, type FlowStage } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { inSimulation, numbers, rejection, src } from '../support/flows.ts'

/** Waits until its stage is to end, and writes down that it was. */
const waiting = (seen: string[], what: string) => (_event: unknown, stage: FlowStage) =>
  new Promise<never>((_, reject) => {
    stage.signal.addEventListener('abort', () => {
      seen.push(what)
      reject(stage.signal.reason)
    })
  })

describe('the stage that a callback is given', () => {
  it('says which of how many it is', async () => {
    await inSimulation(async () => {
      const place = (_event: unknown, { index, total }: FlowStage) => `${index} of ${total}`
      const seen = new Set<string>()
      const note = (event: unknown, stage: FlowStage) => void seen.add(place(event, stage))
      const options = { stages: 2, hash: (n: number) => n % 2, maxDemand: 1 }
      const flow = src(numbers(1, 4)).partition(options)
      expect(new Set(await flow.map(place).toArray())).toEqual(new Set(['0 of 2', '1 of 2']))
      expect(new Set(await flow.flatMap((n, stage) => [place(n, stage)]).toArray()).size).toBe(2)
      expect(new Set(await flow.mapBatch((batch, stage) => batch.map(() => place(0, stage))).toArray()).size).toBe(2)
      expect(await flow.filter((_, { index }) => index === 0).toArray()).toEqual([2, 4])
      expect(await flow.reject((_, { index }) => index === 0).toArray()).toEqual([1, 3])
      const pairs = flow.map((n): [number, number] => [n, n]).mapValues((value, { index }) => value * 10 + index)
      expect((await pairs.toArray()).sort((a, b) => a[0] - b[0])).toEqual([
        [1, 11],
        [2, 20],
        [3, 31],
        [4, 40],
      ])
      await flow.forEach(note)
      expect(seen).toEqual(new Set(['0 of 2', '1 of 2']))
    })
  })

  it('is given to events that came before a loop of its own, and after', async () => {
    await inSimulation(async () => {
      const indexes = src(numbers(1, 30_000)).map((_, { index }) => index)
      expect(await indexes.reduceAll(0, (index, sum) => sum + index + 1)).toBe(30_000)
    })
  })

  it('has a signal that fires when the flow is stopped, in each operation', async () => {
    await inSimulation(async (sim) => {
      const seen: string[] = []
      const flows = [
        src([1]).map(waiting(seen, 'map')),
        src([1]).filter(waiting(seen, 'filter')),
        src([1]).reject(waiting(seen, 'reject')),
        src([1]).flatMap(waiting(seen, 'flatMap')),
        src([1]).mapBatch(waiting(seen, 'mapBatch')),
      ]
      const controller = new AbortController()
      const runs = flows.map((flow) => rejection(flow.run({ signal: controller.signal })))
      await sim.settle()
      expect(seen).toEqual([])
      controller.abort(new Error('enough'))
      for (const run of runs) expect(await run).toMatchObject({ message: 'enough' })
      expect(seen.sort()).toEqual(['filter', 'flatMap', 'map', 'mapBatch', 'reject'])
    })
  })

  it('has a signal that fires in the function of a join, of forEach and of onTrigger', async () => {
    await inSimulation(async (sim) => {
      const seen: string[] = []
      const key = (n: number) => n
      const flows = [
        Flow.boundedJoin('inner', src([1]), src([1]), key, key, (left, _right, stage) =>
          waiting(seen, 'join')(left, stage),
        ),
        src([1])
          .reduce(() => 0, key)
          .onTrigger(waiting(seen, 'onTrigger')),
      ]
      const controller = new AbortController()
      const options = { signal: controller.signal }
      const runs = flows.map((flow) => rejection(flow.run(options)))
      runs.push(rejection(src([1]).forEach(waiting(seen, 'forEach'), options)))
      await sim.settle()
      controller.abort(new Error('enough'))
      for (const run of runs) expect(await run).toMatchObject({ message: 'enough' })
      expect(seen.sort()).toEqual(['forEach', 'join', 'onTrigger'])
    })
  })

  it('has a signal that fires when another stage fails, and when the loop is left', async () => {
    await inSimulation(async (sim) => {
      const seen: string[] = []
      const wait = waiting(seen, 'waited')
      const options = { stages: 2, maxDemand: 1 }
      const flow = src([1, 2], options).map((n, stage): unknown => {
        if (n === 1) return wait(n, stage)
        throw new Error('on purpose')
      })
      expect(await rejection(flow.run())).toMatchObject({ cause: { message: 'on purpose' } })
      await sim.settle()
      expect(seen).toEqual(['waited'])

      const left = src([1, 2], options).map((n, stage): unknown => (n === 1 ? wait(n, stage) : n))
      expect(await left.first()).toBe(2)
      await sim.settle()
      expect(seen).toEqual(['waited', 'waited'])
    })
  })
})

describe('what waits for a flow', () => {
  it('takes a signal', async () => {
    await inSimulation(async (sim) => {
      const stuck = src([1]).map(waiting([], 'map'))
      for (const wait of [
        (options: { signal: AbortSignal }) => stuck.first(options),
        (options: { signal: AbortSignal }) => stuck.take(3, options),
        (options: { signal: AbortSignal }) => stuck.includes(1, options),
        (options: { signal: AbortSignal }) => stuck.stream(options)[Symbol.asyncIterator]().next(),
      ]) {
        const controller = new AbortController()
        const waits = rejection(wait({ signal: controller.signal }))
        await sim.settle()
        controller.abort(new Error('enough'))
        expect(await waits).toMatchObject({ message: 'enough' })
      }
    })
  })
})

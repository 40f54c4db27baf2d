import { child, name, StartError, start, stream, syncSubscribe } from 'sluice'
import { Flow, FlowCoordinator } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { Collector, Declining, Finite, notebook } from '../support/flow-stages.ts'
import { add, double, inSimulation, isEven, numbers, rejection, sorted, src, zero } from '../support/flows.ts'
import { Counter } from '../support/stages.ts'

const plusOne = (x: number) => x + 1
const dup = (x: number) => [x, x]
const same = (x: number) => x
const two = Flow.fromAll([
  [1, 2, 3],
  [4, 5, 6],
])

describe.each(['fromStages', 'fromSpecs'] as const)('an endless producer given with %s', (kind) => {
  const endless = async (): Promise<Flow<number>> =>
    kind === 'fromStages'
      ? Flow.fromStages([await start(Counter, { arg: { until: Infinity } })])
      : Flow.fromSpecs([child(Counter, { arg: { until: Infinity } })])

  it('F23 F27 is taken from', async () => {
    await inSimulation(async () => {
      expect(await (await endless()).take(5)).toEqual(numbers(0, 4))
      expect(await (await endless()).filter(isEven).take(5)).toEqual([0, 2, 4, 6, 8])
      expect(await (await endless()).map(double).take(5)).toEqual([0, 2, 4, 6, 8])
    })
  })

  it('F24 F27 is multiplied and thinned out', async () => {
    await inSimulation(async () => {
      expect(await (await endless()).flatMap(dup).take(5)).toEqual([0, 0, 1, 1, 2])
      expect(await (await endless()).reject(isEven).take(5)).toEqual([1, 3, 5, 7, 9])
    })
  })

  it('F25 F27 goes through several operations', async () => {
    await inSimulation(async () => {
      const flow = (await endless()).filter(isEven).map(plusOne).map(double)
      expect(await flow.take(5)).toEqual([2, 6, 10, 14, 18])
    })
  })

  it('F26 F27 comes in batches of 500', async () => {
    await inSimulation(async () => {
      const sums = (await endless()).mapBatch((events) => [events.reduce((sum, event) => sum + event, 0)])
      expect(await sums.take(5)).toEqual([124_750, 374_750, 624_750, 874_750, 1_124_750])
    })
  })
})

describe('specifications', () => {
  it('F28 that all decline make an empty flow', async () => {
    await inSimulation(async () => {
      const flow = Flow.fromSpecs([child(Declining)])
      expect(await flow.toArray()).toEqual([])
      expect(await flow.take(1)).toEqual([])
      await flow.map(double).run()
      const error = await rejection(flow.start())
      expect(error).toBeInstanceOf(StartError)
      expect(error).toMatchObject({ code: 'ignore' })
    })
  })

  it('F29 that decline are left out', async () => {
    await inSimulation(async () => {
      const flow = Flow.fromSpecs([child(Declining), child(Finite, { arg: [1, 2, 3] })])
      expect(await flow.toArray()).toEqual([1, 2, 3])
      expect(await flow.map(double).take(9)).toEqual([2, 4, 6])
    })
  })
})

describe('leaving the iteration', () => {
  it.each([
    ['without operations', false],
    ['with a layer', true],
  ])('F30 %s ends everything', async (_, mapped) => {
    await inSimulation(async (sim) => {
      const counter = await start(Counter, { arg: { until: Infinity } })
      const flow = Flow.fromStages([counter])
      expect(await (mapped ? flow.map(same) : flow).take(10)).toEqual(numbers(0, 9))
      await sim.settle()
      expect(sim.processes).toEqual([counter])
    })
  })

  it('F31 is not needed: nothing is left after a whole iteration either', async () => {
    await inSimulation(async (sim) => {
      const seen: number[] = []
      const flow = src(numbers(1, 2000)).map(double).partition({ stages: 3 }).map(plusOne)
      for await (const event of flow) seen.push(event)
      expect(seen).toHaveLength(2000)
      await sim.settle()
      expect(sim.processes).toEqual([])
      expect(sim.clock.pending).toBe(0)
      expect(sim.logs).toEqual([])
    })
  })

  it('closes the source, and no window', async () => {
    await inSimulation(async (sim) => {
      const happened: string[] = []
      const endless = function* () {
        try {
          for (let x = 0; ; x++) yield x
        } finally {
          happened.push('closed')
        }
      }
      const flow = src(endless, { maxDemand: 2 })
        .emitAndReduce(zero, (x, sum) => [[x], sum + x])
        .onTrigger((sum) => {
          happened.push('fired')
          return [[], sum]
        })
      expect(await flow.take(2)).toEqual([0, 1])
      await sim.settle()
      expect(happened).toEqual(['closed'])
    })
  })
})

describe('batches', () => {
  const lengths = async (flow: Flow<number>): Promise<number[]> => {
    const seen: number[] = []
    const noted = flow.mapBatch((events) => {
      seen.push(events.length)
      return events
    })
    await noted.run()
    return seen
  }

  it('F32 F33 F34 F35 are as long as the demand says', async () => {
    await inSimulation(async () => {
      expect(await lengths(src(numbers(1, 1200)))).toEqual([500, 500, 200])
      expect(await lengths(src(numbers(1, 12), { maxDemand: 5 }))).toEqual([3, 2, 3, 3, 1])
      expect(await lengths(src(numbers(1, 12), { maxDemand: 5, minDemand: 0 }))).toEqual([5, 5, 2])
      expect(await lengths(src([1, 2, 3], { maxDemand: 1 }))).toEqual([1, 1, 1])
    })
  })

  it('F36 of a small input are one, for one of the stages', async () => {
    await inSimulation(async () => {
      expect(await lengths(Flow.from(numbers(1, 8), { stages: 4 }))).toEqual([8])
    })
  })

  it('F37 of a further layer are cut anew', async () => {
    await inSimulation(async () => {
      const tripled = src(numbers(1, 1200)).flatMap((x) => [x, x, x])
      expect(await lengths(tripled.partition({ stages: 1 }))).toEqual([500, 500, 500, 500, 500, 500, 500, 100])
    })
  })

  it('F38 of a bare source are governed by the next step', async () => {
    await inSimulation(async () => {
      expect(await lengths(Flow.from(numbers(1, 800), { maxDemand: 1 }).partition({ stages: 1 }))).toEqual([500, 300])
    })
  })

  it('F40 of a source that waits are handed on as they come, however many were asked for', async () => {
    await inSimulation(async (sim) => {
      const slow = async function* () {
        yield 1
        await new Promise(() => {})
      }
      const seen: number[] = []
      const running = await src(slow)
        .map((x) => seen.push(x))
        .start()
      await sim.settle()
      expect(seen).toEqual([1])
      await running.stop()
    })
  })
})

describe('a flow that is run', () => {
  it('F82 does what its functions do, and gives nothing', async () => {
    await inSimulation(async () => {
      const seen: number[] = []
      const flow = src([1, 2, 3]).map((x) => seen.push(x))
      expect(await flow.run()).toBeUndefined()
      expect(seen).toEqual([1, 2, 3])
    })
  })

  it('can be stopped with a signal', async () => {
    await inSimulation(async (sim) => {
      const controller = new AbortController()
      const counter = await start(Counter, { arg: { until: Infinity } })
      const waiting = Flow.fromStages([counter]).map(async () => await new Promise<number>(() => {}))
      const running = rejection(waiting.run({ signal: controller.signal }))
      await sim.settle()
      controller.abort(new Error('enough'))
      expect(await running).toMatchObject({ message: 'enough' })
      expect(counter.alive).toBe(true)
    })
  })

  it('is collected, folded and walked through', async () => {
    await inSimulation(async () => {
      const flow = src(numbers(1, 1000), { stages: 2 }).map(double)
      expect(await flow.reduceAll(0, add)).toBe(1_001_000)
      expect(await flow.count()).toBe(1000)
      expect(await flow.first()).toBe(2)
      expect(await src([1]).filter(isEven).first()).toBeUndefined()
      const seen: number[] = []
      await flow.forEach(async (x) => void seen.push(x))
      expect(sorted(seen)).toEqual(numbers(1, 1000).map(double))
    })
  })
})

describe('onInit', () => {
  it('F57 F59 is called once in each stage', async () => {
    await inSimulation(async () => {
      for (const of of ['source', 'partition']) {
        const seen: unknown[] = []
        const options = { stages: 2, onInit: (stage: unknown) => void seen.push(stage) }
        const flow = of === 'source' ? Flow.from([1], options) : src([1]).partition(options)
        await flow.map(double).toArray()
        expect(seen).toEqual([
          { index: 0, total: 2 },
          { index: 1, total: 2 },
        ])
      }
    })
  })

  it('F58 is not called for a source without operations', async () => {
    await inSimulation(async () => {
      let called = 0
      expect(await Flow.from([1], { onInit: () => void called++ }).take(5)).toEqual([1])
      expect(called).toBe(0)
    })
  })
})

describe('a flow that is started', () => {
  it('F190 ends by itself with normal', async () => {
    await inSimulation(async () => {
      const seen: number[] = []
      const flow = src([1, 2, 3])
        .map(double)
        .map((x) => seen.push(x))
      expect(await (await flow.start()).done).toBe('normal')
      expect(seen).toEqual([2, 4, 6])
    })
  })

  it('F191 F192 ends with shutdown when a function or the source fails', async () => {
    await inSimulation(async (sim) => {
      const fails = (): number => {
        throw new Error('on purpose')
      }
      const failing = function* (): Generator<number> {
        yield 1
        throw new Error('on purpose')
      }
      const flow = src(failing).map(double)
      expect(await (await src([1]).map(fails).start()).done).toBe('shutdown')
      expect(await (await flow.start()).done).toBe('shutdown')
      expect(await rejection(flow.run())).toMatchObject({ cause: { message: 'on purpose' } })
      expect(await rejection(src(failing).take(3))).toMatchObject({ cause: { message: 'on purpose' } })
      await sim.settle()
      expect(sim.processes).toEqual([])
    })
  })

  it('F193 may bear a name', async () => {
    await inSimulation(async () => {
      const flow = src([1]).map(double)
      const options = { name: name(FlowCoordinator, 'import') }
      for (const begin of [
        () => flow.intoStages([], options),
        () => flow.start({ ...options, demand: 'accumulate' }),
      ]) {
        const running = await begin()
        expect(`${running}`).toMatch(/FlowCoordinator\(import\)/)
        await running.stop()
      }
    })
  })

  it('F39 without consumers calls no mapper', async () => {
    await inSimulation(async (sim) => {
      const seen: number[] = []
      const flow = await src([1])
        .map((x) => seen.push(x))
        .intoStages([])
      await sim.settle()
      expect(seen).toEqual([])
      await flow.stop()
    })
  })

  it('F194 gives its events to consumers that outlive it', async () => {
    await inSimulation(async () => {
      const { batches, note } = notebook()
      const collector = await start(Collector, { arg: note })
      const flow = await two.filter(isEven).intoStages([collector])
      expect(await flow.done).toBe('normal')
      // Two sources and one stage: a batch for each.
      expect(batches.toSorted((a, b) => a.length - b.length)).toEqual([[2], [4, 6]])
      expect(collector.alive).toBe(true)
    })
  })

  it('F198 passes a consumer that subscribes to it on to its stages', async () => {
    await inSimulation(async (sim) => {
      const flow = await Flow.fromSpecs([child(Counter, { arg: { until: 3 } })], { maxDemand: 1 })
        .map(double)
        .intoStages([])
      const { batches, note } = notebook()
      const collector = await start(Collector, { arg: note })
      await syncSubscribe(collector, { to: flow, cancel: 'transient', maxDemand: 1 })
      await sim.settle()
      expect(batches).toEqual([[0], [2], [4]])
      await flow.stop()
      expect(collector.alive).toBe(true)
    })
  })

  it('F199 can be read', async () => {
    await inSimulation(async () => {
      const flow = await Flow.fromSpecs([child(Counter, { arg: { until: Infinity } })])
        .reject(isEven)
        .intoStages([])
      const seen: number[] = []
      for await (const event of stream(await flow.call.stages())) if (seen.push(event) === 5) break
      expect(seen).toEqual([1, 3, 5, 7, 9])
      expect(await flow.done).toBe('normal')
    })
  })

  it('F200 holds its sources back until it is told to go', async () => {
    await inSimulation(async (sim) => {
      const { batches, note } = notebook()
      const collector = await start(Collector, { arg: note })
      const flow = await src([1]).map(same).intoStages([collector], { demand: 'accumulate' })
      await sim.settle()
      expect(batches).toEqual([])
      flow.cast.forward()
      expect(await flow.done).toBe('normal')
      expect(batches).toEqual([[1]])
    })
  })

  it('F201 fails when a consumer does not answer in time', async () => {
    await inSimulation(async (sim) => {
      class Busy extends Collector {
        async wait() {
          await this.sleep(10_000)
        }
      }
      const busy = await start(Busy, { arg: () => {} })
      busy.cast.wait()
      const refused = rejection(src([1]).map(double).intoStages([busy], { subscribeTimeout: 10 }))
      await sim.advance(20, { foreign: true })
      expect(await refused).toBeInstanceOf(StartError)
      busy.kill()
    })
  })

  it('F207 may be a merged flow of one, or a shuffle', async () => {
    await inSimulation(async () => {
      const seen: number[] = []
      const note = (x: number) => seen.push(x)
      const merged = await Flow.merge(src([1]), 'broadcast')
        .map(note)
        .start()
      expect(await merged.done).toBe('normal')
      const shuffled = await Flow.shuffle(src([2]))
        .map(note)
        .start()
      expect(await shuffled.done).toBe('normal')
      expect(seen).toEqual([1, 2])
    })
  })
})

import { child, demand, start } from 'sluice'
import { Flow } from 'sluice/flow'
import { describe, expect, it } from 'vitest'
import { Collector, Manual } from '../support/flow-stages.ts'
import { add, double, inSimulation, numbers, rejection, src, zero } from '../support/flows.ts'
import { Counter } from '../support/stages.ts'

const seeds = [1, 2, 3, 4, 5, 6]
const same = (x: number) => x

/** A flow of two producers, which tells when it closes a window. */
async function begin() {
  const one = await start(Manual)
  const two = await start(Manual)
  const fired: number[] = []
  const flow = await Flow.fromStages([one, two])
    .map(same)
    .partition({ stages: 2 })
    .reduce(zero, add)
    .onTrigger((sum) => {
      fired.push(sum)
      return [[], sum]
    })
    .start({ link: false })
  return { one, two, fired, flow }
}

describe('no window is closed', () => {
  it.each(seeds)('F204 when one of two producers fails; the other lives on (seed %i)', async (seed) => {
    await inSimulation(async (sim) => {
      const { one, two, fired, flow } = await begin()
      one.cast.give(1)
      two.cast.give(2)
      await sim.settle()
      one.cast.end('on purpose')
      expect(await flow.done).toBe('shutdown')
      await sim.settle()
      expect(fired).toEqual([])
      expect(two.alive).toBe(true)
    }, seed)
  })

  it('F205 when the only producer fails', async () => {
    await inSimulation(async (sim) => {
      const producer = await start(Manual)
      let fired = 0
      const flow = await Flow.fromStages([producer])
        .reduce(zero, add)
        .onTrigger((sum) => {
          fired++
          return [[], sum]
        })
        .start()
      producer.cast.give(1)
      await sim.settle()
      producer.cast.end('on purpose')
      expect(await flow.done).toBe('shutdown')
      expect(fired).toBe(0)
    })
  })

  it.each(seeds)('F206 F203 when the flow is stopped or killed; its producers live on (seed %i)', async (seed) => {
    await inSimulation(async (sim) => {
      for (const end of ['stop', 'kill'] as const) {
        const { one, two, fired, flow } = await begin()
        one.cast.give(1)
        await sim.settle()
        await flow[end]()
        await sim.settle()
        expect(fired).toEqual([])
        expect(one.alive && two.alive).toBe(true)
      }
    }, seed)
  })

  it('but it is when the producers end in order', async () => {
    await inSimulation(async (sim) => {
      const { one, two, fired, flow } = await begin()
      one.cast.give(1)
      await sim.settle()
      one.cast.end('normal')
      await sim.settle()
      expect(fired).toEqual([])
      two.cast.end('shutdown')
      expect(await flow.done).toBe('normal')
      expect(fired.toSorted()).toEqual([0, 1])
    })
  })
})

describe("a producer that is not the flow's", () => {
  it('goes on for others when the flow ends before it let its sources go', async () => {
    await inSimulation(async (sim) => {
      const counter = await start(Counter, { arg: { until: Infinity } })
      const flow = await Flow.fromStages([counter]).map(same).start({ demand: 'accumulate' })
      await sim.settle()
      expect(await demand(counter)).toBe('accumulate')
      await flow.stop()
      expect(await demand(counter)).toBe('forward')
      const failing = () => {
        throw new Error('on purpose')
      }
      const refused = await rejection(Flow.fromStages([counter], { onInit: failing }).map(same).run())
      expect(refused).toMatchObject({ code: 'failed', cause: { message: 'on purpose' } })
      expect(await demand(counter)).toBe('forward')
    })
  })
})

describe('the owner of a flow', () => {
  it('F203 takes it along when it gives its signal to it', async () => {
    await inSimulation(async (sim) => {
      class Owner extends Manual {
        async work() {
          await src([1])
            .map(async () => await new Promise(() => {}))
            .run({ signal: this.signal })
        }
      }
      const owner = await start(Owner)
      owner.cast.work()
      await sim.settle()
      expect(sim.processes.length).toBeGreaterThan(1)
      owner.kill()
      await sim.settle()
      expect(sim.processes).toEqual([])
    })
  })
})

describe('an iteration', () => {
  it.each(seeds)('throws when a stage far above it failed (seed %i)', async (seed) => {
    await inSimulation(async () => {
      const fail = (x: number) => {
        if (x === 40) throw new Error('on purpose')
        return x
      }
      const options = { stages: 3, maxDemand: 2 }
      const flow = src(numbers(1, 100), { maxDemand: 2 })
        .map(fail)
        .partition(options)
        .map(double)
        .partition(options)
        .map(same)
      const error = { code: 'failed', cause: { message: 'on purpose' } }
      expect(await rejection(flow.take(1000))).toMatchObject(error)
      expect(await rejection(flow.toArray())).toMatchObject(error)
    }, seed)
  })
})

describe('the end of a consumer of the flow', () => {
  const begun = async (restart: 'permanent' | 'transient', count: number) => {
    const consumers = Array.from({ length: count }, () => child(Collector, { arg: () => {}, restart }))
    return await Flow.fromSpecs([child(Counter, { arg: { until: 3 } })])
      .map(double)
      .intoSpecs(consumers)
  }

  it('F202 ends the flow as its restart says', async () => {
    await inSimulation(async (sim) => {
      const collectors = () => sim.processes.filter((ref) => `${ref}`.startsWith('Collector'))

      const bereft = await begun('permanent', 1)
      const [[source] = []] = await bereft.call.groups()
      source?.kill()
      expect(await bereft.done).toBe('shutdown')

      const crashed = await begun('transient', 1)
      collectors()[0]?.exit('on purpose')
      expect(await crashed.done).toBe('shutdown')

      const permanent = await begun('permanent', 2)
      await collectors()[0]?.stop()
      expect(await permanent.done).toBe('normal')

      const transient = await begun('transient', 2)
      await collectors()[0]?.stop()
      await sim.settle()
      expect(transient.alive).toBe(true)
      await collectors()[0]?.stop()
      expect(await transient.done).toBe('normal')
    })
  })
})

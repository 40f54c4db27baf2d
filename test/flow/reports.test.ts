import { child, Producer } from 'sluice'
import { Flow } from 'sluice/flow'
import type { Simulation } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { inSimulation, numbers, rejection, src } from '../support/flows.ts'

const fail = (): never => {
  throw new Error('on purpose')
}

/** What the log says of failures. */
const told = (sim: Simulation): readonly string[] =>
  sim.logs.filter(({ level }) => level === 'warn' || level === 'error').map(({ message }) => message)

describe('a failure is told once', () => {
  it('to who waits for the flow, and not to the log as well', async () => {
    await inSimulation(async (sim) => {
      const flow = src(numbers(1, 10), { maxDemand: 1 }).map(fail)
      const error = { code: 'failed', cause: { message: 'on purpose' } }
      expect(await rejection(flow.run())).toMatchObject(error)
      expect(await rejection(flow.toArray())).toMatchObject(error)
      expect(await rejection(flow.first())).toMatchObject(error)
      expect(told(sim)).toEqual([])
    })
  })

  it('when it begins far above, in a source or in a stage of the user', async () => {
    class Broken extends Producer<number> {
      override handleDemand(): never {
        throw new Error('on purpose')
      }
    }
    await inSimulation(async (sim) => {
      const rows = function* () {
        yield 1
        fail()
      }
      const behind = { stages: 3, maxDemand: 2 }
      const error = { code: 'failed', cause: { message: 'on purpose' } }
      expect(await rejection(src(rows).partition(behind).map(String).shuffle(behind).count())).toMatchObject(error)
      expect(
        await rejection(
          Flow.fromSpecs([child(Broken)])
            .map(String)
            .toArray(),
        ),
      ).toMatchObject(error)
      expect(told(sim)).toEqual([])
    })
  })

  it('to the log, when nobody waits', async () => {
    await inSimulation(async (sim) => {
      const flow = await src([1]).map(fail).start()
      expect(await flow.done).toBe('shutdown')
      expect(told(sim)).toEqual([expect.stringMatching(/^flow layer 1, stage 0 of 1.* crashed: Error: on purpose/)])
    })
  })

  it('to the log, when the loop had been left before it came to it', async () => {
    await inSimulation(async (sim) => {
      const rows = function* () {
        yield* [1, 2]
        fail()
      }
      expect(
        await Flow.fromAll([rows, [3]])
          .map(String)
          .stream({ maxDemand: 10 })
          [Symbol.asyncIterator]()
          .return?.(),
      ).toEqual({
        done: true,
        value: undefined,
      })
      const loop = src(rows, { maxDemand: 1 }).map(String).stream()[Symbol.asyncIterator]()
      expect(await loop.next()).toEqual({ done: false, value: '1' })
      await sim.settle()
      await loop.return?.()
      expect(told(sim)).toEqual(['a flow failed, which its reader had left by then: Error: on purpose'])
    })
  })

  it('a second one, which has nothing to do with the first, is told by the log', async () => {
    await inSimulation(async (sim) => {
      // Both fail in the same turn, so nobody can stop the second because of the first.
      const failing = (n: number) => Promise.reject(new Error(`number ${n}`))
      const error = await rejection(src([1, 2], { stages: 2, maxDemand: 1 }).map(failing).run())
      await sim.settle()
      const first = error instanceof Error ? String(error.cause) : ''
      expect(first).toMatch(/^Error: number [12]$/)
      expect(told(sim)).toEqual([expect.stringContaining(first.includes('1') ? 'Error: number 2' : 'Error: number 1')])
    })
  })
})

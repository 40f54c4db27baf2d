import { type CallError, fresh, Producer } from 'sluice'
import { Broadway, Message } from 'sluice/broadway'
import type { Simulation } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { acked, inSimulation, Ledger, silent } from '../support/broadway.ts'
import { rejection } from '../support/flows.ts'

/** Emits what it is told, and notes what it is asked for. */
class Told extends Producer<number> {
  readonly asked: number[]
  readonly #last: readonly number[]
  constructor({ asked, last, bufferSize }: { asked: number[]; last: readonly number[]; bufferSize: number }) {
    super({ bufferSize })
    this.asked = asked
    this.#last = last
  }
  override handleDemand(demand: number): void {
    this.asked.push(demand)
  }
  tell(numbers: readonly number[]): void {
    this.emit(numbers)
  }
  override handleDrain(): void {
    this.emit(this.#last)
  }
}

interface Options {
  readonly allowedMessages: number
  readonly interval: number
  readonly concurrency?: number
  readonly last?: readonly number[]
  readonly shutdown?: number
  readonly bufferSize?: number
}

/** A pipeline of one processor, its limit, and what was acknowledged when. */
async function limited(sim: Simulation, options: Options) {
  const { allowedMessages, interval, concurrency = 1, last = [], shutdown = 30_000, bufferSize = 100 } = options
  const handled: (readonly [at: number, data: unknown])[] = []
  const asked: number[] = []
  const begin = sim.clock.now()
  const pipeline = await Broadway.start({
    name: 'limited',
    shutdown,
    producer: {
      module: Told,
      // What it gives is not copied, so that the list is this one.
      arg: fresh(() => ({ asked, last, bufferSize })),
      concurrency,
      transformer: (data) => new Message(data),
      rateLimiting: { allowedMessages, interval },
    },
    processors: {
      default: {
        concurrency: 1,
        maxDemand: 4,
        handleMessage(message) {
          handled.push([sim.clock.now() - begin, message.data])
          return message
        },
      },
    },
  })
  const names = await pipeline.call.producerNames()
  const tell = async (index: number, ...numbers: readonly number[]): Promise<void> => {
    names[index]?.cast.tell(numbers)
    await sim.settle()
  }
  await sim.settle()
  return { pipeline, handled, asked, tell }
}

describe('rate limiting', () => {
  it('B133 what is allowed goes through, and more after a reset', () =>
    inSimulation(async (sim) => {
      const { pipeline, handled, tell } = await limited(sim, { allowedMessages: 1, interval: 10_000 })
      await tell(0, 1, 2)
      expect(handled).toEqual([[0, 1]])
      await pipeline.call.updateRateLimiting({ reset: true })
      await sim.settle()
      expect(handled).toEqual([
        [0, 1],
        [0, 2],
      ])
      await pipeline.stop()
    }))

  it('B134 the limit is one for all producers, interval by interval, in order', () =>
    inSimulation(async (sim) => {
      const { pipeline, handled, tell } = await limited(sim, { allowedMessages: 2, interval: 50, concurrency: 2 })
      await tell(0, 1, 2, 3, 4, 5)
      await sim.advance(200)
      expect(handled).toEqual([
        [0, 1],
        [0, 2],
        [50, 3],
        [50, 4],
        [100, 5],
      ])
      await pipeline.stop()
    }))

  it('B135 a producer hears of no demand until more may go through', () =>
    inSimulation(async (sim) => {
      const { pipeline, handled, asked, tell } = await limited(sim, { allowedMessages: 2, interval: 50 })
      expect(asked).toEqual([4])
      await tell(0, 1, 2, 3)
      expect(handled.map(([, data]) => data)).toEqual([1, 2])
      // The processor has asked for two more.
      expect(asked).toEqual([4])
      await sim.advance(50)
      expect(handled.map(([, data]) => data)).toEqual([1, 2, 3])
      expect(asked).toEqual([4, 2])
      await pipeline.stop()
    }))

  it('B136 producers that are quicker than the limit keep the order, each its own', () =>
    inSimulation(async (sim) => {
      const { pipeline, handled, tell } = await limited(sim, { allowedMessages: 3, interval: 50, concurrency: 2 })
      await Promise.all([tell(0, 1, 2), tell(1, 11, 12)])
      expect(handled).toHaveLength(3)
      await sim.advance(50)
      const data = handled.map(([, each]) => each)
      expect(data.filter((each) => Number(each) < 10)).toEqual([1, 2])
      expect(data.filter((each) => Number(each) > 10)).toEqual([11, 12])
      await pipeline.stop()
    }))

  it('B137 an interval allows as many whatever the one before took', () =>
    inSimulation(async (sim) => {
      const { pipeline, handled, tell } = await limited(sim, { allowedMessages: 3, interval: 50, concurrency: 3 })
      await Promise.all([tell(0, 1, 2, 3, 4), tell(1, 11, 12, 13, 14), tell(2, 21, 22, 23, 24)])
      await sim.advance(500)
      const times = handled.map(([at]) => at)
      expect(times).toEqual([0, 0, 0, 50, 50, 50, 100, 100, 100, 150, 150, 150])
      await pipeline.stop()
    }))

  it('B138 a change holds at once with a reset, otherwise from the next interval on', () =>
    inSimulation(async (sim) => {
      const { pipeline, handled, tell } = await limited(sim, { allowedMessages: 1, interval: 1_000 })
      expect(await pipeline.call.getRateLimiting()).toEqual({ allowedMessages: 1, interval: 1_000 })
      await tell(0, ...Array.from({ length: 12 }, (_, index) => index))
      expect(handled).toHaveLength(1)
      await pipeline.call.updateRateLimiting({ allowedMessages: 3, reset: true })
      await sim.settle()
      expect(handled).toHaveLength(4)
      await pipeline.call.updateRateLimiting({ allowedMessages: 5, interval: 100 })
      expect(await pipeline.call.getRateLimiting()).toEqual({ allowedMessages: 5, interval: 100 })
      await sim.advance(999)
      expect(handled).toHaveLength(4)
      await sim.advance(1)
      expect(handled).toHaveLength(9)
      await sim.advance(100)
      expect(handled).toHaveLength(12)
      await pipeline.stop()
    }))

  it('B139 a change of what is not there, or to nonsense, is refused', () =>
    inSimulation(async (sim) => {
      const { pipeline } = await limited(sim, { allowedMessages: 1, interval: 1_000 })
      const update = async (given: unknown): Promise<unknown> =>
        (await rejection(pipeline.call.updateRateLimiting(given as object))) as CallError
      expect(await update({ allowed: 5 })).toMatchObject({
        cause: {
          code: 'bad_options',
          message: expect.stringContaining('updateRateLimiting of a pipeline has no option allowed'),
        },
      })
      expect(await update({ allowedMessages: 0 })).toMatchObject({
        cause: {
          message: expect.stringContaining('allowedMessages of a pipeline: expected a whole number >= 1, got 0'),
        },
      })
      expect(await update({ interval: '1s' })).toMatchObject({ cause: { code: 'bad_options' } })
      expect(await update({ reset: 1 })).toMatchObject({ cause: { code: 'bad_options' } })
      expect(await pipeline.call.getRateLimiting()).toEqual({ allowedMessages: 1, interval: 1_000 })
      await pipeline.stop()

      const free = await Broadway.start({
        name: 'free',
        producer: silent,
        processors: { default: { handleMessage: (message) => message } },
      })
      const refused = { cause: { code: 'rate_limiting_not_enabled' } }
      expect(await rejection(free.call.getRateLimiting())).toMatchObject(refused)
      expect(await rejection(free.call.updateRateLimiting({ allowedMessages: 1 }))).toMatchObject(refused)
      await free.stop()
    }))

  it('B140 what is held when the pipeline is stopped goes through when it may, in order', () =>
    inSimulation(async (sim) => {
      const { pipeline, handled, tell } = await limited(sim, { allowedMessages: 1, interval: 100, last: [3] })
      await tell(0, 1, 2)
      const stopped = pipeline.stop()
      await sim.advance(1_000)
      await stopped
      expect(handled).toEqual([
        [0, 1],
        [100, 2],
        [200, 3],
      ])
    }))

  it('B141 who has no time to wait for the next interval leaves messages behind', () =>
    inSimulation(async (sim) => {
      const { pipeline, handled, tell } = await limited(sim, { allowedMessages: 1, interval: 10_000, shutdown: 100 })
      await tell(0, 1, 2)
      const begin = sim.clock.now()
      const stopped = pipeline.stop()
      await sim.advance(1_000)
      await stopped
      expect(handled).toEqual([[0, 1]])
      expect(pipeline.alive).toBe(false)
      expect(sim.clock.now() - begin).toBeLessThanOrEqual(1_000)
    }))

  it('B118 when the limiter falls the producers and all behind them start again, with the whole allowance', () =>
    inSimulation(async (sim) => {
      const { pipeline, handled, tell } = await limited(sim, { allowedMessages: 1, interval: 10_000 })
      await tell(0, 1, 2)
      const before = sim.processes.filter((ref) => String(ref).includes('Broadway.'))
      const limiter = before.find((ref) => String(ref).includes('RateLimiter'))
      limiter?.kill()
      await sim.advance(200)
      const after = new Set(sim.processes)
      const kept = before.filter((ref) => after.has(ref)).map(String)
      expect(kept).toEqual([expect.stringContaining('Broadway.Supervisor')])
      await tell(0, 3)
      expect(handled.map(([, data]) => data)).toEqual([1, 3])
      await pipeline.stop()
    }))

  it('B38 what is pushed is not limited', () =>
    inSimulation(async (sim) => {
      const ledger = new Ledger()
      const { pipeline } = await limited(sim, { allowedMessages: 1, interval: 10_000 })
      await pipeline.call.pushMessages(acked(ledger, 1, 2, 3, 4, 5))
      await sim.settle()
      expect(ledger.calls.flatMap(([successful]) => successful)).toEqual([1, 2, 3, 4, 5])
      await pipeline.stop()
    }))

  it('what is held is bounded as the buffer of the producer is, and what does not fit is told', () =>
    inSimulation(async (sim) => {
      const { pipeline, handled, tell } = await limited(sim, { allowedMessages: 1, interval: 100, bufferSize: 5 })
      await tell(0, 1, 2, 3, 4, 5, 6, 7, 8)
      expect(sim.logs.map(({ message }) => message)).toEqual([expect.stringContaining('discarded 3 events')])
      await sim.advance(1_000)
      expect(handled.map(([, data]) => data)).toEqual([4, 5, 6, 7, 8])
      await pipeline.stop()
    }))
})

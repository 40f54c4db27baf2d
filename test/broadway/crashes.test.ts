import { child, GenServer, type Supervisor, supervise } from 'sluice'
import { Broadway, type Message, type PipelineStage } from 'sluice/broadway'
import type { Simulation } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { typedRef } from '../../src/process/ref.ts'
import {
  acked,
  dataOf,
  Gate,
  inSimulation,
  Ledger,
  partOf,
  partsOf,
  replaced,
  Silent,
  silent,
} from '../support/broadway.ts'

const processors = { default: { concurrency: 1, handleMessage: (message: Message<number>) => message } }
const batchers = { default: { handleBatch: (batch: readonly Message[]) => batch } }

/** Kills the stage that it runs in; the callback never comes back. */
function kill(stage: PipelineStage): Promise<never> {
  stage.self.kill()
  return new Promise<never>(() => {})
}

/** Kills a part so many times, each time as soon as it runs again. */
async function killRepeatedly(sim: Simulation, base: string, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    partOf(sim, base).kill()
    await sim.settle()
  }
}

/** It is over within a second, which is sooner than `drainTimeout`. */
async function inASecond(sim: Simulation, work: Promise<unknown>): Promise<void> {
  let over = false
  void work.finally(() => {
    over = true
  })
  await sim.advance(1000)
  expect(over).toBe(true)
  await work
}

describe('the crash of a producer', () => {
  it('B109 has it started again and nobody else; processors come back to it after resubscribeInterval', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({
        name: 'crashes',
        producer: silent,
        processors,
        batchers,
      })
      const before = partsOf(sim)
      partOf(sim, 'Producer_0').kill()
      await sim.settle()
      expect(replaced(sim, before)).toEqual(['Producer_0'])
      let outcome: readonly unknown[] | undefined
      const test = pipeline.call.testMessage(1).then(({ successful }) => {
        outcome = dataOf(successful)
      })
      await sim.advance(99)
      expect(outcome).toBe(undefined)
      await sim.advance(1)
      await test
      expect(outcome).toEqual([1])
      expect(replaced(sim, before)).toEqual(['Producer_0'])
      await pipeline.stop()
    })
  })

  it('B110 has processors come back at once with a resubscribeInterval of 0', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({
        name: 'crashes',
        producer: silent,
        processors,
        resubscribeInterval: 0,
      })
      partOf(sim, 'Producer_0').kill()
      await sim.advance(0)
      expect(dataOf((await pipeline.call.testMessage(1)).successful)).toEqual([1])
      expect(sim.now).toBe(0)
      await pipeline.stop()
    })
  })

  it('B110 has processors look for it again and again as long as it is away', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({ name: 'crashes', producer: silent, processors })
      const before = partsOf(sim)
      const supervisor = typedRef<Supervisor>(partOf(sim, 'ProducerSupervisor'))
      await supervisor.call.terminateChild('Producer_0')
      await sim.advance(1000)
      expect(partsOf(sim).has('Producer_0')).toBe(false)
      await supervisor.call.restartChild('Producer_0')
      await sim.advance(100)
      expect(dataOf((await pipeline.call.testMessage(1)).successful)).toEqual([1])
      expect(replaced(sim, before)).toEqual(['Producer_0'])
      await pipeline.stop()
    })
  })

  it.each([
    [1, 2],
    [2, 4],
  ])(
    'B111 with %d of them has everything started again behind them when one crashes more than %d times in as many seconds as there are',
    async (concurrency, allowed) => {
      await inSimulation(async (sim) => {
        const pipeline = await Broadway.start({
          name: 'crashes',
          producer: { module: Silent<number>, concurrency },
          processors,
          batchers,
        })
        const before = partsOf(sim)
        await killRepeatedly(sim, 'Producer_0', allowed)
        expect(replaced(sim, before)).toEqual(['Producer_0'])
        await killRepeatedly(sim, 'Producer_0', 1)
        expect(replaced(sim, before)).toEqual([...before.keys()].filter((base) => base !== 'Supervisor'))
        expect(dataOf((await pipeline.call.testMessage(1)).successful)).toEqual([1])
        await pipeline.stop()
      })
    },
  )
})

describe('the crash of a processor', () => {
  it('B112 loses what it had been given and nothing else', async () => {
    await inSimulation(async (sim) => {
      const acknowledger = new Ledger()
      const batches: unknown[] = []
      const pipeline = await Broadway.start({
        name: 'crashes',
        producer: silent,
        processors: {
          default: {
            concurrency: 1,
            maxDemand: 2,
            minDemand: 0,
            handleMessage: (message, _context, stage) => (message.data === 0 ? kill(stage) : message),
          },
        },
        batchers: {
          default: {
            batchSize: 2,
            handleBatch(batch) {
              batches.push(dataOf(batch))
              return batch
            },
          },
        },
      })
      await pipeline.call.pushMessages(acked(acknowledger, 1, 2, 0, 3, 4, 5))
      await sim.advance(1000)
      // The killed one and 3 came together. They are not acknowledged: it is for the source to deliver them again.
      expect(batches).toEqual([
        [1, 2],
        [4, 5],
      ])
      expect(acknowledger.calls).toEqual([
        [[1, 2], []],
        [[4, 5], []],
      ])
      await pipeline.stop()
    })
  })

  it('B113 has all processors and what is behind them started again; producers stay', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({
        name: 'crashes',
        producer: { module: Silent<number>, concurrency: 2 },
        processors: { default: { concurrency: 2, handleMessage: (message) => message.putBatcher('a') } },
        batchers: { a: { ...batchers.default, concurrency: 2 }, b: batchers.default },
      })
      const before = partsOf(sim)
      partOf(sim, 'Processor_default_1').kill()
      await sim.settle()
      const stay = ['Supervisor', 'ProducerSupervisor', 'Producer_0', 'Producer_1']
      expect(replaced(sim, before)).toEqual([...before.keys()].filter((base) => !stay.includes(base)))
      expect(partsOf(sim).size).toBe(before.size)
      expect(dataOf((await pipeline.call.testMessage(1)).successful)).toEqual([1])
      await pipeline.stop()
    })
  })

  it('B116 ends the pipeline when it is the fourth within 5 seconds; the supervisor above decides', async () => {
    await inSimulation(async (sim) => {
      const options = { name: 'crashes', producer: silent, processors }
      const alone = await Broadway.start(options)
      await killRepeatedly(sim, 'Processor_default_0', 3)
      expect(alone.alive).toBe(true)
      await killRepeatedly(sim, 'Processor_default_0', 1)
      expect(await alone.done).toBe('shutdown')

      const above = await supervise({ strategy: 'one_for_one', children: [Broadway.child(options)] })
      const [first] = Broadway.allRunning()
      await killRepeatedly(sim, 'Processor_default_0', 4)
      const [second] = Broadway.allRunning()
      expect(second?.alive).toBe(true)
      expect(second).not.toBe(first)
      await above.stop()
    })
  })

  it('B116 does not end it when they are further apart, or when more are allowed', async () => {
    await inSimulation(async (sim) => {
      const options = { name: 'crashes', producer: silent, processors }
      const pipeline = await Broadway.start(options)
      for (let crash = 0; crash < 8; crash++) {
        await killRepeatedly(sim, 'Processor_default_0', 1)
        await sim.advance(1700)
      }
      expect(pipeline.alive).toBe(true)
      await pipeline.stop()
      const tolerant = await Broadway.start({ ...options, maxRestarts: 5, maxSeconds: 1 })
      await killRepeatedly(sim, 'Processor_default_0', 5)
      expect(tolerant.alive).toBe(true)
      await killRepeatedly(sim, 'Processor_default_0', 1)
      expect(await tolerant.done).toBe('shutdown')
    })
  })
})

describe('the crash of a batcher', () => {
  it('B114 has its batch processors started again, and nobody else', async () => {
    await inSimulation(async (sim) => {
      const acknowledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'crashes',
        producer: silent,
        processors,
        batchers: {
          default: {
            batchSize: 2,
            handleBatch(batch) {
              // What it does to the batcher has no effect on what it has in hand.
              if (batch.some(({ data }) => data === 0)) partOf(sim, 'Batcher_default').kill()
              return batch
            },
          },
        },
      })
      const before = partsOf(sim)
      const push = (...data: readonly number[]) => pipeline.call.pushMessages(acked(acknowledger, ...data))
      await push(1, 2, 0, 3)
      await sim.settle()
      await push(4, 5)
      await sim.settle()
      await push(6)
      await sim.advance(1000)
      expect(acknowledger.calls).toEqual([
        [[1, 2], []],
        [[0, 3], []],
        [[4, 5], []],
        [[6], []],
      ])
      expect(replaced(sim, before)).toEqual([
        'Batcher_default',
        'BatchProcessorSupervisor_default',
        'BatchProcessor_default_0',
      ])
      await pipeline.stop()
    })
  })

  it('B114 loses the batches that are not complete, and nothing that waits in the processors', async () => {
    await inSimulation(async (sim) => {
      const acknowledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'crashes',
        producer: silent,
        processors,
        batchers: { default: { batchSize: 10, maxDemand: 4, handleBatch: (batch) => batch } },
      })
      const push = (...data: readonly number[]) => pipeline.call.pushMessages(acked(acknowledger, ...data))
      await push(1, 2, 3)
      await sim.settle()
      partOf(sim, 'Batcher_default').kill()
      await push(4, 5)
      await sim.settle()
      expect(acknowledger.calls).toEqual([])
      await pipeline.stop()
      expect(acknowledger.calls).toEqual([[[4, 5], []]])
    })
  })
})

describe('the crash of a batch processor', () => {
  it('B115 loses the batch in hand; the batcher and what it has collected stay', async () => {
    await inSimulation(async (sim) => {
      const acknowledger = new Ledger()
      const reached = new Gate()
      const pipeline = await Broadway.start({
        name: 'crashes',
        producer: silent,
        processors,
        batchers: {
          default: {
            batchSize: 2,
            concurrency: 2,
            handleBatch(batch, _info, _context, stage) {
              if (!batch.some(({ data }) => data === 0)) return batch
              reached.open()
              return kill(stage)
            },
          },
        },
      })
      const before = partsOf(sim)
      const push = (...data: readonly number[]) => pipeline.call.pushMessages(acked(acknowledger, ...data))
      await push(1, 2, 0, 3, 4)
      await reached.opened
      await sim.settle()
      await push(5, 6, 7)
      await sim.settle()
      expect(acknowledger.calls).toEqual([
        [[1, 2], []],
        [[4, 5], []],
        [[6, 7], []],
      ])
      expect(replaced(sim, before)).toEqual([
        'BatchProcessorSupervisor_default',
        'BatchProcessor_default_0',
        'BatchProcessor_default_1',
      ])
      await pipeline.stop()
    })
  })
})

describe('a crash while the pipeline ends', () => {
  const slow = (dies: number) => ({
    batchSize: 2,
    async handleBatch(batch: readonly Message<number>[], _info: unknown, _context: unknown, stage: PipelineStage) {
      await stage.sleep(10)
      return batch.some(({ data }) => data === dies) ? kill(stage) : batch
    },
  })

  it('of a batch processor loses the batch in hand; its successor handles what its batcher has', async () => {
    await inSimulation(async (sim) => {
      const acknowledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'crashes',
        producer: silent,
        processors,
        batchers: { default: slow(3) },
      })
      await pipeline.call.pushMessages(acked(acknowledger, 1, 2, 3, 4, 5, 6, 7, 8, 9))
      await inASecond(sim, pipeline.stop())
      expect(acknowledger.calls).toEqual([
        [[1, 2], []],
        [[5, 6], []],
        [[7, 8], []],
        [[9], []],
      ])
    })
  })

  it('of a batch processor that comes again and again ends the pipeline when its supervisors give up', async () => {
    await inSimulation(async (sim) => {
      const acknowledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'crashes',
        producer: silent,
        processors,
        batchers: { default: { batchSize: 1, handleBatch: (_batch, _info, _context, stage) => kill(stage) } },
      })
      await pipeline.call.pushMessages(acked(acknowledger, ...Array.from({ length: 100 }, (_, index) => index)))
      await inASecond(sim, pipeline.stop())
      expect(acknowledger.calls).toEqual([])
    })
  })

  it('of a batcher loses what it has collected; the next one takes what waits in the processors', async () => {
    await inSimulation(async (sim) => {
      const acknowledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'crashes',
        producer: silent,
        processors,
        batchers: { default: { ...slow(0), maxDemand: 4 } },
      })
      await pipeline.call.pushMessages(acked(acknowledger, 1, 2, 3, 4, 5, 6, 7, 8, 9))
      const stopped = pipeline.stop()
      await sim.advance(5)
      partOf(sim, 'Batcher_default').kill()
      await inASecond(sim, stopped)
      expect(acknowledger.calls).toEqual([
        [[1, 2], []],
        [[9], []],
      ])
    })
  })

  it('of a batcher and its batch processor does not hold it up when the processors have nothing left', async () => {
    await inSimulation(async (sim) => {
      const acknowledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'crashes',
        producer: silent,
        processors,
        batchers: { default: slow(0) },
      })
      await pipeline.call.pushMessages(acked(acknowledger, 1, 2, 3))
      const stopped = pipeline.stop()
      await sim.advance(15)
      partOf(sim, 'Batcher_default').kill()
      // Or it would still end, and say that it has done all.
      partOf(sim, 'BatchProcessor_default_0').kill()
      await inASecond(sim, stopped)
      expect(acknowledger.calls[0]).toEqual([[1, 2], []])
    })
  })
})

describe('the crash of others', () => {
  it('B117 of the main supervisor ends the pipeline with the same reason, and leaves nothing behind', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({
        name: 'crashes',
        producer: silent,
        processors: { default: { concurrency: 1, handleMessage: () => new Promise<Message<number>>(() => {}) } },
        batchers,
      })
      pipeline.call.testMessage(1).catch(() => {})
      await sim.settle()
      partOf(sim, 'Supervisor').kill()
      expect(await pipeline.done).toBe('killed')
      expect([...partsOf(sim).keys()]).toEqual([])
    })
  })

  it('B119 of a process of prepareForStart has everything below it started again', async () => {
    class Connection extends GenServer {}
    class Connected extends Silent {
      static prepareForStart(options: object): unknown {
        return { children: [child(Connection, { name: Connection })], options }
      }
    }
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({
        name: 'crashes',
        producer: { module: Connected },
        processors,
        batchers,
      })
      const before = partsOf(sim)
      const connection = sim.processes.find((ref) => String(ref).includes('Connection'))
      connection?.kill()
      await sim.settle()
      expect(replaced(sim, before)).toEqual([...before.keys()].filter((base) => base !== 'Supervisor'))
      expect(dataOf((await pipeline.call.testMessage(1)).successful)).toEqual([1])
      await pipeline.stop()
    })
  })
})

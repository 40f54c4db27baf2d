import { name, run, supervise } from 'sluice'
import { Broadway, Message } from 'sluice/broadway'
import { describe, expect, it } from 'vitest'
import { acked, dataOf, Gate, inSimulation, Ledger, partOf, partsOf, Silent, silent } from '../support/broadway.ts'
import { rejection } from '../support/flows.ts'

const handleMessage = (message: Message<number>): Message<number> => message
const processors = { default: { concurrency: 1, handleMessage } }
const handleBatch = (batch: readonly Message[]): readonly Message[] => batch
const batchers = { default: { batchSize: 2, handleBatch } }

const successes = ({ calls }: Ledger): readonly unknown[] => calls.flatMap(([successful]) => successful)

/** Can be held in a callback. */
class Held extends Silent {
  async hold(gate: Promise<void>): Promise<void> {
    await gate
  }
}

describe('a pipeline that is to end', () => {
  it('B120 ends with the reason of the exit signal of its owner, when all of its parts have', async () => {
    await inSimulation(async (sim) => {
      const acknowledger = new Ledger()
      const pipeline = await Broadway.startLink({
        name: 'ends',
        producer: silent,
        processors,
        batchers,
      })
      await pipeline.call.pushMessages(acked(acknowledger, 1))
      const main = partOf(sim, 'Supervisor')
      const alive: boolean[] = []
      const ended = pipeline.done.then(() => alive.push(main.alive))
      pipeline.exit('shutdown')
      await ended
      expect(await pipeline.done).toBe('shutdown')
      expect(alive).toEqual([false])
      expect(successes(acknowledger)).toEqual([1])
      expect(partsOf(sim).size).toBe(0)
    })
  })

  it.each([
    ['without batchers', undefined],
    ['with batchers', batchers],
  ])('B121 handles what waits in the mailbox of its producer, %s', async (_title, batchers) => {
    await inSimulation(async () => {
      const acknowledger = new Ledger()
      const gate = new Gate()
      const pipeline = await Broadway.start({ name: 'ends', producer: { module: Held }, processors, batchers })
      const [producer] = await pipeline.call.producerNames()
      producer?.cast.hold(gate.opened)
      const pushes = [1, 2, 3, 4].map((data) => pipeline.call.pushMessages(acked(acknowledger, data)))
      const stopped = pipeline.stop()
      gate.open()
      await stopped
      await Promise.all(pushes)
      expect(successes(acknowledger)).toEqual([1, 2, 3, 4])
    })
  })

  it('B122 B125 handles batches that are not complete, each once and at once', async () => {
    await inSimulation(async (sim) => {
      const acknowledger = new Ledger()
      const batches: unknown[] = []
      const pipeline = await Broadway.start({
        name: 'ends',
        producer: silent,
        processors: {
          default: { concurrency: 1, handleMessage: (message) => message.putBatchKey(message.data % 3) },
        },
        batchers: {
          default: {
            batchSize: 4,
            handleBatch(batch, { trigger, batchKey }) {
              batches.push([batchKey, dataOf(batch), trigger])
              return batch
            },
          },
        },
      })
      await pipeline.call.pushMessages(acked(acknowledger, 1, 2, 3, 4))
      await sim.settle()
      expect(batches).toEqual([])
      await pipeline.stop()
      expect(batches).toEqual([
        [1, [1, 4], 'flush'],
        [2, [2], 'flush'],
        [0, [3], 'flush'],
      ])
      expect(acknowledger.calls).toHaveLength(3)
      expect(sim.now).toBe(0)
    })
  })

  it('B123 takes what handleDrain of its producer emits, and not what comes later', async () => {
    const acknowledger = new Ledger()
    class Last extends Silent {
      override handleDrain(): void {
        this.emit(acked(acknowledger, 1))
        this.sendAfter('late', 1)
      }

      override handleInfo(): readonly Message<number>[] {
        return acked(acknowledger, 2)
      }
    }
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({ name: 'ends', producer: { module: Last }, processors })
      await sim.settle()
      await pipeline.stop()
      await sim.advance(10)
      expect(acknowledger.calls).toEqual([[[1], []]])
    })
  })

  it('B124 handles all that its producer has in its buffer, however slow it is', async () => {
    await inSimulation(async (sim) => {
      const acknowledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'ends',
        producer: silent,
        processors: {
          default: {
            concurrency: 1,
            maxDemand: 1,
            minDemand: 0,
            async handleMessage(message, _context, stage) {
              await stage.sleep(10)
              return message
            },
          },
        },
      })
      const data = Array.from({ length: 31 }, (_, index) => index)
      await pipeline.call.pushMessages(acked(acknowledger, ...data))
      const stopped = pipeline.stop()
      await sim.advance(310)
      await stopped
      expect(successes(acknowledger)).toEqual(data)
      expect(sim.logs).toEqual([])
    })
  })

  it('B128 does not wait for a producer that is away', async () => {
    await inSimulation(async (sim) => {
      const acknowledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'ends',
        producer: { module: Silent<number>, concurrency: 2 },
        processors,
        batchers,
      })
      await pipeline.call.pushMessages(acked(acknowledger, 1))
      await sim.settle()
      partOf(sim, 'Producer_0').kill()
      await pipeline.stop()
      expect(successes(acknowledger)).toEqual([1])
      expect(sim.now).toBe(0)
      expect(partsOf(sim).size).toBe(0)
    })
  })

  it('B129 does not wait for a producer that nobody is subscribed to', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({ name: 'ends', producer: silent, processors })
      partOf(sim, 'Producer_0').kill()
      await sim.settle()
      await pipeline.stop()
      expect(sim.now).toBe(0)
    })
  })

  it('B131 drains, also when it is one of 100', async () => {
    await inSimulation(async () => {
      const acknowledger = new Ledger()
      const pipelines = await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          Broadway.start({ name: `ends ${index}`, producer: silent, processors, batchers }),
        ),
      )
      const pushes = pipelines.map((pipeline, index) => pipeline.call.pushMessages(acked(acknowledger, index)))
      await Promise.all(pushes)
      await Promise.all(pipelines.map((pipeline) => pipeline.stop()))
      expect(successes(acknowledger).toSorted((a, b) => Number(a) - Number(b))).toEqual(
        pipelines.map((_, index) => index),
      )
    })
  })

  it('B132 leaves its names free, and is known by its own no more', async () => {
    await inSimulation(async (sim) => {
      for (let time = 0; time < 3; time++) {
        const pipeline = await Broadway.start({
          name: 'ends',
          producer: silent,
          processors,
          batchers,
        })
        expect(partsOf(sim).size).toBeGreaterThan(0)
        await pipeline.stop()
        expect(partsOf(sim).size).toBe(0)
        expect(Broadway.allRunning()).toEqual([])
        expect(await rejection(name(Broadway<number>, 'ends').call.topology())).toMatchObject({ code: 'noproc' })
      }
    })
  })

  it('drains when its supervisor stops, and when the program is asked to end', async () => {
    await inSimulation(async (sim) => {
      const acknowledger = new Ledger()
      const options = {
        name: 'ends',
        producer: silent,
        processors: {
          default: {
            concurrency: 2,
            async handleMessage(message: Message<number>): Promise<Message<number, 'default'>> {
              await Promise.resolve()
              return message.putBatcher('default')
            },
          },
        },
        batchers,
      }
      const above = await supervise({ strategy: 'one_for_one', children: [Broadway.child(options)] })
      await name(Broadway<number>, 'ends').call.pushMessages(acked(acknowledger, 1, 2, 3))
      await above.stop()
      expect(successes(acknowledger)).toHaveLength(3)

      const application = await run([Broadway.child(options)])
      await name(Broadway<number>, 'ends').call.pushMessages(acked(acknowledger, 4, 5, 6))
      sim.program.signal('SIGTERM')
      const { dropped, reason } = await application.done
      expect(successes(acknowledger)).toHaveLength(6)
      expect(dropped).toEqual([])
      expect(reason).toBe('shutdown')
    })
  })
})

describe('drain', () => {
  it('replies when all that was emitted before is acknowledged; batches that are not complete leave; the pipeline goes on', async () => {
    await inSimulation(async (sim) => {
      const acknowledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'drains',
        producer: { module: Silent<number>, concurrency: 2 },
        processors: {
          default: {
            concurrency: 2,
            maxDemand: 2,
            async handleMessage(message, _context, stage) {
              await stage.sleep(10)
              return message.putBatcher(message.data % 2 === 0 ? 'even' : 'odd')
            },
          },
        },
        batchers: {
          even: { batchSize: 4, handleBatch },
          odd: {
            batchSize: 4,
            async handleBatch(batch, _info, _context, stage) {
              await stage.sleep(10)
              return batch
            },
          },
        },
      })
      await pipeline.call.drain()
      for (let round = 0; round < 3; round++) {
        const data = Array.from({ length: 21 }, (_, index) => 100 * round + index)
        await pipeline.call.pushMessages(acked(acknowledger, ...data))
        let drained = false
        const draining = pipeline.call.drain().then(() => {
          drained = true
        })
        await pipeline.call.pushMessages(acked(new Ledger(), 1))
        await sim.advance(10)
        expect(drained).toBe(false)
        await sim.advance(500)
        await draining
        const acknowledged = successes(acknowledger).map(Number)
        expect(acknowledged.slice(-21).toSorted((a, b) => a - b)).toEqual(data)
      }
      expect(sim.now).toBeLessThan(2000)
      await pipeline.stop()
    })
  })

  it('is over when the acknowledger is, and does not wait for what a dead stage had', async () => {
    await inSimulation(async (sim) => {
      const gate = new Gate()
      const acknowledger = { ack: () => gate.opened }
      const pipeline = await Broadway.start({ name: 'drains', producer: silent, processors })
      await pipeline.call.pushMessages([new Message(1, { acknowledger })])
      let drained = false
      const draining = pipeline.call.drain().then(() => {
        drained = true
      })
      await sim.settle()
      expect(drained).toBe(false)
      gate.open()
      await draining

      const never = { ack: () => new Promise<void>(() => {}) }
      await pipeline.call.pushMessages([new Message(1, { acknowledger: never })])
      const again = pipeline.call.drain()
      await sim.settle()
      partOf(sim, 'Processor_default_0').kill()
      await again
      await pipeline.stop()
    })
  })
})

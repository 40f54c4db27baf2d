import { child, name, type Ref, start, supervise, whereis } from 'sluice'
import { Broadway, type Message } from 'sluice/broadway'
import { Queue, type QueueMetadata, QueueSource, QueueStore } from 'sluice/queue'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { inSimulation } from '../support/broadway.ts'
import { data, filled, now } from '../support/embedded-queue.ts'
import { settlement } from '../support/settlement.ts'
import { range } from '../support/stages.ts'

type Incoming = Message<number, 'default', QueueMetadata>

/** The process of a pipeline with this in its name. */
function part(sim: Simulation, text: string): Ref {
  const found = sim.processes.find((process) => String(process).includes(text))
  if (found === undefined) throw new Error(`no ${text} among ${sim.processes.map(String).join(', ')}`)
  return found
}

/** Handles a message in so many milliseconds on its first attempt, and at once on others. */
const slowAtFirst = (ms: number, handled: number[]) => async (message: Incoming, _: undefined, stage: Sleeper) => {
  if (message.metadata.attempts === 1) await stage.sleep(ms)
  handled.push(message.data)
  return message
}

interface Sleeper {
  readonly sleep: (ms: number) => Promise<void>
}

describe('what a pipeline loses', () => {
  it('Q40 is delivered again when a processor is killed, but not before its time is over', async () => {
    await inSimulation(async (sim) => {
      const queue = await filled(10)
      const handled: number[] = []
      const pipeline = await Broadway.start({
        name: 'numbers',
        producer: { module: QueueSource<number>, arg: { queue, visibilityTimeout: 1000 } },
        processors: { default: { concurrency: 2, maxDemand: 2, handleMessage: slowAtFirst(3000, handled) } },
      })
      await sim.advance(2000)
      expect(handled).toEqual([])
      part(sim, 'Processor_default_0').kill()
      await sim.settle()
      const { totals } = await queue.call.stats()
      expect(totals.expired).toBe(0)
      await sim.advance(60_000)
      expect(await queue.call.stats()).toMatchObject({ ready: 0, inFlight: 0, dead: 0, totals: { acknowledged: 10 } })
      expect(new Set(handled)).toEqual(new Set(range(1, 10)))
      await pipeline.stop()
      await queue.stop()
    })
  })

  it('Q40 is delivered again when a batch processor or a batcher is killed', async () => {
    for (const victim of ['BatchProcessor_default_0', 'Batcher_default']) {
      await inSimulation(async (sim) => {
        const queue = await filled(4)
        let batches = 0
        const pipeline = await Broadway.start({
          name: 'numbers',
          shutdown: 100,
          producer: { module: QueueSource<number>, arg: { queue, visibilityTimeout: 1000 } },
          processors: { default: { handleMessage: (message) => message } },
          batchers: {
            default: {
              batchSize: 4,
              handleBatch: async (messages, _info, _context, stage) => {
                batches++
                if (batches === 1) await stage.sleep(1e6)
                return messages
              },
            },
          },
        })
        await sim.advance(5000)
        expect((await queue.call.stats()).totals.expired).toBe(0)
        part(sim, victim).kill()
        await sim.advance(5000)
        expect((await queue.call.stats()).totals).toMatchObject({ acknowledged: 4, delivered: 8, expired: 4 })
        await pipeline.stop()
        await queue.stop()
      })
    }
  })

  it('Q41 is delivered again when the source is killed; the next one goes on, and none is left waiting', async () => {
    await inSimulation(async (sim) => {
      const queue = await filled(2)
      const handled: number[] = []
      const pipeline = await Broadway.start({
        name: 'numbers',
        producer: { module: QueueSource<number>, arg: { queue, visibilityTimeout: 1000 } },
        processors: { default: { concurrency: 1, handleMessage: slowAtFirst(1500, handled) } },
      })
      await sim.advance(100)
      part(sim, 'Producer_0').kill()
      await sim.settle()
      await sim.advance(10_000)
      expect(await queue.call.stats()).toMatchObject({ waitingToReceive: 1, inFlight: 0, ready: 0, dead: 0 })
      expect(new Set(handled)).toEqual(new Set([1, 2]))
      await queue.call.enqueue(3)
      await sim.advance(2000)
      expect(handled.at(-1)).toBe(3)
      await pipeline.stop()
      expect(await queue.call.stats()).toMatchObject({ waitingToReceive: 0 })
      await queue.stop()
    })
  })
})

describe('a source', () => {
  it('Q42 whose queue ends waits for the next one, which has everything when it has a store', async () => {
    await inSimulation(async (sim) => {
      class Orders extends Queue<number> {
        crash() {
          throw new Error('torn')
        }
      }
      const orders = name(Orders)
      const tree = await supervise({
        strategy: 'one_for_one',
        children: [child(Orders, { name: Orders, arg: { store: new QueueStore<number>() } })],
      })
      const handled: number[] = []
      const pipeline = await Broadway.start({
        name: 'numbers',
        producer: { module: QueueSource<number>, arg: { queue: orders, visibilityTimeout: 10_000 } },
        processors: { default: { concurrency: 1, handleMessage: slowAtFirst(100, handled) } },
      })
      await orders.call.enqueueMany([{ data: 1 }, { data: 2 }])
      await sim.advance(50)
      orders.cast.crash()
      await sim.advance(150)
      // Acknowledged at the new process, with the receipts of the old one.
      expect(await orders.call.stats()).toMatchObject({ ready: 0, inFlight: 0, totals: { acknowledged: 2 } })
      await orders.call.enqueue(3)
      await sim.advance(2000)
      expect(handled).toEqual([1, 2, 3])
      expect(sim.logs.filter(({ level }) => level === 'warn').map(({ message }) => message)).toEqual([
        expect.stringMatching(
          /Producer_0.* cannot receive: .* the process ended with Error: torn; it tries again in 1000 ms$/,
        ),
      ])
      await pipeline.stop()
      await tree.stop()
      expect(whereis(Orders)).toBeUndefined()
    })
  })

  it('Q43 has nothing more to do when its queue is closed and empty', async () => {
    await inSimulation(async (sim) => {
      const queue = await filled(3)
      await queue.call.close()
      const handled: number[] = []
      const pipeline = await Broadway.start({
        name: 'numbers',
        producer: { module: QueueSource<number>, arg: { queue } },
        processors: { default: { handleMessage: slowAtFirst(10, handled) } },
      })
      await sim.advance(100_000)
      expect(new Set(handled)).toEqual(new Set([1, 2, 3]))
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringMatching(/has nothing more to do: its queue is closed and empty$/),
      ])
      await pipeline.stop()
      await queue.stop()
    })
  })

  it('Q44 keeps the order of each key, with any number of sources and processors', async () => {
    await inSimulation(async (sim) => {
      const queue = await start(Queue<string>)
      const words = range(1, 60).map((n) => `${'abc'.charAt(n % 3)}${n}`)
      await queue.call.enqueueMany(words.map((word) => ({ data: word, key: word.charAt(0) })))
      const handled: string[] = []
      const tries = new Set<string>()
      const pipeline = await Broadway.start({
        name: 'words',
        producer: { module: QueueSource<string>, arg: { queue, retryDelay: 5 }, concurrency: 2 },
        processors: {
          default: {
            concurrency: 4,
            handleMessage: async (message, _context, stage) => {
              await stage.sleep(message.data.length)
              if (!tries.has(message.data) && tries.add(message.data).size % 7 === 0) throw new Error('once more')
              handled.push(message.data)
              return message
            },
          },
        },
      })
      await sim.advance(10_000)
      for (const key of 'abc') {
        const of = (list: readonly string[]) => list.filter((word) => word.startsWith(key))
        expect(of(handled)).toEqual(of(words))
      }
      await pipeline.stop()
      await queue.stop()
    })
  })

  it('Q45 loses nothing, whatever is killed, fails or takes long, and leaves nothing in flight', async () => {
    const victims = ['Producer_0', 'Producer_1', 'Processor_default_0', 'Processor_default_1', 'Batcher_default']
    for (const seed of range(1, 25)) {
      await simulate({ seed }).run(async (sim) => {
        const random = randomOf(seed)
        const queue = await filled(60, { visibilityTimeout: 500, maxAttempts: 50 })
        const done = new Map<number, number>()
        const pipeline = await Broadway.start({
          name: 'chaos',
          maxRestarts: 1000,
          shutdown: 1000,
          producer: {
            module: QueueSource<number>,
            arg: { queue, onFailure: { retryAfter: 20 }, visibilityTimeout: 500 },
            concurrency: 2,
          },
          processors: {
            default: {
              concurrency: 2,
              maxDemand: 3,
              handleMessage: async (message, _context, stage) => {
                await stage.sleep(random(40))
                if (random(5) === 0) throw new Error('torn')
                return message
              },
            },
          },
          batchers: {
            default: {
              batchSize: 4,
              batchTimeout: 30,
              handleBatch: async (messages, _info, _context, stage) => {
                await stage.sleep(random(60))
                for (const { data: n } of messages) done.set(n, (done.get(n) ?? 0) + 1)
                return messages
              },
            },
          },
        })
        for (let round = 0; round < 12; round++) {
          await sim.advance(50 + random(100))
          const victim = victims[random(victims.length)]
          if (victim !== undefined) sim.processes.find((process) => String(process).includes(victim))?.kill()
          await queue.call.enqueue(61 + round)
        }
        await sim.advance(5000)
        const stopped = settlement(pipeline.stop())
        await sim.advance(20_000)
        expect(await stopped).toEqual({})
        const { ready, inFlight, delayed, dead, totals } = await queue.call.stats()
        expect({ inFlight, dead }).toEqual({ inFlight: 0, dead: 0 })
        expect(totals.acknowledged + ready + delayed).toBe(72)
        const left = new Set(data(await now(queue)))
        for (const n of range(1, 72)) if (!left.has(n)) expect([n, done.has(n)]).toEqual([n, true])
        expect({ seed, ready, delayed }).toEqual({ seed, ready: 0, delayed: 0 })
        sim.takeUncaught()
      })
    }
  })
})

/** Whole numbers from 0 on, below a limit, the same ones for a seed. */
function randomOf(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * limit)
  }
}

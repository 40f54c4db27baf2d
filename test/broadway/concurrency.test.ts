import fc from 'fast-check'
import { type Abandoned, type Acknowledger, Broadway, Message, type PipelineConcurrency, Producer } from 'sluice'
import { describe, expect, it } from 'vitest'
import { acked, dataOf, inSimulation, Ledger, messages, noted, partOf, partsOf, silent } from '../support/broadway.ts'

describe('setConcurrency', () => {
  it('changes how many processors and batch processors there are', async () => {
    await inSimulation(async (sim) => {
      const seen: unknown[] = []
      const pipeline = await Broadway.start({
        name: 'sizes',
        producer: { ...silent, concurrency: 2 },
        processors: {
          default: {
            concurrency: 1,
            maxDemand: 1,
            handleMessage: (message, _context, { index }) => noted(seen, index, message),
          },
        },
        batchers: {
          a: { handleBatch: (messages) => messages },
          default: { concurrency: 3, handleBatch: (messages) => messages },
        },
      })
      const producer = partOf(sim, 'Producer_0')
      const topology = await pipeline.call.setConcurrency({ processors: 3, batchers: { a: 2 } })
      expect(topology).toEqual(await pipeline.call.topology())
      expect(topology.processors.map(({ concurrency }) => concurrency)).toEqual([3])
      expect(topology.batchers.map(({ concurrency }) => concurrency)).toEqual([2, 3])
      expect(sim.processes.map(String).filter((name) => name.includes('Processor_'))).toHaveLength(8)
      expect(partOf(sim, 'Producer_0')).toBe(producer)
      const acks = await pipeline.call.testBatch([1, 2, 3, 4, 5, 6], { batchMode: 'flush' })
      expect(acks.flatMap(({ successful }) => dataOf(successful)).toSorted()).toEqual([1, 2, 3, 4, 5, 6])
      expect(new Set(seen)).toEqual(new Set([0, 1, 2]))
      expect((await pipeline.call.setConcurrency({ processors: 1 })).processors[0]?.concurrency).toBe(1)
      await pipeline.stop()
    })
  })

  it('waits for what runs, and for retries, and loses nothing', async () => {
    await inSimulation(async (sim) => {
      const ledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'busy',
        producer: silent,
        processors: {
          default: {
            concurrency: 1,
            maxDemand: 2,
            async handleMessage(message, _context, stage) {
              if (message.data === 1 && message.attempts === 1) throw new Error('busy')
              await stage.sleep(10)
              return message
            },
          },
        },
        batchers: { default: { batchSize: 100, batchTimeout: 1000, handleBatch: (messages) => messages } },
        retry: { attempts: 2, backoff: { type: 'exp', min: 500 } },
      })
      await pipeline.call.pushMessages(acked(ledger, 1, 2, 3, 4, 5))
      await sim.advance(15)
      let resized = false
      const done = pipeline.with({ timeout: 60_000 }).call.setConcurrency({ processors: 2 })
      void done.then(() => {
        resized = true
      })
      await sim.advance(490)
      // The second attempt of 1 runs, with what had come until then; the rest waits with the producer.
      expect([resized, ledger.calls]).toEqual([false, []])
      await sim.advance(10)
      expect([resized, ledger.calls]).toEqual([true, [[[2, 3, 4, 1], []]]])
      await sim.advance(2000)
      expect(ledger.calls.flatMap(([successful]) => successful)).toEqual([2, 3, 4, 1, 5])
      await done
      await pipeline.stop()
    })
  })

  it('gives what waits for a partition to the new ones, in order', async () => {
    await inSimulation(async (sim) => {
      const order: (readonly [index: number, data: number])[] = []
      const pipeline = await Broadway.start({
        name: 'partitions',
        producer: silent,
        processors: {
          default: {
            concurrency: 4,
            maxDemand: 1,
            async handleMessage(message, _context, stage) {
              await stage.sleep(10)
              order.push([stage.index, message.data])
              return message
            },
          },
        },
        partitionBy: ({ data }) => data % 10,
      })
      // The demand of all, and only one can take them.
      await pipeline.call.pushMessages(messages(5, 15, 25, 35, 45))
      await sim.settle()
      const done = pipeline.with({ timeout: 60_000 }).call.setConcurrency({ processors: 3 })
      await sim.advance(1000)
      await done
      expect(order).toEqual([
        [1, 5],
        [1, 15],
        [2, 25],
        [2, 35],
        [2, 45],
      ])
      await pipeline.stop()
    })
  })

  it('goes on in the new numbers when a part is started again, also a producer', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({
        name: 'restarts',
        producer: silent,
        processors: { default: { concurrency: 1, handleMessage: (message) => message } },
        partitionBy: ({ data }) => data,
      })
      await pipeline.call.setConcurrency({ processors: 3 })
      for (const part of ['Producer_0', 'Processor_default_2']) {
        partOf(sim, part).kill()
        await sim.advance(1000)
        const acks = await pipeline.call.testBatch([0, 1, 2, 3, 4, 5])
        expect(acks.flatMap(({ successful }) => dataOf(successful)).toSorted()).toEqual([0, 1, 2, 3, 4, 5])
      }
      await pipeline.stop()
    })
  })

  it('gets over a processor that crashes while it waits', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({
        name: 'crash',
        producer: silent,
        processors: {
          default: {
            concurrency: 2,
            async handleMessage(message, _context, stage) {
              await stage.sleep(100)
              return message
            },
          },
        },
      })
      await pipeline.call.pushMessages(messages(1, 2))
      const done = pipeline.with({ timeout: 60_000 }).call.setConcurrency({ processors: 1 })
      await sim.advance(10)
      partOf(sim, 'Processor_default_0').kill()
      await sim.advance(1000)
      expect((await done).processors[0]?.concurrency).toBe(1)
      const test = pipeline.call.testMessage(3)
      await sim.advance(100)
      expect(dataOf((await test).successful)).toEqual([3])
      await pipeline.stop()
    })
  })

  it('finds the producers that go on, and does not look for a source that has ended', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({
        name: 'ended',
        producer: { source: [1, 2, 3] },
        processors: { default: { concurrency: 1, handleMessage: (message) => message } },
      })
      await sim.settle()
      expect(sim.processes.map(String).some((name) => name.includes('Producer_0'))).toBe(false)
      await pipeline.call.setConcurrency({ processors: 3 })
      expect(sim.clock.pending).toBe(0)
      await pipeline.stop()
    })
  })

  it.each([
    ['a batch processor dies with its batch', [0, 1, 2, 3], 'BatchProcessor_default_0', [[1], [2], [3]]],
    ['a batch processor dies with the last batch', [0], 'BatchProcessor_default_0', []],
    // Who has a batch in hand finishes it.
    ['a batcher dies with its batches', [0, 1, 2, 3], 'Batcher_default', [[0]]],
  ])('loses no more than what is killed when %s', async (_what, data, part, left) => {
    await inSimulation(async (sim) => {
      const ledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'batches',
        producer: silent,
        processors: { default: { concurrency: 1, handleMessage: (message) => message } },
        batchers: {
          default: {
            batchSize: 1,
            maxDemand: 10,
            async handleBatch(messages, _info, _context, stage) {
              await stage.sleep(100)
              return messages
            },
          },
        },
      })
      await pipeline.call.pushMessages(acked(ledger, ...data))
      await sim.advance(10)
      const done = pipeline.with({ timeout: 60_000 }).call.setConcurrency({ processors: 2 })
      await sim.advance(10)
      partOf(sim, part).kill()
      let topology: unknown
      void done.then((changed) => {
        topology = changed
      })
      // Long before the deadline, which is 30 seconds.
      await sim.advance(10_000)
      expect(topology).toMatchObject({ processors: [{ concurrency: 2 }] })
      expect(ledger.calls.map(([successful]) => successful)).toEqual(left)
      await pipeline.stop()
    })
  })

  it('at its deadline kills what has not finished, says so, and goes on', async () => {
    await inSimulation(async (sim) => {
      const reports: Abandoned[] = []
      const ledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'stuck',
        producer: silent,
        processors: {
          default: {
            concurrency: 2,
            maxDemand: 1,
            async handleMessage(message, _context, stage) {
              if (message.data === 0) await stage.sleep(1e9)
              return message
            },
          },
        },
        batchers: {
          default: {
            async handleBatch(messages, _info, _context, stage) {
              if (dataOf(messages).includes(1)) await stage.sleep(1e9)
              return messages
            },
          },
        },
        onAbandoned: (report) => reports.push(report),
      })
      await pipeline.call.pushMessages(acked(ledger, 0, 1))
      await sim.settle()
      await sim.advance(1000)
      const done = pipeline.with({ timeout: 60_000 }).call.setConcurrency({ processors: 3, drainTimeout: 500 })
      await sim.advance(499)
      expect(reports).toEqual([])
      await sim.advance(1)
      expect((await done).processors[0]?.concurrency).toBe(3)
      expect(reports).toMatchObject([{ pipeline: 'stuck', ms: 500, messages: 2 }])
      expect(reports[0]?.stages.map(({ waitedFor, messages }) => [waitedFor, messages])).toEqual([
        ['handleMessage', 1],
        ['handleBatch', 1],
      ])
      expect(sim.logs.filter(({ level }) => level !== 'debug').map(({ message }) => message)).toEqual([
        expect.stringContaining('stuck changed its concurrency, and left 2 messages that nobody acknowledged'),
      ])
      expect(dataOf((await pipeline.call.testMessage(5)).successful)).toEqual([5])
      expect(ledger.calls).toEqual([])
      await pipeline.stop()
    })
  })

  it('has the deadline of the pipeline when it is given none', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({
        name: 'default',
        producer: silent,
        processors: {
          default: {
            concurrency: 1,
            handleMessage: (message, _context, stage) => stage.sleep(1e9).then(() => message),
          },
        },
        drainTimeout: 70,
      })
      await pipeline.call.pushMessages(messages(1))
      const done = pipeline.call.setConcurrency({ processors: 2 })
      await sim.advance(70)
      expect((await done).processors[0]?.concurrency).toBe(2)
      await pipeline.stop()
    })
  })

  it('several at once are done one after another', async () => {
    await inSimulation(async () => {
      const pipeline = await Broadway.start({
        name: 'queue',
        producer: silent,
        processors: { default: { concurrency: 1, handleMessage: (message) => message } },
      })
      const sizes = await Promise.all([2, 5, 3].map((processors) => pipeline.call.setConcurrency({ processors })))
      expect(sizes.map(({ processors }) => processors[0]?.concurrency)).toEqual([2, 5, 3])
      await pipeline.stop()
    })
  })

  it('is refused when the pipeline is stopped meanwhile, and the stop finishes what there is', async () => {
    await inSimulation(async (sim) => {
      const ledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'stopped',
        producer: silent,
        processors: {
          default: {
            concurrency: 1,
            maxDemand: 1,
            async handleMessage(message, _context, stage) {
              await stage.sleep(100)
              return message
            },
          },
        },
      })
      await pipeline.call.pushMessages(acked(ledger, 1))
      const done = pipeline.with({ timeout: 60_000 }).call.setConcurrency({ processors: 2 })
      const refused = expect(done).rejects.toMatchObject({ code: 'failed', cause: { code: 'stopped' } })
      await sim.advance(10)
      const stopped = pipeline.stop()
      await sim.advance(1000)
      await refused
      await stopped
      expect(ledger.calls).toEqual([[[1], []]])
    })
  })

  it.each([
    [{ processors: 0 }, 'processors of a pipeline: expected a whole number >= 1, got 0'],
    [{ processors: 1.5 }, 'processors of a pipeline: expected a whole number >= 1, got 1.5'],
    [{ batchers: { sqs: 1 } }, 'batchers of a pipeline has no option sqs: known is default'],
    [{ batchers: { default: -1 } }, 'batchers.default of a pipeline: expected a whole number >= 1, got -1'],
    [{ producers: 2 }, 'a pipeline has no option producers: known are processors, batchers, drainTimeout'],
    [{ drainTimeout: 0 }, 'drainTimeout of a pipeline: expected a whole number >= 1 or Infinity, got 0'],
  ])('is refused: %j', async (concurrency, message) => {
    await inSimulation(async () => {
      const pipeline = await Broadway.start({
        name: 'bad',
        producer: silent,
        processors: { default: { concurrency: 1, handleMessage: (message) => message } },
        batchers: { default: { handleBatch: (messages) => messages } },
      })
      await expect(pipeline.call.setConcurrency(concurrency as PipelineConcurrency)).rejects.toMatchObject({
        code: 'failed',
        cause: { code: 'bad_options', message },
      })
      await pipeline.stop()
    })
  })
})

/** Emits numbers as it is asked, so that it always has some on their way. */
class Counter extends Producer<Message<number>> {
  readonly #last: number
  readonly #acknowledger: Acknowledger
  #next = 0
  constructor([last, acknowledger]: readonly [number, Acknowledger]) {
    super()
    this.#last = last
    this.#acknowledger = acknowledger
  }
  override handleDemand(demand: number): readonly Message<number>[] {
    const count = Math.min(demand, this.#last - this.#next)
    return Array.from({ length: count }, () => new Message(this.#next++, { acknowledger: this.#acknowledger }))
  }
}

const size = fc.integer({ min: 1, max: 4 })
const steps = fc.array(fc.record({ processors: size, batch: size, wait: fc.constantFrom(0, 1, 7, 30) }), {
  minLength: 1,
  maxLength: 5,
})

describe('any changes of the concurrency', () => {
  it('lose no message, repeat none, and keep the order of each partition', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.record({
          batches: fc.boolean(),
          ordered: fc.boolean(),
          keys: fc.integer({ min: 1, max: 5 }),
          maxDemand: size,
          batchSize: size,
          seed: fc.nat(1000),
        }),
        fc.array(fc.nat(3), { minLength: 1, maxLength: 60 }),
        async (sizes, { batches, ordered, keys, maxDemand, batchSize, seed }, fates) => {
          const ended: number[] = []
          const acknowledger: Acknowledger = {
            ack(_ref, successful, failed) {
              for (const { data } of [...successful, ...failed]) ended.push(data as number)
            },
          }
          await inSimulation(async (sim) => {
            const pipeline = await Broadway.start({
              name: 'any',
              producer: { module: Counter, arg: [fates.length, acknowledger] as const },
              processors: {
                default: {
                  concurrency: 2,
                  maxDemand,
                  async handleMessage(message, _context, stage) {
                    const fate = fates[message.data] ?? 0
                    if (fate > 0) await stage.sleep(fate)
                    return fate === 3 && message.attempts === 1 ? message.failed('busy') : message
                  },
                },
              },
              batchers: batches
                ? { default: { batchSize, batchTimeout: 5, handleBatch: async (messages) => messages } }
                : undefined,
              partitionBy: ordered ? ({ data }) => (data as number) % keys : undefined,
              retry: { attempts: 2, backoff: { type: 'rand', min: 1, max: 10 } },
            })
            for (const { processors, batch, wait } of sizes) {
              await sim.advance(wait)
              const done = pipeline
                .with({ timeout: 100_000 })
                .call.setConcurrency(batches ? { processors, batchers: { default: batch } } : { processors })
              await sim.advance(wait)
              if (wait === 1) continue
              await sim.advance(2000)
              expect((await done).processors[0]?.concurrency).toBe(processors)
            }
            await sim.advance(5000)
            await pipeline.stop()
          }, seed)
          expect(ended.toSorted((a, b) => a - b)).toEqual(fates.map((_, index) => index))
          if (!ordered) return
          for (const key of [0, 1, 2, 3, 4]) {
            const own = ended.filter((id) => id % keys === key)
            expect(own).toEqual(own.toSorted((a, b) => a - b))
          }
        },
      ),
      { numRuns: 40 },
    )
  })

  it('while a batch processor is killed end, and lose no more than batch processors had in hand', async () => {
    const kills = fc.array(fc.record({ processors: size, batch: size, until: fc.nat(40), late: fc.nat(40) }), {
      minLength: 1,
      maxLength: 4,
    })
    const rest = fc.record({ batchSize: size, retry: fc.boolean(), seed: fc.nat(1000) })
    await fc.assert(
      fc.asyncProperty(kills, rest, fc.array(fc.nat(9), { maxLength: 60 }), async (rounds, options, fates) => {
        const { batchSize, retry, seed } = options
        const ended: unknown[] = []
        const acknowledger: Acknowledger = {
          ack: (_ref, successful, failed) => void ended.push(...dataOf(successful), ...dataOf(failed)),
        }
        await inSimulation(async (sim) => {
          const pipeline = await Broadway.start({
            name: 'killed',
            producer: { module: Counter, arg: [fates.length, acknowledger] as const },
            processors: { default: { concurrency: 2, maxDemand: 2, handleMessage: (message) => message } },
            batchers: {
              default: {
                batchSize,
                batchTimeout: 5,
                concurrency: 2,
                async handleBatch(messages, _info, _context, stage) {
                  await stage.sleep(fates[messages[0]?.data ?? 0] ?? 0)
                  return messages.map((message) =>
                    fates[message.data] === 9 && message.attempts === 1 ? message.failed('busy') : message,
                  )
                },
              },
            },
            retry: retry ? { attempts: 2, backoff: { type: 'rand', min: 1, max: 10 } } : undefined,
            drainTimeout: 100_000,
          })
          for (const { processors, batch, until, late } of rounds) {
            await sim.advance(until)
            let topology: unknown
            void pipeline
              .with({ timeout: Infinity })
              .call.setConcurrency({ processors, batchers: { default: batch } })
              .then((changed) => {
                topology = changed
              })
            await sim.advance(late)
            partsOf(sim).get('BatchProcessor_default_0')?.kill()
            // More than the restarts of a batcher are counted in, and far less than the deadline.
            await sim.advance(3000)
            expect(topology).toMatchObject({ processors: [{ concurrency: processors }] })
          }
          await sim.advance(5000)
          await pipeline.stop()
        }, seed)
        expect(new Set(ended).size).toBe(ended.length)
        // Who dies takes the others of its batcher with it, each with one batch.
        expect(fates.length - ended.length).toBeLessThanOrEqual(rounds.length * 4 * batchSize)
      }),
      { numRuns: 40 },
    )
  })
})

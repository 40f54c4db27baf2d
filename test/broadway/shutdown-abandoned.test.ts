import { name, QueueProducer, type Ref, supervise } from 'sluice'
import { type Abandoned, Broadway, BroadwayError, Message } from 'sluice/broadway'
import { describe, expect, it } from 'vitest'
import { acked, dataOf, inSimulation, Ledger, partsOf, Silent, silent } from '../support/broadway.ts'
import { rejection } from '../support/flows.ts'

const handleMessage = (message: Message<number>): Message<number> => message
const processors = { default: { concurrency: 1, handleMessage } }
const batchers = { default: { batchSize: 2, handleBatch: (batch: readonly Message[]) => batch } }
const never = (): Promise<never> => new Promise(() => {})
const foreign = { foreign: true }

/** What a report says of each stage, without numbers of processes. */
const stagesOf = ({ stages }: Abandoned): readonly unknown[] =>
  stages.map(({ stage, waitedFor, messages }) => [/\w+(?=\)#)/.exec(stage)?.[0], waitedFor, messages])

describe('what is not done in time', () => {
  it('B126 is abandoned, and the stop is over', async () => {
    await inSimulation(async (sim) => {
      const acknowledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'stuck',
        shutdown: 1,
        producer: silent,
        processors: { default: { concurrency: 1, handleMessage: never } },
      })
      await pipeline.call.pushMessages(acked(acknowledger, 1, 2))
      await sim.settle()
      const stopped = pipeline.stop({ reason: 'shutdown' })
      await sim.advance(1, foreign)
      await stopped
      expect(await pipeline.done).toBe('shutdown')
      expect(acknowledger.calls).toEqual([])
    })
  })

  it('B127 is reported: which stages were stuck, in what, and how many messages were left there', async () => {
    await inSimulation(async (sim) => {
      const reports: Abandoned[] = []
      const acknowledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'stuck',
        shutdown: 100,
        onAbandoned: (report) => reports.push(report),
        producer: silent,
        processors: {
          default: {
            concurrency: 2,
            maxDemand: 5,
            handleMessage: (message) => (message.data < 0 ? never() : message.putBatcher('a')),
          },
        },
        batchers: {
          a: {
            batchSize: 3,
            maxDemand: 100,
            handleBatch: (batch) => (batch.some(({ data }) => data === 0) ? never() : batch),
          },
        },
      })
      // One batch is stuck, one waits for it, and one is not complete.
      await pipeline.call.pushMessages(acked(acknowledger, 0, 1, 2, 3, 4, 5, 6))
      await sim.settle()
      // Both processors are stuck, each with what it has asked for; the rest is left in the producer.
      await pipeline.call.pushMessages(acked(acknowledger, ...Array.from({ length: 13 }, (_, index) => -1 - index)))
      await sim.settle()
      const stopped = pipeline.stop()
      await sim.advance(99, foreign)
      expect(reports).toEqual([])
      await sim.advance(1, foreign)
      await stopped
      const [report] = reports
      if (report === undefined) throw new Error('there is no report')
      expect(stagesOf(report)).toEqual([
        ['Producer_0', undefined, 7],
        ['Processor_default_0', 'handleMessage', 3],
        ['Processor_default_1', 'handleMessage', 3],
        ['Batcher_a', undefined, 4],
        ['BatchProcessor_a_0', 'handleBatch', 3],
      ])
      expect(report).toMatchObject({ pipeline: 'stuck', ms: 100, messages: 20 })
      const [line, ...others] = sim.logs.filter(({ level }) => level === 'error')
      expect(others).toEqual([])
      expect(line).toMatchObject({ fields: report })
      expect(line?.message).toMatch(
        /^stuck ended with 20 messages that nobody acknowledged: .*Producer_0.* had 7 messages; .*Processor_default_0.* had 3 messages and waited for handleMessage; /,
      )
      expect(acknowledger.calls).toEqual([])
      expect(reports).toHaveLength(1)
    })
  })

  it('counts what waits for one of several batchers and for one of several batch processors', async () => {
    await inSimulation(async (sim) => {
      const reports: Abandoned[] = []
      const stuck = {
        batchSize: 2,
        concurrency: 2,
        partitionBy: ({ data }: Message<number>) => data,
        handleBatch: never,
      }
      const pipeline = await Broadway.start({
        name: 'stuck',
        drainTimeout: 10,
        onAbandoned: (report) => reports.push(report),
        producer: silent,
        processors: {
          default: {
            concurrency: 1,
            handleMessage: (message) => message.putBatcher(message.data % 2 === 0 ? 'even' : 'odd'),
          },
        },
        batchers: { even: stuck, odd: stuck },
      })
      await pipeline.call.pushMessages(acked(new Ledger(), ...Array.from({ length: 40 }, (_, index) => index)))
      await sim.settle()
      const stopped = pipeline.stop()
      await sim.advance(10, foreign)
      await stopped
      expect(reports.map(({ messages }) => messages)).toEqual([40])
    })
  })

  const fails = { handleMessage: (message: Message<number>) => message.failed('no') }
  it.each([
    ['prepareMessages', { prepareMessages: never }, {}],
    ['handleMessage', { handleMessage: never }, {}],
    ['handleFailed', fails, { handleFailed: never }],
    ['deadLetter', fails, { deadLetter: never }],
    ['ack', {}, {}],
  ])('is told to be in %s', async (callback, given, others) => {
    await inSimulation(async (sim) => {
      const reports: Abandoned[] = []
      const pipeline = await Broadway.start({
        name: 'stuck',
        drainTimeout: 10,
        onAbandoned: (report) => reports.push(report),
        producer: silent,
        processors: { default: { concurrency: 1, handleMessage, ...given } },
        ...others,
      })
      await pipeline.call.pushMessages([new Message(1, { acknowledger: { ack: never } })])
      await sim.settle()
      const stopped = pipeline.stop()
      await sim.advance(10, foreign)
      await stopped
      expect(reports.map(stagesOf)).toEqual([[['Processor_default_0', callback, 1]]])
    })
  })

  it('is abandoned by all stages together after drainTimeout, however many are stuck; what still moves has until then', async () => {
    await inSimulation(async (sim) => {
      const reports: Abandoned[] = []
      const acknowledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'slow',
        drainTimeout: 1000,
        onAbandoned: (report) => reports.push(report),
        producer: silent,
        processors: {
          default: {
            concurrency: 10,
            maxDemand: 1,
            minDemand: 0,
            async handleMessage(message, _context, stage) {
              if (message.data < 8) return await never()
              await stage.sleep(90)
              return message
            },
          },
        },
      })
      await pipeline.call.pushMessages(acked(acknowledger, ...Array.from({ length: 31 }, (_, index) => index)))
      await sim.settle()
      const stopped = pipeline.stop()
      await sim.advance(1000, foreign)
      await stopped
      expect(sim.now).toBe(1000)
      // Two stages go on, 11 times each.
      expect(acknowledger.calls).toHaveLength(22)
      expect(reports).toMatchObject([{ messages: 31 - 22, ms: 1000 }])
    })
  })

  it('is not abandoned with a drainTimeout of Infinity', async () => {
    await inSimulation(async (sim) => {
      const acknowledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'slow',
        shutdown: 10,
        drainTimeout: Infinity,
        producer: silent,
        processors: {
          default: {
            concurrency: 1,
            async handleMessage(message, _context, stage) {
              await stage.sleep(100_000)
              return message
            },
          },
        },
      })
      await pipeline.call.pushMessages(acked(acknowledger, 1, 2, 3))
      const stopped = pipeline.stop()
      await sim.advance(300_000)
      await stopped
      expect(acknowledger.calls).toHaveLength(1)
    })
  })

  it('is reported and killed at once at the deadline of the stop, which then fails', async () => {
    await inSimulation(async (sim) => {
      const reports: Abandoned[] = []
      const pipeline = await Broadway.start({
        name: 'stuck',
        onAbandoned: (report) => reports.push(report),
        producer: silent,
        processors: { default: { concurrency: 2, handleMessage: never } },
        batchers,
      })
      await pipeline.call.pushMessages(acked(new Ledger(), 1, 2))
      await sim.settle()
      const stopping = rejection(pipeline.stop({ timeout: 50 }))
      await sim.advance(50, foreign)
      expect(await stopping).toMatchObject({ code: 'timeout' })
      await sim.settle()
      expect(partsOf(sim).size).toBe(0)
      expect(reports).toMatchObject([{ ms: 50, messages: 2 }])
      const again = await Broadway.start({ name: 'stuck', producer: silent, processors })
      await again.stop()
    })
  })

  it('is reported when the pipeline is killed; nothing is, when nothing was left', async () => {
    await inSimulation(async (sim) => {
      const reports: Abandoned[] = []
      const options = {
        name: 'killed',
        onAbandoned: (report: Abandoned) => reports.push(report),
        producer: silent,
        processors,
        batchers,
      }
      const idle = await Broadway.start(options)
      idle.kill()
      await sim.settle()
      expect(reports).toEqual([])
      const busy = await Broadway.start(options)
      await busy.call.pushMessages(acked(new Ledger(), 1))
      await sim.settle()
      busy.kill()
      await sim.settle()
      expect(reports.map(stagesOf)).toEqual([[['Batcher_default', undefined, 1]]])
      expect(reports).toMatchObject([{ ms: 0 }])
      expect(partsOf(sim).size).toBe(0)
    })
  })

  it('counts what a rate limit holds back; drain waits for it, and so does the end of a source', async () => {
    await inSimulation(async (sim) => {
      const reports: Abandoned[] = []
      const acknowledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'limited',
        drainTimeout: 500,
        onAbandoned: (report) => reports.push(report),
        producer: { source: acked(acknowledger, 1, 2, 3, 4, 5), rateLimiting: { allowedMessages: 2, interval: 1000 } },
        processors,
      })
      await sim.settle()
      let drained = false
      const draining = pipeline.call.drain().then(() => {
        drained = true
      })
      await sim.advance(1999)
      expect(drained).toBe(false)
      await sim.advance(1)
      await draining
      expect(acknowledger.calls.flatMap(([successful]) => successful)).toEqual([1, 2, 3, 4, 5])
      await pipeline.stop()

      const again = await Broadway.start({
        name: 'limited',
        drainTimeout: 500,
        onAbandoned: (report) => reports.push(report),
        producer: { source: acked(acknowledger, 6, 7, 8, 9), rateLimiting: { allowedMessages: 1, interval: 1000 } },
        processors,
      })
      await sim.settle()
      const stopped = again.stop()
      await sim.advance(500, foreign)
      await stopped
      expect(reports.map(stagesOf)).toEqual([[['Producer_0', undefined, 3]]])
    })
  })

  it('counts what a producer keeps itself', async () => {
    await inSimulation(async (sim) => {
      const reports: Abandoned[] = []
      const pipeline = await Broadway.start({
        name: 'queue',
        drainTimeout: 10,
        onAbandoned: (report) => reports.push(report),
        producer: { module: QueueProducer<number>, transformer: (data) => new Message(data) },
        processors: { default: { concurrency: 1, maxDemand: 1, minDemand: 0, handleMessage: never } },
      })
      const [queue] = await pipeline.call.producerNames()
      for (let data = 0; data < 5; data++) await queue?.call.enqueue(data)
      await sim.settle()
      const stopped = pipeline.stop()
      await sim.advance(10, foreign)
      await stopped
      expect(reports).toMatchObject([{ messages: 5 }])
    })
  })

  it('lets producers that are not stuck end in order, and kills one that is', async () => {
    const ended: unknown[] = []
    class Closing extends Silent {
      override async terminate(): Promise<void> {
        await Promise.resolve()
        ended.push('closed')
      }
    }
    class Stuck extends Closing {
      override async handleDrain(): Promise<void> {
        await never()
      }
    }
    await inSimulation(async (sim) => {
      for (const module of [Closing, Stuck]) {
        const reports: Abandoned[] = []
        const pipeline = await Broadway.start({
          name: 'closes',
          drainTimeout: 10,
          onAbandoned: (report) => reports.push(report),
          producer: { module },
          processors: { default: { concurrency: 1, handleMessage: never } },
        })
        await pipeline.call.pushMessages(acked(new Ledger(), 1))
        await sim.settle()
        const stopped = pipeline.stop()
        await sim.advance(10, foreign)
        await stopped
        ended.push(...reports.map(stagesOf))
      }
      const processor = ['Processor_default_0', 'handleMessage', 1]
      expect(ended).toEqual(['closed', [processor], [['Producer_0', 'handleDrain', 0], processor]])
    })
  })

  it('survives an onAbandoned that throws', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({
        name: 'throws',
        drainTimeout: 10,
        onAbandoned() {
          throw new Error('no mail')
        },
        producer: silent,
        processors: { default: { concurrency: 1, handleMessage: never } },
      })
      await pipeline.call.pushMessages(acked(new Ledger(), 1))
      await sim.settle()
      const stopped = pipeline.stop()
      await sim.advance(10, foreign)
      await stopped
      expect(sim.logs.map(({ message }) => message)).toContainEqual('onAbandoned of throws threw: Error: no mail')
    })
  })

  it.each([0, -1, 1.5, '5', Number.NaN])('refuses a drainTimeout of %s', async (drainTimeout) => {
    const options = {
      name: 'odd',
      producer: silent,
      processors,
      drainTimeout: drainTimeout as number,
    }
    expect(await rejection(Broadway.start(options))).toMatchObject({
      code: 'bad_options',
      message: expect.stringContaining('drainTimeout of a pipeline: expected a whole number >= 1 or Infinity, got'),
    })
  })
})

describe('a stop from inside', () => {
  const stopping = { prepareMessages: 0, handleMessage: 0, handleBatch: 0, handleFailed: 0, handleDemand: 0 }

  it.each(Object.keys(stopping))('B130 throws in %s, and nobody waits for himself', async (where) => {
    await inSimulation(async (sim) => {
      const thrown: unknown[] = []
      let pipeline: Ref<Broadway<number>> | undefined
      const stop = <T>(here: string, result: T): T => {
        if (here !== where) return result
        try {
          pipeline?.stop().catch((error) => thrown.push(error))
        } catch (error) {
          thrown.push(error)
        }
        return result
      }
      class Stopping extends Silent {
        override handleDemand(): void {
          stop('handleDemand', undefined)
        }
      }
      pipeline = await Broadway.start({
        name: 'inside',
        producer: { module: Stopping },
        processors: {
          default: {
            concurrency: 1,
            maxDemand: 1,
            minDemand: 0,
            prepareMessages: (list) => stop('prepareMessages', list),
            handleMessage: (message) =>
              stop('handleMessage', where === 'handleFailed' ? message.failed('no') : message),
          },
        },
        batchers: { default: { handleBatch: (batch) => stop('handleBatch', batch) } },
        handleFailed: (list) => stop('handleFailed', list),
      })
      const { successful, failed } = await pipeline.call.testMessage(1)
      await sim.settle()
      expect(dataOf([...successful, ...failed])).toEqual([1])
      expect(thrown[0]).toBeInstanceOf(BroadwayError)
      expect(thrown[0]).toMatchObject({
        code: 'stop_inside',
        message: expect.stringMatching(/inside\.Broadway\.\w+\)#\d+ cannot stop .*\(inside\)#\d+, to which it belongs/),
      })
      expect(pipeline.alive).toBe(true)
      await pipeline.stop()
      expect(sim.now).toBe(0)
    })
  })

  it('B130 fails the message whose callback does not catch it', async () => {
    await inSimulation(async () => {
      const pipeline: Ref<Broadway<number>> = await Broadway.start({
        name: 'inside',
        producer: silent,
        processors: {
          default: {
            async handleMessage(message) {
              await pipeline.stop()
              return message
            },
          },
        },
      })
      const { failed } = await pipeline.call.testMessage(1)
      expect(failed[0]?.status).toMatchObject({ kind: 'error', reason: { code: 'stop_inside' } })
      await pipeline.stop()
    })
  })

  it('is asked for with an exit signal, which waits for nobody: all that is on its way is handled first', async () => {
    await inSimulation(async () => {
      const acknowledger = new Ledger()
      const pipeline: Ref<Broadway<number>> = await Broadway.start({
        name: 'inside',
        producer: silent,
        processors: {
          default: {
            concurrency: 1,
            async handleMessage(message) {
              if (message.data === 1) pipeline.exit('shutdown')
              await Promise.resolve()
              if (message.data === 2) pipeline.exit('shutdown')
              return message
            },
          },
        },
        batchers,
      })
      await pipeline.call.pushMessages(acked(acknowledger, 1, 2, 3))
      expect(await pipeline.done).toBe('shutdown')
      expect(acknowledger.calls.flatMap(([successful]) => successful)).toEqual([1, 2, 3])
    })
  })

  it('does not keep others from stopping it: another pipeline, who is above', async () => {
    await inSimulation(async () => {
      const options = { producer: silent, batchers }
      const first: Ref<Broadway<number>> = await Broadway.start({ ...options, name: 'first', processors })
      const second: Ref<Broadway<number>> = await Broadway.start({
        ...options,
        name: 'second',
        processors: {
          default: {
            concurrency: 1,
            async handleMessage(message) {
              await first.stop()
              return message.putBatcher('default')
            },
          },
        },
      })
      expect(dataOf((await second.call.testMessage(1)).successful)).toEqual([1])
      expect(first.alive).toBe(false)
      await second.stop()
      const above = await supervise({
        strategy: 'one_for_one',
        children: [Broadway.child({ ...options, name: 'third', processors })],
      })
      await name(Broadway<number>, 'third').call.testMessage(1)
      await above.stop()
    })
  })
})

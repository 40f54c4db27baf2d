import { type Ref, start } from 'sluice'
import { Broadway, type Message } from 'sluice/broadway'
import { Queue, type QueueMetadata, QueueSource, type QueueSourceOptions } from 'sluice/queue'
import { channels } from 'sluice/telemetry'
import { describe, expect, it } from 'vitest'
import { inSimulation } from '../support/broadway.ts'
import { data, filled, now } from '../support/embedded-queue.ts'
import { settlement } from '../support/settlement.ts'
import { range } from '../support/stages.ts'

type Incoming = Message<number, 'default', QueueMetadata>

/** A pipeline over a queue. */
function pipelineOver(
  queue: Ref<Queue<number>>,
  handleMessage: (message: Incoming) => Incoming | Promise<Incoming>,
  source: Partial<QueueSourceOptions<number>> = {},
  processors: { readonly concurrency?: number; readonly maxDemand?: number } = {},
) {
  return Broadway.start({
    name: 'numbers',
    producer: { module: QueueSource<number>, arg: { queue, ...source } },
    processors: { default: { concurrency: 2, maxDemand: 4, ...processors, handleMessage } },
  })
}

describe('a source', () => {
  it('Q32 gives the pipeline what it asks for, without polling, and acknowledges what was handled', async () => {
    await inSimulation(async (sim) => {
      const queue = await filled(3)
      const seen: unknown[] = []
      const pipeline = await pipelineOver(queue, (message) => {
        seen.push([message.data, message.metadata])
        return message
      })
      await queue.call.idle()
      await queue.call.enqueue(4, { key: 'k', metadata: { from: 'here' } })
      await queue.call.idle()
      expect(sim.now).toBe(0)
      const common = { attempts: 1, age: 0 }
      expect(seen).toEqual([
        ...range(1, 3).map((n) => [n, { ...common, id: n, key: undefined, enqueued: {} }]),
        [4, { ...common, id: 4, key: 'k', enqueued: { from: 'here' } }],
      ])
      expect((await queue.call.stats()).totals).toMatchObject({ delivered: 4, acknowledged: 4 })
      await pipeline.stop()
      await queue.stop()
      expect(sim.logs).toEqual([])
    })
  })

  it('Q32 receives no more than the pipeline can handle, nor more at once than it was told', async () => {
    await inSimulation(async (sim) => {
      const queue = await filled(100)
      const received: number[] = []
      const listen = ({ messages }: { messages: number }) => received.push(messages)
      channels.queueDeliver.subscribe(listen)
      let gate = () => {}
      const open = new Promise<void>((resolve) => {
        gate = resolve
      })
      const pipeline = await pipelineOver(
        queue,
        async (message) => {
          await open
          return message
        },
        { maxMessages: 3 },
      )
      await sim.settle()
      expect(await queue.call.stats()).toMatchObject({ inFlight: 8, ready: 92 })
      gate()
      await queue.call.idle()
      channels.queueDeliver.unsubscribe(listen)
      expect(Math.max(...received)).toBe(3)
      await pipeline.stop()
      await queue.stop()
    })
  })

  it('Q33 has failed messages tried again, later each time, until they are dead letters', async () => {
    await inSimulation(async (sim) => {
      const queue = await filled(1, { maxAttempts: 4 })
      const attempts: unknown[] = []
      const pipeline = await pipelineOver(queue, (message) => {
        attempts.push([message.metadata.attempts, sim.now])
        if (message.metadata.attempts % 2 === 0) throw new Error('torn')
        return message.failed('not yet')
      })
      await sim.advance(20_000)
      expect(attempts).toEqual([
        [1, 0],
        [2, 1000],
        [3, 3000],
        [4, 7000],
      ])
      expect(await queue.call.deadLetters()).toMatchObject([{ data: 1, attempts: 4, reason: new Error('torn') }])
      await pipeline.stop()
      await queue.call.discardDeadLetters()
      await queue.stop()
    })
  })

  it('Q34 answers for messages as it was told: all alike, or by a function', async () => {
    await inSimulation(async (sim) => {
      const queue = await filled(4)
      const pipeline = await pipelineOver(
        queue,
        (message) => (message.data === 4 ? message : message.failed(message.data)),
        {
          onSuccess: { retryAfter: 100 },
          onFailure: ({ status }) => {
            const reason = status === 'ok' ? 0 : status.reason
            if (reason === 1) return 'ack'
            return reason === 2 ? 'dead_letter' : { retryAfter: 50 }
          },
        },
      )
      await sim.settle()
      expect(await queue.call.stats()).toMatchObject({ delayed: 2, dead: 1, totals: { acknowledged: 1 } })
      expect(await queue.call.deadLetters()).toMatchObject([{ data: 2, reason: 2 }])
      await pipeline.stop()
      await sim.advance(50)
      expect(data(await now(queue))).toEqual([3])
      await sim.advance(50)
      expect(data(await now(queue))).toEqual([4])
      await queue.stop()
    })
  })

  it('Q34 answers for one message otherwise when that says so', async () => {
    await inSimulation(async (sim) => {
      const queue = await filled(3)
      const errors: unknown[] = []
      const pipeline = await pipelineOver(queue, (message) => {
        if (message.data === 1) return message.configureAck({ onFailure: 'dead_letter' }).failed('spam')
        if (message.data === 2)
          return message.configureAck({ onFailure: 'ack' }).configureAck({ onSuccess: 'ack' }).failed('x')
        try {
          return message.configureAck({ onFailure: 'drop' })
        } catch (error) {
          errors.push(error)
          return message
        }
      })
      await queue.call.idle()
      expect(await queue.call.deadLetters()).toMatchObject([{ data: 1, reason: 'spam' }])
      expect((await queue.call.stats()).totals.acknowledged).toBe(2)
      expect(errors).toMatchObject([
        {
          code: 'bad_options',
          message: expect.stringContaining("expected 'ack', 'retry', { retryAfter: milliseconds }"),
        },
      ])
      await pipeline.stop()
      await queue.stop()
      expect(sim.now).toBe(0)
    })
  })

  it('Q34 has a message tried again when the function that should answer for it fails', async () => {
    await inSimulation(async (sim) => {
      const queue = await filled(2)
      const pipeline = await pipelineOver(queue, (message) => message, {
        onSuccess: ({ data: n }) => (n === 1 ? ('never' as 'ack') : 'ack'),
      })
      await sim.settle()
      expect(await queue.call.stats()).toMatchObject({ delayed: 1, totals: { acknowledged: 1 } })
      expect(sim.logs).toMatchObject([
        {
          level: 'error',
          message: expect.stringMatching(/^onSuccess of .* failed; the message is answered for with 'retry'$/),
        },
      ])
      await pipeline.stop()
      await queue.stop()
    })
  })

  it('Q35 answers for what ended together in one call', async () => {
    await inSimulation(async () => {
      const queue = await filled(20)
      const acks: number[] = []
      const listen = ({ messages }: { messages: number }) => acks.push(messages)
      channels.queueAck.subscribe(listen)
      const pipeline = await Broadway.start({
        name: 'batches',
        producer: { module: QueueSource<number>, arg: { queue } },
        processors: { default: { handleMessage: (message) => message } },
        batchers: { default: { batchSize: 10, handleBatch: (messages) => messages } },
      })
      await queue.call.idle()
      channels.queueAck.unsubscribe(listen)
      expect(acks).toEqual([10, 10])
      await pipeline.stop()
      await queue.stop()
    })
  })

  it('Q36 leaves nothing in flight when the pipeline is drained', async () => {
    await inSimulation(async (sim) => {
      const queue = await filled(50)
      const handled: number[] = []
      const pipeline = await Broadway.start({
        name: 'batches',
        producer: { module: QueueSource<number>, arg: { queue }, concurrency: 2 },
        processors: {
          default: {
            concurrency: 3,
            maxDemand: 4,
            handleMessage: async (message, _context, stage) => {
              await stage.sleep(10)
              handled.push(message.data)
              return message
            },
          },
        },
        batchers: { default: { batchSize: 7, handleBatch: (messages) => messages } },
      })
      await sim.advance(25)
      const stopped = settlement(pipeline.stop())
      await sim.advance(1000)
      expect(await stopped).toEqual({})
      const { ready, inFlight, delayed, totals } = await queue.call.stats()
      expect({ inFlight, delayed }).toEqual({ inFlight: 0, delayed: 0 })
      expect(totals.acknowledged).toBe(handled.length)
      expect(handled.length).toBeGreaterThan(0)
      expect(ready).toBe(50 - handled.length)
      expect(new Set((await now(queue)).map(({ attempts }) => attempts))).toEqual(new Set([1]))
      expect(sim.logs).toEqual([])
      await queue.stop()
    })
  })

  it('Q36 gives back at once what it gets after that, and takes nothing that comes later', async () => {
    await inSimulation(async (sim) => {
      const queue = await start(Queue<number>, { arg: { maxAttempts: 1 } })
      const pipeline = await pipelineOver(queue, (message) => message)
      await sim.settle()
      // In the same turn: the message may reach the source before or after it is told to stop.
      const stopped = pipeline.stop()
      await queue.call.enqueue(1)
      await stopped
      const { ready, inFlight, dead, totals } = await queue.call.stats()
      expect({ inFlight, dead, all: ready + totals.acknowledged }).toEqual({ inFlight: 0, dead: 0, all: 1 })
      await queue.call.enqueue(2)
      await sim.settle()
      expect(await queue.call.stats()).toMatchObject({ ready: ready + 1, waitingToReceive: 0 })
      await queue.stop()
    })
  })
})

describe('a source whose pipeline takes long', () => {
  it('Q37 keeps its messages from being delivered again', async () => {
    await inSimulation(async (sim) => {
      const queue = await filled(3)
      let handled = 0
      const pipeline = await Broadway.start({
        name: 'slow',
        producer: { module: QueueSource<number>, arg: { queue, visibilityTimeout: 1000 } },
        processors: {
          default: {
            concurrency: 1,
            handleMessage: async (message, _context, stage) => {
              await stage.sleep(2500)
              handled++
              return message
            },
          },
        },
      })
      await sim.advance(7500)
      expect(handled).toBe(3)
      expect((await queue.call.stats()).totals).toMatchObject({ delivered: 3, acknowledged: 3, expired: 0 })
      await pipeline.stop()
      await queue.stop()
      expect(sim.logs).toEqual([])
    })
  })

  it('Q37 does not when it was told so: who answers too late hears of it', async () => {
    await inSimulation(async (sim) => {
      const queue = await filled(1)
      const pipeline = await Broadway.start({
        name: 'slow',
        producer: { module: QueueSource<number>, arg: { queue, visibilityTimeout: 1000, heartbeat: false } },
        processors: {
          default: {
            concurrency: 2,
            maxDemand: 1,
            handleMessage: async (message, _context, stage) => {
              await stage.sleep(message.metadata.attempts === 1 ? 1500 : 100)
              return message
            },
          },
        },
      })
      await sim.advance(3000)
      expect((await queue.call.stats()).totals).toMatchObject({ delivered: 2, acknowledged: 1, expired: 1 })
      expect(sim.logs).toMatchObject([
        { level: 'warn', message: expect.stringMatching(/^1 messages of .* were answered for too late/) },
      ])
      await pipeline.stop()
      await queue.stop()
    })
  })

  it('Q38 keeps a message no longer than it was told', async () => {
    await inSimulation(async (sim) => {
      const queue = await filled(1)
      const arg = { queue, visibilityTimeout: 1000, maxExtension: 3000 }
      const pipeline = await Broadway.start({
        name: 'stuck',
        shutdown: 10,
        producer: { module: QueueSource<number>, arg },
        processors: {
          default: {
            concurrency: 1,
            handleMessage: async (message, _context, stage) => {
              await stage.sleep(1e9)
              return message
            },
          },
        },
      })
      await sim.advance(3000)
      expect((await queue.call.stats()).totals.expired).toBe(0)
      await sim.advance(1000)
      expect((await queue.call.stats()).totals.expired).toBe(1)
      await queue.call.close()
      const stopped = settlement(pipeline.stop())
      await sim.advance(100_000)
      await stopped
      await queue.stop()
    })
  })

  it('Q39 refuses options that make no sense before the pipeline starts', async () => {
    await inSimulation(async () => {
      const queue = await start(Queue<number>)
      const refused = async (options: object) =>
        String((await settlement(pipelineOver(queue, (message) => message, options))).error)
      expect(await refused({ queue: 'numbers' })).toContain(
        'queue of QueueSource: expected the ref or the name of a Queue',
      )
      expect(await refused({ onFailure: 'drop' })).toContain("onFailure of QueueSource: expected 'ack', 'retry'")
      expect(await refused({ onSuccess: { retryAfter: -1 } })).toContain('onSuccess of QueueSource')
      expect(await refused({ maxMessages: 0 })).toContain('expected a whole number >= 1 or Infinity, got 0')
      expect(await refused({ visibilityTimeout: 0 })).toContain('visibilityTimeout of QueueSource')
      expect(await refused({ maxExtension: '1' })).toContain('maxExtension of QueueSource')
      expect(await refused({ retryDelay: -1 })).toContain('retryDelay of QueueSource')
      expect(await refused({ retryInterval: 0 })).toContain('retryInterval of QueueSource')
      expect(await refused({ heartbeat: 1 })).toContain('heartbeat of QueueSource')
      expect(await refused({ visibility: 1 })).toContain('QueueSource has no option visibility: known are queue')
      await queue.stop()
    })
  })
})

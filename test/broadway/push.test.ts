import { Producer } from 'sluice'
import { Ack, type Acknowledger, Broadway, CallerAcknowledger, Message, type TestCaller } from 'sluice/broadway'
import { describe, expect, it } from 'vitest'
import { dataOf, inSimulation, messages, noted, silent } from '../support/broadway.ts'
import { rejection } from '../support/flows.ts'

const handleMessage = (message: Message<number, 'default'>): Message<number, 'default'> => message
const one = { default: { concurrency: 1, handleMessage } }

describe('pushMessages', () => {
  it('B31 sends messages through processors and batchers, to their acknowledger', async () => {
    await inSimulation(async (sim) => {
      const probe = sim.probe()
      const batches: unknown[] = []
      const pipeline = await Broadway.start({
        name: 'pushed',
        producer: silent,
        processors: one,
        batchers: { default: { batchSize: 2, handleBatch: (list) => noted(batches, dataOf(list), list) } },
      })
      const acknowledger = new CallerAcknowledger(probe.ref)
      const pushed = [1, 3].map((data) => new Message(data, { acknowledger, ackRef: 'r' }))
      await pipeline.call.pushMessages(pushed)
      const ack = await probe.receive()
      expect(ack).toBeInstanceOf(Ack)
      expect(ack).toMatchObject({ ref: 'r', successful: [{ data: 1 }, { data: 3 }], failed: [] })
      expect(batches).toEqual([[1, 3]])
      await pipeline.stop()
    })
  })

  it('B38 goes around the transformer and the rate limit', async () => {
    class Numbers extends Producer<number> {
      override handleDemand(): void {}
    }
    await inSimulation(async () => {
      const seen: unknown[] = []
      const pipeline = await Broadway.start({
        name: 'pushed',
        producer: {
          module: Numbers,
          transformer: (n) => new Message(n * 100),
          rateLimiting: { allowedMessages: 1, interval: 10_000 },
        },
        processors: { default: { concurrency: 1, handleMessage: (message) => noted(seen, message.data, message) } },
      })
      const acks = await pipeline.call.testBatch([1, 2, 3, 4, 5])
      expect(acks).toHaveLength(1)
      expect(seen).toEqual([1, 2, 3, 4, 5])
      await pipeline.stop()
    })
  })

  it('refuses what is no message', async () => {
    await inSimulation(async () => {
      const pipeline = await Broadway.start({ name: 'pushed', producer: silent, processors: one })
      // @ts-expect-error: data
      const error = await rejection(pipeline.call.pushMessages([1]))
      expect(error).toMatchObject({
        code: 'failed',
        message: expect.stringContaining('pushMessages: expected an array of messages, got an array of 1'),
      })
      await pipeline.stop()
    })
  })

  it('fails while no producer runs', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({ name: 'pushed', producer: { source: [1] }, processors: one })
      await sim.settle()
      const error = await rejection(pipeline.call.pushMessages(messages(1)))
      expect(error).toMatchObject({ code: 'failed', message: expect.stringContaining('Producer_0') })
      expect(await rejection(pipeline.call.testMessage(1))).toMatchObject({ code: 'failed' })
      await pipeline.stop()
    })
  })
})

describe('testMessage and testBatch', () => {
  it('B32 give the message metadata, or none', async () => {
    await inSimulation(async () => {
      const pipeline = await Broadway.start({ name: 'tested', producer: silent, processors: one })
      const { successful } = await pipeline.call.testMessage(1, { metadata: { queue: 'q' } })
      expect(successful).toMatchObject([{ data: 1, metadata: { queue: 'q' } }])
      expect((await pipeline.call.testMessage(1)).successful[0]?.metadata).toEqual({})
      await pipeline.stop()
    })
  })

  it('B33 use an acknowledger of the test', async () => {
    await inSimulation(async () => {
      const given: unknown[] = []
      const calls: unknown[] = []
      const acknowledger = (data: number, { caller, ref }: TestCaller) => {
        given.push(data)
        const own: Acknowledger = {
          ack(ackRef, successful, failed) {
            calls.push([ackRef, dataOf(successful), dataOf(failed)])
            caller.send(new Ack(ref, successful, failed))
          },
        }
        return { acknowledger: own, ackRef: `own ${data}` }
      }
      const pipeline = await Broadway.start({ name: 'tested', producer: silent, processors: one })
      await pipeline.call.testMessage(7, { acknowledger })
      await pipeline.call.testBatch([1, 2], { acknowledger })
      expect(given).toEqual([7, 1, 2])
      expect(calls).toEqual([
        ['own 7', [7], []],
        ['own 1', [1], []],
        ['own 2', [2], []],
      ])
      await pipeline.stop()
    })
  })

  it('B34 refuse options that they do not have', async () => {
    await inSimulation(async () => {
      const pipeline = await Broadway.start({ name: 'tested', producer: silent, processors: one })
      // @ts-expect-error: only testBatch has it
      const error = await rejection(pipeline.call.testMessage(1, { batchMode: 'bulk' }))
      expect(error).toMatchObject({
        code: 'failed',
        message: expect.stringContaining('test options of a pipeline has no option batchMode'),
      })
      // @ts-expect-error: no such mode
      expect(await rejection(pipeline.call.testBatch([1], { batchMode: 'fast' }))).toMatchObject({
        message: expect.stringContaining(
          "test options.batchMode of a pipeline: expected 'bulk' or 'flush', got 'fast'",
        ),
      })
      await pipeline.stop()
    })
  })

  it('B35 work where the producer emits nothing', async () => {
    await inSimulation(async () => {
      const pipeline = await Broadway.start({ name: 'tested', producer: silent, processors: one })
      const acks = await pipeline.call.testBatch([1, 2])
      expect(acks.map(({ successful, failed }) => [dataOf(successful), dataOf(failed)])).toEqual([[[1, 2], []]])
      await pipeline.stop()
    })
  })

  it('B36 come back in the pieces in which they were handled', async () => {
    await inSimulation(async () => {
      const processors = { default: { concurrency: 1, maxDemand: 10, handleMessage } }
      const pipeline = await Broadway.start({ name: 'tested', producer: silent, processors })
      const list = Array.from({ length: 23 }, (_, index) => index)
      const acks = await pipeline.call.testBatch(list)
      expect(acks.map(({ successful }) => successful.length)).toEqual([5, 5, 5, 5, 3])
      expect(acks.flatMap(({ successful }) => dataOf(successful))).toEqual(list)
      await pipeline.stop()
    })
  })

  it('B37 lose nothing up to what the buffer of the producer holds; beyond, the oldest are dropped and reported', async () => {
    await inSimulation(async (sim) => {
      const discarded: number[] = []
      class Small extends Producer<Message<number>> {
        constructor() {
          super({ bufferSize: 20 })
        }
        override handleDemand(): void {}
        override formatDiscarded(count: number): boolean {
          discarded.push(count)
          return true
        }
      }
      let seen: number[] = []
      const pipeline = await Broadway.start({
        name: 'tested',
        producer: { module: Small },
        processors: {
          default: {
            concurrency: 1,
            maxDemand: 10,
            handleMessage: (message) => noted(seen, message.data, message),
          },
        },
      })
      const list = Array.from({ length: 30 }, (_, index) => index)
      await pipeline.call.testBatch(list)
      expect(seen).toEqual(list)
      seen = []
      // Ten are asked for, twenty fit: five are lost.
      await pipeline.call.pushMessages(messages(...list, 30, 31, 32, 33, 34))
      await sim.settle()
      expect(seen).toEqual([...list.slice(0, 10), ...list.slice(15), 30, 31, 32, 33, 34])
      expect(discarded).toEqual([5])
      expect(sim.logs).toMatchObject([{ level: 'warn', fields: { discarded: 5 } }])
      await pipeline.stop()
    })
  })

  it('reply at once to a test of nothing', async () => {
    await inSimulation(async () => {
      const pipeline = await Broadway.start({ name: 'tested', producer: silent, processors: one })
      expect(await pipeline.call.testBatch([])).toEqual([])
      await pipeline.stop()
    })
  })

  it('B94 tell what the acknowledgement was configured with', async () => {
    await inSimulation(async () => {
      const pipeline = await Broadway.start({
        name: 'tested',
        producer: silent,
        processors: { default: { handleMessage: (message) => message.configureAck({ retry: message.data }) } },
      })
      expect(await pipeline.call.testMessage(7)).toMatchObject({
        configured: [{ retry: 7 }],
        successful: [{ data: 7 }],
      })
      await pipeline.stop()
    })
  })
})

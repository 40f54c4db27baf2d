import { Ack, type Acknowledger, Broadway, Message } from 'sluice/broadway'
import type { Simulation } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { acked, dataOf, inSimulation, noted, outcomesOf, silent } from '../support/broadway.ts'

type HandleFailed = (messages: readonly Message[]) => readonly Message[] | Promise<readonly Message[]>

const errorsOf = (sim: Simulation): readonly string[] =>
  sim.logs.filter(({ level }) => level === 'error').map(({ message }) => message)

/** Without batchers: 2 fails, 3 throws. */
const start = (handleFailed: HandleFailed) =>
  Broadway.start({
    name: 'fails',
    producer: silent,
    processors: {
      default: {
        concurrency: 1,
        handleMessage(message) {
          if (message.data === 3) throw new Error('boom')
          return message.data === 2 ? message.failed('no') : message
        },
      },
    },
    handleFailed,
  })

/** With a batcher: those above 10 fail in it; a 99 makes all of them fail. */
const startBatches = (handleFailed: HandleFailed) =>
  Broadway.start({
    name: 'fails',
    producer: silent,
    processors: { default: { concurrency: 1, handleMessage: (message) => message } },
    batchers: {
      default: {
        batchSize: 4,
        handleBatch(messages) {
          if (messages.some(({ data }) => data === 99)) throw new Error('boom')
          return messages.map((message) => (message.data > 10 ? message.failed('large') : message))
        },
      },
    },
    handleFailed,
  })

describe('handleFailed', () => {
  it('B54 B55 gets messages that failed or threw before they are acknowledged, and may change their data', async () => {
    for (const later of [false, true]) {
      await inSimulation(async () => {
        const pipeline = await start((failed) => {
          const handled = failed.map((message) => message.updateData((n) => [n, message.status]))
          return later ? Promise.resolve(handled) : handled
        })
        const acks = await pipeline.call.testBatch([1, 2, 3])
        expect(outcomesOf(acks)).toEqual([
          [
            [1],
            [
              [2, { kind: 'failed', reason: 'no' }],
              [3, { kind: 'error', reason: new Error('boom') }],
            ],
          ],
        ])
        await pipeline.stop()
      })
    }
  })

  it('B56 is not called when nothing has failed', async () => {
    await inSimulation(async () => {
      const calls: unknown[] = []
      const pipeline = await start((failed) => noted(calls, failed, failed))
      await pipeline.call.testBatch([1, 4])
      expect(calls).toEqual([])
      await pipeline.stop()
    })
  })

  it.each([
    [
      'B57 it throws',
      () => {
        throw new Error('worse')
      },
      'handleFailed threw, the messages are acknowledged as they were: worse',
    ],
    [
      'B57 it rejects',
      () => Promise.reject(new Error('worse')),
      'handleFailed threw, the messages are acknowledged as they were: worse',
    ],
    [
      'B58 it returns nothing',
      () => undefined as never,
      'handleFailed returned undefined, expected an array of messages',
    ],
    [
      'B58 it resolves to a message',
      () => Promise.resolve(3) as never,
      'handleFailed returned 3, expected an array of messages',
    ],
    ['B58 it returns data', () => [2] as never, 'handleFailed returned an array of 1, expected an array of messages'],
  ])('acknowledges the messages as they were when %s', async (_title, handleFailed: HandleFailed, text) => {
    await inSimulation(async (sim) => {
      const pipeline = await start(handleFailed)
      expect(outcomesOf(await pipeline.call.testBatch([1, 2]))).toEqual([[[1], [2]]])
      expect(errorsOf(sim)).toMatchObject([expect.stringContaining(text)])
      await pipeline.stop()
    })
  })

  it('B59 acknowledges messages that it does not return as they were, and says so', async () => {
    await inSimulation(async (sim) => {
      const calls: unknown[] = []
      const pipeline = await start((failed) =>
        failed.slice(1).map((message) => message.updateData((n) => Number(n) * 10)),
      )
      const acknowledger: Acknowledger = { ack: (_ref, ok, failed) => void calls.push([dataOf(ok), dataOf(failed)]) }
      await pipeline.call.pushMessages(acked(acknowledger, 2, 2, 1))
      await sim.settle()
      expect(calls).toEqual([[[1], [20, 2]]])
      expect(errorsOf(sim)).toMatchObject([
        expect.stringContaining('handleFailed got 2 messages and has to return each of them once'),
      ])
      await pipeline.stop()
    })
  })

  it('B60 rescues nobody: its messages stay failed, whatever it returns', async () => {
    await inSimulation(async () => {
      const pipeline = await start((failed) =>
        failed.map(({ data, acknowledger, ackRef }) => new Message(data, { acknowledger, ackRef })),
      )
      expect(outcomesOf(await pipeline.call.testBatch([1, 2]))).toEqual([[[1], [2]]])
      await pipeline.stop()
    })
  })

  it('B61 gets the failed messages of a batch, once', async () => {
    await inSimulation(async () => {
      const calls: unknown[] = []
      const pipeline = await startBatches((failed) => noted(calls, dataOf(failed), failed))
      expect(outcomesOf(await pipeline.call.testBatch([1, 11, 2, 12]))).toEqual([
        [
          [1, 2],
          [11, 12],
        ],
      ])
      expect(calls).toEqual([[11, 12]])
      await pipeline.stop()
    })
  })

  it('B62 gets all messages of a batch whose handleBatch throws', async () => {
    await inSimulation(async () => {
      const calls: unknown[] = []
      const pipeline = await startBatches(async (failed) => noted(calls, dataOf(failed), failed))
      expect(outcomesOf(await pipeline.call.testBatch([1, 99, 2, 12]))).toEqual([[[], [1, 99, 2, 12]]])
      expect(calls).toEqual([[1, 99, 2, 12]])
      await pipeline.stop()
    })
  })

  it('B63 may configure how they are acknowledged', async () => {
    await inSimulation(async () => {
      const seen: unknown[] = []
      const pipeline = await start((failed) => failed.map((message) => message.configureAck('dead letter')))
      await pipeline.call.testMessage(2, {
        acknowledger: (_data, { caller, ref }) => ({
          acknowledger: {
            ack(_ref, ok, failed) {
              seen.push(...failed.map(({ ackData }) => ackData))
              caller.send(new Ack(ref, ok, failed))
            },
            configure: (_ref, data, options) => [data, options],
          },
          ackData: 'requeue',
        }),
      })
      expect(seen).toEqual([['requeue', 'dead letter']])
      await pipeline.stop()
    })
  })
})

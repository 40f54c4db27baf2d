import { Broadway } from 'sluice/broadway'
import { describe, expect, it } from 'vitest'
import { dataOf, inSimulation, silent } from '../support/broadway.ts'

describe('a pipeline', () => {
  it('handles messages one by one and acknowledges them', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({
        name: 'numbers',
        producer: silent,
        processors: { default: { concurrency: 2, handleMessage: (message) => message.updateData((n) => n * 2) } },
      })
      const ack = await pipeline.call.testMessage(4)
      expect(dataOf(ack.successful)).toEqual([8])
      const acks = await pipeline.call.testBatch([1, 2, 3])
      expect(acks.flatMap(({ successful }) => dataOf(successful))).toEqual([2, 4, 6])
      await pipeline.stop()
      expect(sim.logs).toEqual([])
    })
  })

  it('reads a source, sends messages to batchers, and handles what waits in them when it is stopped', async () => {
    await inSimulation(async (sim) => {
      const seen: unknown[] = []
      const pipeline = await Broadway.start({
        name: 'numbers',
        producer: { source: [1, 2, 3, 4, 5, 6, 7] },
        processors: {
          default: {
            concurrency: 2,
            handleMessage: (message) =>
              message.data % 2 === 0 ? message.putBatcher('even') : message.updateData(String).putBatcher('odd'),
          },
        },
        batchers: {
          even: {
            batchSize: 2,
            handleBatch(messages, { trigger }) {
              seen.push([...messages.map(({ data }) => data), trigger])
              return messages
            },
          },
          odd: {
            batchSize: 2,
            async handleBatch(messages, { trigger }) {
              seen.push([...messages.map(({ data }) => data), trigger])
              return messages
            },
          },
        },
      })
      await sim.settle()
      const complete = [
        [2, 4, 'size'],
        ['1', '3', 'size'],
        ['5', '7', 'size'],
      ]
      expect(seen).toEqual(complete)
      await pipeline.stop()
      expect(seen).toEqual([...complete, [6, 'flush']])
      expect(sim.logs).toEqual([])
    })
  })

  it('lets a batch go when its time is up', async () => {
    await inSimulation(async (sim) => {
      const triggers: unknown[] = []
      const pipeline = await Broadway.start({
        name: 'numbers',
        producer: { source: [1] },
        processors: { default: { handleMessage: (message) => message } },
        batchers: {
          default: {
            batchTimeout: 50,
            handleBatch(messages, { trigger }) {
              triggers.push(trigger)
              return messages
            },
          },
        },
      })
      await sim.advance(49)
      expect(triggers).toEqual([])
      await sim.advance(1)
      expect(triggers).toEqual(['timeout'])
      await pipeline.stop()
    })
  })
})

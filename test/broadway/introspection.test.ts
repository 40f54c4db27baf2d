import { CallError, name } from 'sluice'
import { Broadway, type Message } from 'sluice/broadway'
import { describe, expect, it } from 'vitest'
import { inSimulation, silent } from '../support/broadway.ts'
import { rejection } from '../support/flows.ts'

const handleBatch = (batch: readonly Message<number>[]): readonly Message<number>[] => batch
const plain = (title: string) => ({
  name: title,
  producer: silent,
  processors: { default: { concurrency: 2, handleMessage: (message: Message<number, 'default'>) => message } },
})

describe('a pipeline tells', () => {
  it('B27 what it is made of', async () => {
    await inSimulation(async () => {
      const pipeline = await Broadway.start(plain('simple'))
      expect(await pipeline.call.topology()).toEqual({
        producers: [{ name: 'simple.Broadway.Producer', concurrency: 1 }],
        processors: [{ name: 'simple.Broadway.Processor_default', processorKey: 'default', concurrency: 2 }],
        batchers: [],
      })
      await pipeline.stop()
    })
  })

  it('B27 its batchers in the order of the options', async () => {
    await inSimulation(async () => {
      const pipeline = await Broadway.start({
        ...plain('batches'),
        processors: { default: { handleMessage: (message) => message.putBatcher('z') } },
        batchers: { z: { handleBatch }, a: { concurrency: 3, handleBatch } },
      })
      expect((await pipeline.call.topology()).batchers).toEqual([
        {
          batcherName: 'batches.Broadway.Batcher_z',
          batcherKey: 'z',
          name: 'batches.Broadway.BatchProcessor_z',
          concurrency: 1,
        },
        {
          batcherName: 'batches.Broadway.Batcher_a',
          batcherKey: 'a',
          name: 'batches.Broadway.BatchProcessor_a',
          concurrency: 3,
        },
      ])
      await pipeline.stop()
    })
  })

  it('B28 that it runs, until it is stopped', async () => {
    await inSimulation(async () => {
      const first = await Broadway.start(plain('first'))
      const second = await Broadway.start(plain('second'))
      expect(Broadway.allRunning()).toEqual([first, second])
      await first.stop()
      expect(Broadway.allRunning()).toEqual([second])
      await second.stop()
      expect(Broadway.allRunning()).toEqual([])
    })
  })

  it('B29 nothing under a name that nobody bears, or bears no more', async () => {
    await inSimulation(async () => {
      const nobody = name(Broadway<number>, 'nobody')
      const stopped = await Broadway.start(plain('stopped'))
      await stopped.stop()
      for (const asked of [nobody.call, name(Broadway<number>, 'stopped').call, stopped.call]) {
        for (const answer of [asked.topology(), asked.producerNames(), asked.testMessage(1), asked.pushMessages([])]) {
          const error = await rejection(answer)
          expect(error).toBeInstanceOf(CallError)
          expect(error).toMatchObject({ code: 'noproc' })
        }
      }
    })
  })

  it('B30 that it has stopped; a second stop fails', async () => {
    await inSimulation(async () => {
      const pipeline = await Broadway.start(plain('ends'))
      expect(await pipeline.stop()).toBe(undefined)
      expect(await pipeline.done).toBe('normal')
      expect(await rejection(pipeline.stop())).toMatchObject({ code: 'noproc' })
    })
  })
})

import { Broadway, type Message } from 'sluice/broadway'
import { describe, expect, it } from 'vitest'
import { acked, dataOf, inSimulation, Ledger, silent } from '../support/broadway.ts'

type Hook = (messages: readonly Message[]) => unknown

/** 2 fails in its processor, 3 in its batch. */
const start = (deadLetter: Hook, handleFailed?: (messages: readonly Message[]) => readonly Message[]) =>
  Broadway.start({
    name: 'dead',
    producer: silent,
    processors: {
      default: {
        concurrency: 1,
        handleMessage: (message) => (message.data === 2 ? message.failed('two') : message),
      },
    },
    batchers: {
      default: {
        batchSize: 2,
        handleBatch: (messages) => messages.map((message) => (message.data === 3 ? message.failed('three') : message)),
      },
    },
    handleFailed,
    deadLetter,
  })

const push = (pipeline: Awaited<ReturnType<typeof start>>, ledger: Ledger) =>
  pipeline.call.pushMessages(acked(ledger, 1, 2, 3))

describe('deadLetter', () => {
  it('takes messages that failed, and then they are acknowledged as successful', async () => {
    for (const later of [false, true]) {
      await inSimulation(async (sim) => {
        const taken: unknown[] = []
        const ledger = new Ledger()
        const pipeline = await start((failed) => {
          taken.push(...failed.map(({ data, status }) => [data, status]))
          return later ? Promise.resolve(7) : 7
        })
        await push(pipeline, ledger)
        await sim.settle()
        expect(ledger.calls).toEqual([
          [[2], []],
          [[1, 3], []],
        ])
        expect(taken).toEqual([
          [2, { kind: 'failed', reason: 'two' }],
          [3, { kind: 'failed', reason: 'three' }],
        ])
        await pipeline.stop()
      })
    }
  })

  it('throws: the messages are acknowledged as failed, and the log says why', async () => {
    for (const later of [false, true]) {
      await inSimulation(async (sim) => {
        const ledger = new Ledger()
        const pipeline = await start(() => {
          if (later) return Promise.reject(new Error('no room'))
          throw new Error('no room')
        })
        await push(pipeline, ledger)
        await sim.settle()
        expect(ledger.calls).toEqual([
          [[], [2]],
          [[1], [3]],
        ])
        const text = 'deadLetter threw, 1 messages are acknowledged as failed: no room'
        expect(sim.logs.filter(({ message }) => message.includes(text))).toHaveLength(2)
        await pipeline.stop()
      })
    }
  })

  it('comes behind handleFailed, and gets what that returns', async () => {
    await inSimulation(async (sim) => {
      const taken: unknown[] = []
      const pipeline = await start(
        (failed) => taken.push(...dataOf(failed)),
        (failed) => failed.map((message) => message.putData([message.data])),
      )
      const ledger = new Ledger()
      await push(pipeline, ledger)
      await sim.settle()
      expect(taken).toEqual([[2], [3]])
      expect(ledger.calls).toEqual([
        [[[2]], []],
        [[1, [3]], []],
      ])
      await pipeline.stop()
    })
  })

  it('is no function: refused before anything starts', async () => {
    await inSimulation(async () => {
      await expect(start('dlq' as never)).rejects.toMatchObject({
        code: 'bad_options',
        message: "deadLetter of a pipeline: expected a function of failed messages, got 'dlq'",
      })
    })
  })
})

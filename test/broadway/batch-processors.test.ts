import { Broadway, Message } from 'sluice/broadway'
import type { Simulation } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { acked, inSimulation, Ledger, silent } from '../support/broadway.ts'

/** Batches of four from `handleBatch`; what they become is acknowledged in the ledger. */
async function batchesOf4(sim: Simulation, handleBatch: (messages: readonly Message<number>[]) => unknown) {
  const ledger = new Ledger()
  const pipeline = await Broadway.start({
    name: 'numbers',
    producer: silent,
    processors: { default: { concurrency: 1, handleMessage: (message) => message } },
    batchers: {
      default: {
        batchSize: 4,
        // A user without a compiler may return anything.
        handleBatch: (messages) => handleBatch(messages) as readonly Message<number>[],
      },
    },
  })
  const push = async (...numbers: readonly number[]): Promise<void> => {
    await pipeline.call.pushMessages(acked(ledger, ...numbers))
    await sim.settle()
  }
  const logged = (): string => sim.logs.map(({ message }) => message).join('\n')
  return { pipeline, ledger, push, logged, processes: sim.processes.map(String) }
}

describe('what handleBatch gives back', () => {
  it('B82 when it throws, the whole batch has failed, and the next one is handled', () =>
    inSimulation(async (sim) => {
      const { pipeline, ledger, push, logged, processes } = await batchesOf4(sim, (messages) => {
        if (messages.some(({ data }) => data === 3)) throw new Error('no threes')
        return messages
      })
      await push(1, 2, 3, 4, 5, 6, 7, 8)
      expect(ledger.calls).toEqual([
        [[], [1, 2, 3, 4]],
        [[5, 6, 7, 8], []],
      ])
      expect(ledger.failures).toMatchObject(Array(4).fill({ kind: 'error', reason: { message: 'no threes' } }))
      expect(logged()).toMatch(
        /^BatchProcessor.*BatchProcessor_default_0.*: handleBatch failed, and with it 4 messages: no threes$/,
      )
      expect(sim.processes.map(String)).toEqual(processes)
      await pipeline.stop()
    }))

  it('B82 when its promise rejects, the whole batch has failed', () =>
    inSimulation(async (sim) => {
      const { pipeline, ledger, push } = await batchesOf4(sim, async () => {
        throw 'a text'
      })
      await push(1, 2, 3, 4)
      expect(ledger.calls).toEqual([[[], [1, 2, 3, 4]]])
      expect(ledger.failures[0]).toEqual({ kind: 'throw', reason: 'a text' })
      await pipeline.stop()
    }))

  it.each([
    ['nothing', () => undefined, 'handleBatch returned undefined, expected an array of messages'],
    ['a message', ([first]: readonly Message[]) => first, 'expected an array of messages'],
    [
      'something that is no message among them',
      (all: readonly Message[]) => [...all, 5],
      'an array with something else in it',
    ],
  ])('B83 %s: all have failed', (_what, handleBatch, text) =>
    inSimulation(async (sim) => {
      const { pipeline, ledger, push, logged } = await batchesOf4(sim, handleBatch)
      await push(1, 2, 3, 4)
      expect(ledger.calls).toEqual([[[], [1, 2, 3, 4]]])
      expect(ledger.failures[0]).toMatchObject({ kind: 'error', reason: { code: 'bad_return' } })
      expect(logged()).toContain(text)
      await pipeline.stop()
    }),
  )

  const returnEach = 'handleBatch got 4 messages and has to return each of them once, as it is or made from it'

  it('B84 fewer messages: those that are missing have failed, which is logged', () =>
    inSimulation(async (sim) => {
      const { pipeline, ledger, push, logged } = await batchesOf4(sim, ([, ...messages]) =>
        messages.map((message) => (message.data === 3 ? message.failed('odd') : message.updateData((n) => n))),
      )
      await push(1, 2, 3, 4)
      expect(ledger.calls).toEqual([
        [
          [2, 4],
          [3, 1],
        ],
      ])
      const text = `${returnEach}: 1 are missing, and are acknowledged as failed`
      expect(ledger.failures).toMatchObject([
        { kind: 'failed', reason: 'odd' },
        { kind: 'error', reason: { code: 'bad_return', message: text } },
      ])
      expect(logged()).toContain(text)
      await pipeline.stop()
    }))

  it('B84 another message in the place of one: that one has failed, and the other is not acknowledged', () =>
    inSimulation(async (sim) => {
      const { pipeline, ledger, push, logged } = await batchesOf4(sim, (messages) =>
        messages.map((message) => (message.data === 2 ? new Message(5, { acknowledger: ledger }) : message)),
      )
      await push(1, 2, 3, 4)
      expect(ledger.calls).toEqual([[[1, 3, 4], [2]]])
      expect(logged()).toContain(
        `${returnEach}: 1 are missing, and are acknowledged as failed; 1 it did not get or had returned before, and these are not acknowledged`,
      )
      await pipeline.stop()
    }))

  it('B85 messages twice: they are acknowledged once, which is logged', () =>
    inSimulation(async (sim) => {
      const { pipeline, ledger, push, logged } = await batchesOf4(sim, (messages) => [...messages, ...messages])
      await push(1, 2, 3, 4)
      expect(ledger.calls).toEqual([[[1, 2, 3, 4], []]])
      expect(logged()).toContain(
        `${returnEach}: 4 it did not get or had returned before, and these are not acknowledged`,
      )
      await pipeline.stop()
    }))

  it('B85 in another order is as good as in that of the batch', () =>
    inSimulation(async (sim) => {
      const { pipeline, ledger, push } = await batchesOf4(sim, (messages) => messages.toReversed())
      await push(1, 2, 3, 4)
      expect(ledger.calls).toEqual([[[4, 3, 2, 1], []]])
      expect(sim.logs).toEqual([])
      await pipeline.stop()
    }))

  it('B86 no messages: all have failed, which is logged', () =>
    inSimulation(async (sim) => {
      const { pipeline, ledger, push, logged } = await batchesOf4(sim, () => [])
      await push(1, 2, 3, 4)
      expect(ledger.calls).toEqual([[[], [1, 2, 3, 4]]])
      expect(logged()).toContain(`${returnEach}: 4 are missing`)
      await pipeline.stop()
    }))

  it('B87 messages that have failed are acknowledged as failed, the others as successful, in order', () =>
    inSimulation(async (sim) => {
      const { pipeline, ledger, push } = await batchesOf4(sim, (messages) =>
        messages.map((message) => (message.data % 2 === 0 ? message.failed('even') : message)),
      )
      await push(1, 2, 3, 4)
      expect(ledger.calls).toEqual([
        [
          [1, 3],
          [2, 4],
        ],
      ])
      expect(ledger.failures).toEqual(Array(2).fill({ kind: 'failed', reason: 'even' }))
      expect(sim.logs).toEqual([])
      await pipeline.stop()
    }))
})

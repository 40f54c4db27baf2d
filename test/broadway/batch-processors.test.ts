import { Broadway, Message } from 'sluice/broadway'
import type { Simulation } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { inSimulation, Ledger, Silent } from '../support/broadway.ts'

/** Batches of four from `handleBatch`; what they become is acknowledged in the ledger. */
async function batchesOf4(sim: Simulation, handleBatch: (messages: readonly Message<number>[]) => unknown) {
  const ledger = new Ledger()
  const pipeline = await Broadway.start({
    name: 'numbers',
    producer: { module: Silent<number> },
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
    await pipeline.call.pushMessages(numbers.map((n) => new Message(n, { acknowledger: ledger })))
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

  it('B84 fewer messages: those that are missing are not acknowledged, which is logged', () =>
    inSimulation(async (sim) => {
      const { pipeline, ledger, push, logged } = await batchesOf4(sim, (messages) => messages.slice(1))
      await push(1, 2, 3, 4)
      expect(ledger.calls).toEqual([[[2, 3, 4], []]])
      expect(logged()).toContain('handleBatch received 4 messages and returned only 3')
      await pipeline.stop()
    }))

  it('B85 messages twice: they are acknowledged twice, which is logged', () =>
    inSimulation(async (sim) => {
      const { pipeline, ledger, push, logged } = await batchesOf4(sim, (messages) => [...messages, ...messages])
      await push(1, 2, 3, 4)
      expect(ledger.calls).toEqual([[[1, 2, 3, 4, 1, 2, 3, 4], []]])
      expect(logged()).toContain('handleBatch received 4 messages and returned 8')
      await pipeline.stop()
    }))

  it('B86 no messages: nothing is acknowledged, which is logged', () =>
    inSimulation(async (sim) => {
      const { pipeline, ledger, push, logged } = await batchesOf4(sim, () => [])
      await push(1, 2, 3, 4)
      expect(ledger.calls).toEqual([])
      expect(logged()).toContain('handleBatch received 4 messages and returned only 0')
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

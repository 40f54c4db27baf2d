import {
  type Acknowledger,
  ackImmediately,
  Broadway,
  CallerAcknowledger,
  Message,
  noopAcknowledger,
} from 'sluice/broadway'
import type { Simulation } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { acked, dataOf, inSimulation, noted, outcomesOf, silent } from '../support/broadway.ts'
import { gate } from '../support/owner.ts'

const errorsOf = (sim: Simulation): readonly string[] =>
  sim.logs.filter(({ level }) => level === 'error').map(({ message }) => message)

/** An acknowledger that notes its calls, as `[ackRef, successful, failed]`. */
function noting(
  calls: unknown[],
  fails: (ackRef: unknown) => undefined | Promise<void> = () => undefined,
): Acknowledger {
  return {
    ack(ackRef, successful, failed) {
      calls.push([ackRef, dataOf(successful), dataOf(failed)])
      return fails(ackRef)
    },
  }
}

/** Pipelines that acknowledge at their two ends: in the processor, and in the batch processor. */
const ends = [
  [
    'processor',
    () =>
      Broadway.start({
        name: 'ends',
        producer: silent,
        processors: { default: { concurrency: 1, handleMessage: failEven } },
      }),
  ],
  [
    'batch processor',
    () =>
      Broadway.start({
        name: 'ends',
        producer: silent,
        processors: { default: { concurrency: 1, handleMessage: (message) => message } },
        batchers: { default: { batchSize: 4, batchTimeout: 10, handleBatch: (messages) => messages.map(failEven) } },
      }),
  ],
] as const

function failEven<M extends Message<number>>(message: M): M | Message<number, never> {
  return message.data % 2 === 0 ? message.failed('even') : message
}

const thrown = (): never => {
  throw new Error('no connection')
}
const rejected = (): Promise<never> => Promise.reject(new Error('no connection'))

describe.each(ends)('messages that end in the %s', (_title, start) => {
  it('B88 are acknowledged together when they have the same acknowledger and ackRef', async () => {
    await inSimulation(async (sim) => {
      const calls: unknown[] = []
      const acknowledger = noting(calls)
      const pipeline = await start()
      const refs = ['r1', 'r2', 'r1', 'r2']
      const data = [1, 4, 2, 3]
      await pipeline.call.pushMessages(
        data.map((each, index) => new Message(each, { acknowledger, ackRef: refs[index] })),
      )
      await sim.settle()
      expect(calls).toEqual([
        ['r1', [1], [2]],
        ['r2', [3], [4]],
      ])
      await pipeline.stop()
    })
  })

  it.each([
    ['throws', thrown],
    ['rejects', rejected],
  ])('B89 B90 are lost to an acknowledger that %s; it is logged, and the others are told', async (_how, fails) => {
    await inSimulation(async (sim) => {
      const calls: unknown[] = []
      const acknowledger = noting(calls, (ackRef) => (ackRef === 'broken' ? fails() : undefined))
      const pipeline = await start()
      const stages = sim.processes
      const refs = ['broken', 'fine', 'broken', 'fine']
      await pipeline.call.pushMessages(refs.map((ackRef, index) => new Message(index + 1, { acknowledger, ackRef })))
      await sim.settle()
      expect(calls).toEqual([
        ['broken', [1, 3], []],
        ['fine', [], [2, 4]],
      ])
      expect(errorsOf(sim)).toMatchObject([
        expect.stringContaining('2 messages could not be acknowledged: no connection'),
      ])
      // Nothing is left over for the next ones.
      expect(outcomesOf(await pipeline.call.testBatch([1, 3, 5, 7]))).toEqual([[[1, 3, 5, 7], []]])
      expect(sim.processes).toEqual(stages)
      await pipeline.stop()
    })
  })

  it('B89 are lost to an acknowledger that is none', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await start()
      const acknowledger = {} as Acknowledger
      await pipeline.call.pushMessages(acked(acknowledger, 1, 3, 5, 7))
      await sim.settle()
      expect(errorsOf(sim)).toMatchObject([expect.stringContaining('4 messages could not be acknowledged')])
      await pipeline.stop()
    })
  })

  it('wait until the ones before them have been acknowledged, when that takes time', async () => {
    await inSimulation(async (sim) => {
      const calls: unknown[] = []
      const gates = [gate(), gate()]
      const acknowledger = noting(calls, () => gates[calls.length - 1]?.opened)
      const pipeline = await start()
      const list = Array.from({ length: 8 }, (_, index) => new Message(2 * index + 1, { acknowledger }))
      await pipeline.call.pushMessages(list)
      await sim.settle()
      expect(calls).toHaveLength(1)
      gates[0]?.open()
      await sim.settle()
      expect(calls).toHaveLength(2)
      gates[1]?.open()
      await pipeline.stop()
    })
  })
})

describe('ackImmediately in a callback', () => {
  it('B91 acknowledges one message before the callback goes on, and not again', async () => {
    await inSimulation(async () => {
      const calls: unknown[] = []
      const order: unknown[] = []
      const pipeline = await Broadway.start({
        name: 'now',
        producer: silent,
        processors: {
          default: {
            async handleMessage(message) {
              const acked = await ackImmediately(message)
              order.push(calls.length, acked.acknowledger === noopAcknowledger)
              return acked.updateData((n) => n + 1)
            },
          },
        },
      })
      await pipeline.call.pushMessages([new Message(1, { acknowledger: noting(calls), ackRef: 'r' })])
      await pipeline.stop()
      expect(calls).toEqual([['r', [1], []]])
      expect(order).toEqual([1, true])
    })
  })

  it('B92 acknowledges those of a batch, as they have ended, and not again', async () => {
    await inSimulation(async () => {
      const calls: unknown[] = []
      const pipeline = await Broadway.start({
        name: 'now',
        producer: silent,
        processors: { default: { concurrency: 1, handleMessage: (message) => message } },
        batchers: {
          default: {
            batchSize: 4,
            handleBatch: (messages) =>
              ackImmediately(messages.map((message) => (message.data === 3 ? message.failed('three') : message))),
          },
        },
      })
      const acknowledger = noting(calls)
      await pipeline.call.pushMessages(acked(acknowledger, 1, 2, 3, 4))
      await pipeline.stop()
      expect(calls).toEqual([[undefined, [1, 2, 4], [3]]])
    })
  })

  it.each([
    ['handleMessage', true],
    ['handleBatch', false],
  ])('is final: what %s throws afterwards goes to handleFailed, and nobody is told again', async (_title, early) => {
    await inSimulation(async () => {
      const calls: unknown[] = []
      const failed: unknown[] = []
      const pipeline = await Broadway.start({
        name: 'now',
        producer: silent,
        processors: {
          default: {
            async handleMessage(message) {
              if (!early) return message
              await ackImmediately(message.updateData((n) => n + 1))
              throw new Error('afterwards')
            },
          },
        },
        batchers: {
          default: {
            batchSize: 1,
            async handleBatch(messages) {
              await ackImmediately(messages.map((message) => message.updateData((n) => n + 1)))
              throw new Error('afterwards')
            },
          },
        },
        handleFailed: (messages) => noted(failed, dataOf(messages), messages),
      })
      await pipeline.call.pushMessages([new Message(1, { acknowledger: noting(calls) })])
      await pipeline.stop()
      expect(calls).toEqual([[undefined, [2], []]])
      expect(failed).toEqual([[1]])
    })
  })
})

describe('configureAck', () => {
  it('B93 fails the message when its acknowledger has nothing to configure', async () => {
    await inSimulation(async () => {
      const pipeline = await Broadway.start({
        name: 'configures',
        producer: silent,
        processors: { default: { handleMessage: (message) => message.configureAck({ retry: true }) } },
      })
      const calls: unknown[] = []
      await pipeline.call.pushMessages([new Message(1, { acknowledger: noting(calls) })])
      await pipeline.stop()
      expect(calls).toEqual([[undefined, [], [1]]])
    })
  })

  it('B94 B95 tells the process of a CallerAcknowledger, which then hears of the end', async () => {
    await inSimulation(async (sim) => {
      const probe = sim.probe()
      const pipeline = await Broadway.start({
        name: 'configures',
        producer: silent,
        processors: { default: { handleMessage: (message) => message.configureAck({ retry: true }) } },
      })
      const acknowledger = new CallerAcknowledger(probe.ref)
      await pipeline.call.pushMessages([new Message(1, { acknowledger, ackRef: 'r', ackData: 'mine' })])
      expect(await probe.receive()).toEqual({ ref: 'r', options: { retry: true } })
      expect(await probe.receive()).toMatchObject({ ref: 'r', successful: [{ data: 1, ackData: 'mine' }], failed: [] })
      await pipeline.stop()
    })
  })
})

describe('messages of nobody', () => {
  it('B95 are not acknowledged, and cost nothing; an ackRef without an acknowledger is a mistake', async () => {
    await inSimulation(async (sim) => {
      const pipeline = await Broadway.start({
        name: 'nobody',
        producer: { source: [1, 2, 3] },
        processors: { default: { concurrency: 1, handleMessage: (message) => message } },
      })
      await sim.settle()
      expect(sim.logs).toEqual([])
      await pipeline.stop()
      const other = await Broadway.start({
        name: 'nobody',
        producer: silent,
        processors: { default: { handleMessage: (message) => message } },
      })
      await other.call.pushMessages([new Message(1, { ackRef: 'r' })])
      await other.stop()
      expect(errorsOf(sim)).toMatchObject([
        expect.stringContaining("a message has the ackRef 'r', and no acknowledger to give it to"),
      ])
    })
  })
})

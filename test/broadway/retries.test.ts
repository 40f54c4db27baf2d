import { type Abandoned, Broadway, type Message, type PipelineStage } from 'sluice/broadway'
import type { Simulation } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { acked, dataOf, inSimulation, Ledger, silent } from '../support/broadway.ts'

const exp = { type: 'exp', min: 100, max: 400 } as const

/** Says what happened when. */
class Diary {
  readonly entries: unknown[] = []
  readonly #simulation: Simulation
  readonly #begin: number

  constructor(simulation: Simulation) {
    this.#simulation = simulation
    this.#begin = simulation.clock.now()
  }

  note(...what: readonly unknown[]): void {
    this.entries.push([this.#simulation.clock.now() - this.#begin, ...what])
  }

  /** What was noted since the last time. */
  take(): readonly unknown[] {
    return this.entries.splice(0)
  }
}

describe('a message whose handleMessage failed', () => {
  it('is handled again after a while, longer each time, and acknowledged once', async () => {
    for (const later of [false, true]) {
      await inSimulation(async (sim) => {
        const diary = new Diary(sim)
        const ledger = new Ledger()
        const pipeline = await Broadway.start({
          name: 'again',
          producer: silent,
          processors: {
            default: {
              concurrency: 1,
              handleMessage(message) {
                diary.note(message.data, message.attempts)
                if (message.data === 2 && message.attempts < 5) {
                  if (later) return Promise.reject(new Error('busy'))
                  throw new Error('busy')
                }
                return message.updateData((n) => n * 10)
              },
              retry: { attempts: 5, backoff: exp },
            },
          },
        })
        await pipeline.call.pushMessages(acked(ledger, 1, 2, 3))
        await sim.settle()
        expect(ledger.calls).toEqual([[[10, 30], []]])
        await sim.advance(1100)
        expect(diary.entries).toEqual([
          [0, 1, 1],
          [0, 2, 1],
          [0, 3, 1],
          [100, 2, 2],
          [300, 2, 3],
          [700, 2, 4],
          [1100, 2, 5],
        ])
        expect(ledger.calls).toEqual([
          [[10, 30], []],
          [[20], []],
        ])
        await pipeline.stop()
      })
    }
  })

  it('has failed for good after so many attempts: handleFailed, deadLetter, then it is acknowledged', async () => {
    await inSimulation(async (sim) => {
      const diary = new Diary(sim)
      const ledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'given-up',
        producer: silent,
        processors: {
          default: { concurrency: 1, handleMessage: (message) => message.failed(`attempt ${message.attempts}`) },
        },
        retry: { attempts: 3, backoff: exp },
        handleFailed(messages) {
          diary.note('handleFailed', ...messages.map(({ data, status }) => [data, status]))
          return messages
        },
        deadLetter(messages) {
          diary.note('deadLetter', ...dataOf(messages))
        },
      })
      await pipeline.call.pushMessages(acked(ledger, 1))
      await sim.advance(299)
      expect([diary.take(), ledger.calls]).toEqual([[], []])
      await sim.advance(1)
      expect(diary.take()).toEqual([
        [300, 'handleFailed', [1, { kind: 'failed', reason: 'attempt 3' }]],
        [300, 'deadLetter', 1],
      ])
      expect(ledger.calls).toEqual([[[1], []]])
      await pipeline.stop()
    })
  })

  it('is prepared again, too, and comes as it was', async () => {
    await inSimulation(async (sim) => {
      const prepared: unknown[] = []
      const ledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'prepared',
        producer: silent,
        processors: {
          default: {
            concurrency: 1,
            prepareMessages(messages) {
              prepared.push(dataOf(messages))
              if (prepared.length === 2) throw new Error('busy')
              // In another order.
              return messages.map((message) => message.updateData((n) => n + 100)).reverse()
            },
            handleMessage: (message) => (message.attempts < 2 ? message.putData(0).failed('busy') : message),
          },
        },
        retry: { attempts: 4, backoff: exp },
      })
      await pipeline.call.pushMessages(acked(ledger, 1, 2))
      await sim.advance(1000)
      expect(prepared).toEqual([
        [1, 2],
        [2, 1],
        [2, 1],
      ])
      expect(ledger.calls).toEqual([[[101, 102], []]])
      await pipeline.stop()
    })
  })

  it('is not handled again when `when` says no, when it was acknowledged, or the program is wrong', async () => {
    await inSimulation(async (sim) => {
      const asked: unknown[] = []
      const handled: unknown[] = []
      const ledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'when',
        producer: silent,
        processors: {
          default: {
            concurrency: 1,
            async handleMessage(message) {
              handled.push(message.data)
              if (message.data === 1) return message.failed('never')
              if (message.data === 2) throw new Error('broken')
              return undefined as never
            },
            retry: {
              attempts: 2,
              when(failure, message) {
                asked.push([failure.kind, message.data])
                if (message.data === 2) throw new Error('no idea')
                return failure.kind !== 'failed'
              },
            },
          },
        },
      })
      await pipeline.call.pushMessages(acked(ledger, 1, 2, 3))
      await sim.advance(100_000)
      expect(handled).toEqual([1, 2, 3])
      expect(asked).toEqual([
        ['failed', 1],
        ['error', 2],
      ])
      expect(ledger.calls).toEqual([[[], [1, 2, 3]]])
      await pipeline.stop()
    })
  })

  it('counts as on its way: no more is asked for in its place', async () => {
    await inSimulation(async (sim) => {
      const diary = new Diary(sim)
      const pipeline = await Broadway.start({
        name: 'pressure',
        producer: { source: () => [1, 2, 3, 4, 5, 6] },
        processors: {
          default: {
            concurrency: 1,
            maxDemand: 2,
            handleMessage(message) {
              diary.note(message.data)
              if (message.data % 2 === 1 && message.attempts === 1) throw new Error('odd')
              return message
            },
          },
        },
        retry: { attempts: 2, backoff: exp },
      })
      await sim.settle()
      // 1 and 3 wait, and that is all it may have.
      expect(diary.take()).toEqual([
        [0, 1],
        [0, 2],
        [0, 3],
      ])
      await sim.advance(100)
      expect(diary.take()).toEqual([
        [100, 1],
        [100, 3],
        [100, 4],
        [100, 5],
        [100, 6],
      ])
      await sim.advance(100)
      expect(diary.take()).toEqual([[200, 5]])
      await pipeline.stop()
    })
  })

  it('is handled at once when the pipeline stops, for the last time', async () => {
    await inSimulation(async (sim) => {
      const diary = new Diary(sim)
      const ledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'stopped',
        producer: silent,
        processors: {
          default: {
            concurrency: 1,
            handleMessage(message) {
              diary.note(message.data, message.attempts)
              return message.data === 1 || message.attempts === 1 ? message.failed('busy') : message
            },
          },
        },
        batchers: { default: { handleBatch: (messages) => messages } },
        retry: { attempts: 9, backoff: exp },
      })
      await pipeline.call.pushMessages(acked(ledger, 1, 2))
      await sim.advance(50)
      await pipeline.stop()
      expect(diary.take()).toEqual([
        [0, 1, 1],
        [0, 2, 1],
        [50, 1, 2],
        [50, 2, 2],
      ])
      expect(ledger.calls).toEqual([
        [[], [1]],
        [[2], []],
      ])
    })
  })
})

describe('a message that is handled again in a processor with partitions', () => {
  it('keeps those of its key behind it, and no others', async () => {
    await inSimulation(async (sim) => {
      const diary = new Diary(sim)
      const ledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'keys',
        producer: silent,
        processors: {
          default: {
            concurrency: 1,
            partitionBy: ({ data }) => Math.floor(data / 10),
            async handleMessage(message) {
              diary.note(message.data, message.attempts)
              // 12 fails twice, 13 once.
              if (message.attempts < 15 - message.data && message.data > 11 && message.data < 14)
                throw new Error('busy')
              return message
            },
          },
        },
        batchers: { default: { batchSize: 1, handleBatch: (messages) => messages } },
        retry: { attempts: 9, backoff: exp },
      })
      await pipeline.call.pushMessages(acked(ledger, 11, 12, 21, 13))
      await sim.advance(50)
      await pipeline.call.pushMessages(acked(ledger, 22, 14))
      await sim.advance(1000)
      expect(diary.take()).toEqual([
        [0, 11, 1],
        [0, 12, 1],
        [0, 21, 1],
        [50, 22, 1],
        [100, 12, 2],
        [300, 12, 3],
        [300, 13, 1],
        [400, 13, 2],
        [400, 14, 1],
      ])
      expect(ledger.calls.flatMap(([successful]) => successful)).toEqual([11, 21, 22, 12, 13, 14])
      await pipeline.stop()
    })
  })

  it('lets them go on when it has failed for good', async () => {
    await inSimulation(async (sim) => {
      const ledger = new Ledger()
      const pipeline = await Broadway.start({
        name: 'goes-on',
        producer: silent,
        processors: {
          default: {
            concurrency: 2,
            handleMessage: (message) => (message.data === 1 ? message.failed('never') : message),
          },
        },
        partitionBy: () => 1,
        retry: { attempts: 2, backoff: exp },
      })
      await pipeline.call.pushMessages(acked(ledger, 1, 2, 3))
      await sim.advance(99)
      expect(ledger.calls).toEqual([])
      await sim.advance(1)
      expect(ledger.calls).toEqual([[[2, 3], [1]]])
      await pipeline.stop()
    })
  })
})

describe('a batch whose handleBatch failed', () => {
  const start = (handleBatch: (messages: readonly Message<number>[], stage: PipelineStage) => readonly Message[]) =>
    Broadway.start({
      name: 'batches',
      producer: silent,
      processors: { default: { concurrency: 1, handleMessage: (message) => message, retry: false } },
      batchers: {
        default: { batchSize: 2, handleBatch: (messages, _info, _context, stage) => handleBatch(messages, stage) },
      },
      retry: { attempts: 3, backoff: exp },
    })

  it('is handled again, as those that failed, in front of the next one', async () => {
    await inSimulation(async (sim) => {
      const diary = new Diary(sim)
      const ledger = new Ledger()
      const pipeline = await start((messages) => {
        diary.note(...messages.map(({ data, attempts }) => `${data}/${attempts}`))
        if (messages.some(({ data, attempts }) => data === 1 && attempts === 1)) throw new Error('busy')
        return messages.map((message) => (message.data === 2 ? message.failed('never') : message)).reverse()
      })
      await pipeline.call.pushMessages(acked(ledger, 1, 2, 3, 4))
      await sim.advance(1000)
      expect(diary.take()).toEqual([
        [0, '1/1', '2/1'],
        [100, '1/2', '2/2'],
        [300, '2/3'],
        [300, '3/1', '4/1'],
      ])
      expect(ledger.calls).toEqual([
        [[1], []],
        [[], [2]],
        [[4, 3], []],
      ])
      expect(sim.logs.filter(({ message }) => message.includes('returned'))).toEqual([])
      await pipeline.stop()
    })
  })

  it('is handled at once when the pipeline stops, for the last time, and what comes behind it as well', async () => {
    await inSimulation(async (sim) => {
      const diary = new Diary(sim)
      const ledger = new Ledger()
      const pipeline = await start((messages) => {
        diary.note(...messages.map(({ data, attempts }) => `${data}/${attempts}`))
        throw new Error('busy')
      })
      await pipeline.call.pushMessages(acked(ledger, 1, 2, 3))
      await sim.advance(50)
      await pipeline.stop()
      expect(diary.take()).toEqual([
        [0, '1/1', '2/1'],
        [50, '1/2', '2/2'],
        [50, '3/1'],
      ])
      expect(ledger.calls).toEqual([
        [[], [1, 2]],
        [[], [3]],
      ])
    })
  })
})

describe('messages that wait to be handled again', () => {
  const start = (batches: boolean, onAbandoned?: (report: Abandoned) => void) =>
    Broadway.start({
      name: 'waits',
      producer: silent,
      processors: {
        default: {
          concurrency: 1,
          handleMessage: (message) => (message.data === 1 && message.attempts < 3 ? message.failed('busy') : message),
        },
      },
      batchers: batches
        ? {
            default: {
              batchSize: 1,
              handleBatch: (messages) =>
                messages.map((message) => (message.attempts < 3 ? message.failed('busy') : message)),
            },
          }
        : undefined,
      retry: { attempts: 3, backoff: exp },
      onAbandoned,
    })

  it('are waited for by drain()', async () => {
    for (const batches of [false, true]) {
      await inSimulation(async (sim) => {
        const diary = new Diary(sim)
        const ledger = new Ledger()
        const pipeline = await start(batches)
        await pipeline.call.pushMessages(acked(ledger, 1))
        const drained = pipeline.call.drain().then(() => diary.note('drained', ...ledger.calls))
        await sim.advance(2000)
        await drained
        expect(diary.take()).toEqual([[batches ? 600 : 300, 'drained', [[1], []]]])
        await pipeline.stop()
      })
    }
  })

  it('are among those that a pipeline leaves when it is killed', async () => {
    for (const batches of [false, true]) {
      await inSimulation(async (sim) => {
        const reports: Abandoned[] = []
        const ledger = new Ledger()
        const pipeline = await start(batches, (report) => reports.push(report))
        await pipeline.call.pushMessages(acked(ledger, 1, 2, 3))
        await sim.advance(50)
        pipeline.kill()
        await sim.settle()
        expect([reports.map(({ messages }) => messages), ledger.calls]).toEqual(
          batches ? [[3], []] : [[1], [[[2, 3], []]]],
        )
      })
    }
  })
})

describe('the options of retries', () => {
  const start = (retry: unknown) =>
    Broadway.start({
      name: 'bad',
      producer: silent,
      processors: { default: { handleMessage: (message) => message } },
      batchers: { default: { handleBatch: (messages) => messages, retry: retry as never } },
    })

  it.each([
    [true, 'batchers.default.retry of a pipeline: expected false, or { attempts, backoff, when }, got true'],
    [{}, 'batchers.default.retry.attempts of a pipeline: expected a whole number >= 2, got nothing'],
    [{ attempts: 1 }, 'batchers.default.retry.attempts of a pipeline: expected a whole number >= 2, got 1'],
    [
      { attempts: 2, when: 3 },
      'batchers.default.retry.when of a pipeline: expected a function of a failure and a message, got 3',
    ],
    [
      { attempts: 2, backoff: { type: 'linear' } },
      "batchers.default.retry.backoff.type of a pipeline: expected 'rand_exp', 'exp' or 'rand', got 'linear'",
    ],
    [
      { attempts: 2, backoff: { min: 50, max: 20 } },
      'batchers.default.retry.backoff.max of a pipeline: expected a whole number >= min, which is 50, got 20',
    ],
  ])('are refused before anything starts: %j', async (retry, message) => {
    await inSimulation(async () => {
      await expect(start(retry)).rejects.toMatchObject({ code: 'bad_options', message })
    })
  })
})

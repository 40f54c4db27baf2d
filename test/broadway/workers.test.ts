/** Processors whose `handleMessage` runs in worker threads. */

import { threadId } from 'node:worker_threads'
import { Broadway, Message } from 'sluice/broadway'
import { simulate } from 'sluice/testing'
import { Workers } from 'sluice/worker'
import { afterAll, describe, expect, it } from 'vitest'
import { Ledger, Silent } from '../support/broadway.ts'
import { failure } from '../support/owner.ts'
import { keepReports, turns } from '../support/places.ts'
import { atLast, fails, fussy, sort, told } from '../worker/modules/handlers.ts'

const module = import.meta.resolve('../worker/modules/handlers.js')
const workers = new Workers({ size: 1 })
keepReports()
afterAll(() => workers.stop())

const silent = { module: Silent<number> }
// A thread starts as fast as the machine lets it.
const timeout = 60_000

describe('handleMessage in workers', { timeout }, () => {
  it('goes on to batchers, with one acknowledgement for each message', async () => {
    const ledger = new Ledger()
    const batches: { readonly thread: number; readonly numbers: readonly number[] }[] = []
    const handleBatch = (messages: readonly Message<{ readonly n: number; readonly thread: number }>[]) => {
      batches.push({ thread: messages[0]?.data.thread ?? 0, numbers: messages.map(({ data }) => data.n) })
      return messages
    }
    const pipeline = await Broadway.start({
      name: 'sorts',
      producer: {
        source: () => Array.from({ length: 200 }, (_, n) => n),
        transformer: (n: number) => new Message<number, 'default'>(n, { acknowledger: ledger }),
      },
      processors: { default: { concurrency: 2, handleMessage: sort, worker: { module } } },
      batchers: { even: { batchSize: 10, handleBatch }, odd: { batchSize: 10, handleBatch } },
    })
    await turns(() => ledger.calls.flatMap(([successful]) => successful).length === 200)
    await pipeline.stop()
    expect(ledger.failures).toEqual([])
    const numbers = batches.flatMap((batch) => batch.numbers)
    expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, n) => n))
    expect(batches.every((batch) => new Set(batch.numbers.map((n) => n % 2)).size === 1)).toBe(true)
    expect(batches.map(({ thread }) => thread)).not.toContain(threadId)
  })

  it('keeps the order of a partition', async () => {
    const ledger = new Ledger()
    const pipeline = await Broadway.start({
      name: 'in order',
      producer: {
        source: () => Array.from({ length: 100 }, (_, n) => n),
        transformer: (n: number) => new Message<number, 'default'>(n, { acknowledger: ledger }),
      },
      processors: {
        default: {
          concurrency: 2,
          partitionBy: ({ data }) => data % 2,
          handleMessage: fails,
          worker: { module, on: workers },
        },
      },
    })
    const ended = () => ledger.calls.flatMap(([successful]) => successful)
    await turns(() => ended().length + ledger.failures.length === 100)
    await pipeline.stop()
    const even = ended().filter((n) => Number(n) % 2 === 0)
    expect(even).toEqual(even.toSorted((a, b) => Number(a) - Number(b)))
    expect(ledger.failures).toHaveLength(6)
  })

  it('fails the message that fails, for its own reason', async () => {
    const pipeline = await Broadway.start({
      name: 'fails',
      producer: silent,
      processors: { default: { concurrency: 1, handleMessage: fails, worker: { module, on: workers } } },
    })
    const failed = (await pipeline.call.testBatch([0, 1, 2, 3, 4, 5, 6])).flatMap((ack) => ack.failed)
    const reasons = new Map(failed.map(({ data, status }) => [data, status]))
    expect(reasons.get(1)).toMatchObject({ kind: 'error', reason: { name: 'RangeError', message: 'one' } })
    expect(reasons.get(2)).toEqual({ kind: 'failed', reason: 'two' })
    expect(reasons.get(3)).toMatchObject({ kind: 'error', reason: { name: 'TypeError', message: 'three' } })
    expect(reasons.get(4)).toMatchObject({ reason: { code: 'bad_return' } })
    expect(reasons.get(5)).toMatchObject({ reason: { code: 'not_cloneable' } })
    expect(reasons.get(6)).toMatchObject({
      reason: { message: expect.stringContaining('cannot be acknowledged there') },
    })
    expect(reasons.size).toBe(6)
    await pipeline.stop()
  })

  it('is given the context, and where it is', async () => {
    const pipeline = await Broadway.start({
      name: 'tells',
      context: { rate: 3 },
      producer: silent,
      processors: { default: { concurrency: 1, handleMessage: told, worker: { module, on: workers } } },
    })
    const ack = await pipeline.call.testMessage(1, { metadata: { from: 'joe' } })
    expect(ack.successful[0]?.data).toEqual({
      context: { rate: 3 },
      pipeline: 'tells',
      key: 'default',
      index: 0,
      metadata: { from: 'joe' },
      attempts: 1,
    })
    await pipeline.stop()
  })

  it('is tried again', async () => {
    const pipeline = await Broadway.start({
      name: 'retries',
      producer: silent,
      processors: {
        default: {
          concurrency: 1,
          retry: { attempts: 3, backoff: { min: 0, max: 0 } },
          handleMessage: atLast,
          worker: { module, on: workers },
        },
      },
    })
    expect((await pipeline.call.testMessage(7)).successful.map(({ data }) => data)).toEqual([[7, 3]])
    await pipeline.stop()
  })

  it('that never returns is ended by its deadline: its messages fail, and nothing else notices', async () => {
    // Time, as far as this thread has it, is turned by hand; the workers are real.
    await simulate({ freezeEvents: false }).run(async (sim) => {
      const stuck = new SharedArrayBuffer(4)
      const isStuck = new Int32Array(stuck)
      const pipeline = await Broadway.start({
        name: 'fussy',
        producer: { module: Silent<readonly [number, SharedArrayBuffer]> },
        processors: { default: { concurrency: 1, handleMessage: fussy, worker: { module, deadline: 1000 } } },
      })
      const parts = sim.processes.map(String).filter((name) => name.includes('.Broadway.'))
      expect((await pipeline.call.testMessage([1, stuck])).successful).toHaveLength(1)
      const batch = pipeline.call.testBatch([
        [2, stuck],
        [13, stuck],
        [14, stuck],
      ])
      await turns(() => Atomics.load(isStuck, 0) === 1)
      await sim.advance(2000, { foreign: true })
      const acks = await batch
      const numbers = acks.flatMap(({ failed }) => failed.map(({ data }) => Reflect.get(Object(data), 0)))
      expect(numbers).toEqual(expect.arrayContaining([13, 14]))
      expect(acks.flatMap(({ failed }) => failed).at(-1)?.status).toMatchObject({
        kind: 'exit',
        reason: { code: 'exit', cause: { code: 'unresponsive' } },
      })
      // The same processes go on, with another worker.
      expect(sim.processes.map(String).filter((name) => name.includes('.Broadway.'))).toEqual(parts)
      expect((await pipeline.call.testMessage([3, stuck])).successful).toHaveLength(1)
      await pipeline.stop()
    })
  })
})

describe('what cannot be', { timeout }, () => {
  const start = (worker: object, context?: unknown) =>
    Broadway.start({
      name: 'cannot be',
      context,
      producer: silent,
      processors: { default: { concurrency: 1, handleMessage: sort, worker: { module, on: workers, ...worker } } },
    })

  it('is a function that the module does not export', async () => {
    const error = await failure(start({ name: 'sorts' }))
    expect(error).toHaveProperty('message', expect.stringMatching(/does not export sorts; it exports .*sort/))
  })

  it('is a context that cannot be sent', async () => {
    const error = await failure(start({}, { tax: () => 1 }))
    expect(error).toHaveProperty(
      'message',
      expect.stringContaining('context.tax in arg of MessageHandler is the function tax'),
    )
  })

  it('is an option that says nothing', async () => {
    await expect(start({ module: undefined })).rejects.toThrow(
      'processors.default.worker.module of a pipeline: expected the URL',
    )
    await expect(start({ on: undefined, deadline: -1 })).rejects.toThrow(
      'processors.default.worker.deadline of a pipeline: expected milliseconds > 0',
    )
    await expect(start({ dedline: 1 })).rejects.toThrow('did you mean deadline?')
  })
})

import { getHeapStatistics } from 'node:v8'
import { configure } from 'sluice'
import { Broadway } from 'sluice/broadway'
import { RabbitMQSource } from 'sluice/rabbitmq'
import { describe, expect, it } from 'vitest'
import { collectGarbage } from '../support/gc.ts'
import { LogBook } from '../support/log-book.ts'
import { Feed, keyOf, Ledger, publisherTo, recording } from '../support/rabbitmq-ledger.ts'
import { PATIENCE, type RabbitMQNode, rabbitmqCanStart, serverOfItsOwn } from '../support/rabbitmq-node.ts'

/** `MESSAGES=1000000 npx vitest run test/rabbitmq/two-pipelines.test.ts` is the long one, and prints what it measures. */
const MESSAGES = Number(process.env['MESSAGES'] ?? 50_000)
const TOLD = process.env['MESSAGES'] !== undefined
const PREFETCH = 500
const UNCONFIRMED = 1000
/** What may be on its way anywhere when the server goes down, and may come twice. */
const ON_THE_WAY = 2 * (PREFETCH + UNCONFIRMED)
const MEGABYTE = 2 ** 20

async function restart(node: RabbitMQNode): Promise<void> {
  await node.stop()
  await node.start()
}

async function powerFailure(node: RabbitMQNode): Promise<void> {
  await node.kill()
  await node.revive()
}

describe.skipIf(!rabbitmqCanStart)('two pipelines', { timeout: PATIENCE + 3 * MESSAGES }, () => {
  const server = serverOfItsOwn()

  it('B160 lose nothing while the server goes down five times, keep each key in order, and hold no more memory', async () => {
    const node = server()
    const log = new LogBook()
    configure({ logger: log })
    const [first, second] = [await node.queue(), await node.queue()]
    const connection = node.uri
    const ledger = new Ledger(MESSAGES)
    const copies = await publisherTo(second, { connection, maxUnconfirmed: UNCONFIRMED })
    const patient = copies.with({ timeout: Infinity })
    const copying = await Broadway.start({
      name: 'copying',
      producer: {
        module: RabbitMQSource,
        arg: {
          queue: first,
          connection,
          onFailure: 'reject_and_requeue',
          qos: { prefetchCount: PREFETCH },
          backoffMin: 10,
          backoffMax: 100,
        },
      },
      partitionBy: ({ data }) => keyOf(Number(data)),
      processors: { default: { concurrency: 2, maxDemand: 100, handleMessage: (message) => message } },
      batchers: {
        default: {
          concurrency: 2,
          batchSize: 100,
          batchTimeout: 50,
          handleBatch: async (messages) => {
            await patient.call.publishMany(messages.map(({ data }) => ({ content: String(data) })))
            return messages
          },
        },
      },
    })
    const recorder = await recording(ledger, { queue: second, connection, qos: { prefetchCount: PREFETCH } })
    const publisher = await publisherTo(first, { connection, maxUnconfirmed: UNCONFIRMED })
    const began = performance.now()
    const feed = new Feed(publisher, MESSAGES, 0, 500)

    const heaps: number[] = []
    const repeated: number[] = []
    const faults = [restart, powerFailure, restart, restart, restart]
    for (const [index, fault] of faults.entries()) {
      await ledger.reach(Math.floor((MESSAGES * (index + 1)) / (faults.length + 1)))
      if (index === 0) expect(ledger.duplicates).toBe(0)
      const before = ledger.duplicates
      await collectGarbage()
      heaps.push(getHeapStatistics().used_heap_size)
      await fault(node)
      await ledger.reach(ledger.processed + Math.floor(MESSAGES / 20))
      repeated.push(ledger.duplicates - before)
    }
    await feed.done
    await node.empties(first)
    await node.empties(second)
    const seconds = (performance.now() - began) / 1000
    await copying.stop()
    await recorder.stop()
    await publisher.stop()
    await copies.stop()
    await collectGarbage()
    heaps.push(getHeapStatistics().used_heap_size)
    if (TOLD) {
      const [rate, heap] = [Math.round(MESSAGES / seconds), heaps.map((bytes) => (bytes / MEGABYTE).toFixed(1))]
      console.log({
        messages: MESSAGES,
        seconds: Math.round(seconds),
        rate,
        duplicates: ledger.duplicates,
        repeated,
        heap,
      })
    }

    expect(ledger.missing(MESSAGES)).toEqual([])
    expect(ledger.late).toEqual([])
    // One that is killed may have forgotten answers that were not on its disk yet.
    for (const [index, count] of repeated.entries())
      if (faults[index] === restart) expect(count).toBeLessThanOrEqual(ON_THE_WAY)
    expect(Math.max(...heaps)).toBeLessThan((heaps[0] ?? 0) + 8 * MEGABYTE)
  })
})

import { configure, start } from 'sluice'
import { Broadway } from 'sluice/broadway'
import { SqsPublisher, SqsSource } from 'sluice/sqs'
import { expect, it } from 'vitest'
import { FauxQueue, fauxqsForAll } from '../support/fauxqs.ts'
import { LogBook } from '../support/log-book.ts'
import { Ledger } from '../support/rabbitmq-ledger.ts'

/** `MESSAGES=100000 npx vitest run test/sqs/faults.test.ts` is the long one, and prints what it measures. */
const MESSAGES = Number(process.env['MESSAGES'] ?? 5000)
const TOLD = process.env['MESSAGES'] !== undefined
const CUTS = 5

const server = fauxqsForAll()

// Connections are cut on purpose.
configure({ logger: new LogBook() })

it('loses nothing while connections are cut five times', { timeout: 180_000 + 6 * MESSAGES }, async () => {
  await using queue = await FauxQueue.create(server())
  const ledger = new Ledger(MESSAGES)
  const pipeline = await Broadway.start({
    name: 'faults',
    producer: {
      module: SqsSource,
      arg: { ...queue.options, visibilityTimeout: 3000, waitTimeSeconds: 1 },
      concurrency: 2,
    },
    processors: {
      default: {
        concurrency: 2,
        maxDemand: 50,
        handleMessage(message) {
          ledger.note(Number(message.data))
          return message
        },
      },
    },
    batchers: { default: { batchSize: 10, batchTimeout: 50, handleBatch: (messages) => messages } },
  })
  const publisher = await start(SqsPublisher, { arg: queue.options })
  const patient = publisher.with({ timeout: Infinity })
  const began = performance.now()
  const feed = (async () => {
    for (let from = 0; from < MESSAGES; from += 100) {
      const count = Math.min(100, MESSAGES - from)
      await patient.call.publishMany(Array.from({ length: count }, (_, n) => ({ body: String(from + n) })))
    }
  })()
  for (let cuts = 1; cuts <= CUTS; cuts++) {
    await ledger.reach(Math.floor((MESSAGES * cuts) / (CUTS + 1)))
    queue.cable.cut()
  }
  await feed
  await queue.empties()
  const seconds = (performance.now() - began) / 1000
  await pipeline.stop()
  await publisher.stop({ drain: true })
  if (TOLD) console.log({ messages: MESSAGES, seconds: Math.round(seconds), duplicates: ledger.duplicates })
  expect(ledger.missing(MESSAGES)).toEqual([])
  expect(queue.waiting + queue.inFlight).toBe(0)
})

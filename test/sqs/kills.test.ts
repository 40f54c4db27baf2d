import { configure, start } from 'sluice'
import { Broadway } from 'sluice/broadway'
import { SqsPublisher, SqsSource } from 'sluice/sqs'
import { expect, it } from 'vitest'
import { DurableQueue, durableSqsCanStart } from '../support/durable-sqs.ts'
import { LogBook } from '../support/log-book.ts'
import { Ledger } from '../support/number-ledger.ts'

/** `MESSAGES=100000 npm run test:node24 -- test/sqs/kills.test.ts` is the long one, and prints what it measures. */
const MESSAGES = Number(process.env['MESSAGES'] ?? 5000)
const TOLD = process.env['MESSAGES'] !== undefined
const KILLS = 5
const GROUP = 100
/** So far is the publisher ahead of the pipeline: it is in the middle of its work at each kill. */
const AHEAD = Math.floor(MESSAGES / 10)

it.skipIf(!durableSqsCanStart)(
  'loses nothing while the server is killed five times',
  { timeout: 180_000 + 12 * MESSAGES },
  async () => {
    const log = new LogBook()
    configure({ logger: log })
    await using queue = await DurableQueue.create()
    const ledger = new Ledger(MESSAGES)
    const pipeline = await Broadway.start({
      name: 'kills',
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
    let published = 0
    const feed = (async () => {
      while (published < MESSAGES) {
        await ledger.reach(published - AHEAD)
        const count = Math.min(GROUP, MESSAGES - published)
        const from = published
        await patient.call.publishMany(Array.from({ length: count }, (_, n) => ({ body: String(from + n) })))
        published += count
      }
    })()
    let interrupted = 0
    for (let kills = 1; kills <= KILLS; kills++) {
      await ledger.reach(Math.floor((MESSAGES * kills) / (KILLS + 1)))
      if (published < MESSAGES) interrupted++
      await queue.server.kill()
      await queue.server.revive()
    }
    await feed
    await queue.empties()
    const seconds = (performance.now() - began) / 1000
    await pipeline.stop()
    await publisher.stop({ drain: true })
    if (TOLD)
      console.log({ messages: MESSAGES, kills: KILLS, seconds: Math.round(seconds), duplicates: ledger.duplicates })
    expect(ledger.missing(MESSAGES)).toEqual([])
    expect(interrupted).toBe(KILLS)
    expect(log.lines.filter((line) => line.includes('cannot receive')).length).toBeGreaterThanOrEqual(KILLS)
    // Also what was deleted is so after one more of them.
    await queue.server.kill()
    await queue.server.revive()
    expect(await queue.size()).toBe(0)
  },
)

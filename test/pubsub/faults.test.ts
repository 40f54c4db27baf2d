import { setTimeout as delay } from 'node:timers/promises'
import { configure, start } from 'sluice'
import { Broadway } from 'sluice/broadway'
import { PubSubPublisher, PubSubSource, restClient } from 'sluice/pubsub'
import { expect, it } from 'vitest'
import { LogBook } from '../support/log-book.ts'
import { Ledger } from '../support/number-ledger.ts'
import { createTopic } from '../support/pubsub-emulator.ts'
import { type Action, PubSubRestServer } from '../support/pubsub-rest-server.ts'

/** `MESSAGES=100000 npx vitest run test/pubsub/faults.test.ts` is the long one, and prints what it measures. */
const MESSAGES = Number(process.env['MESSAGES'] ?? 10_000)
const TOLD = process.env['MESSAGES'] !== undefined
const GROUP = 100

/** Of what the server dies, whether it has carried that out, and milliseconds until it is back. */
const DEATHS: readonly (readonly [action: Action, carriedOut: boolean, absence: number])[] = [
  ['publish', true, 100],
  ['publish', false, 1000],
  ['pull', true, 100],
  ['pull', false, 1000],
  ['acknowledge', true, 100],
  // Longer than an answer is tried again.
  ['acknowledge', false, 1000],
]

it('loses nothing while the server dies again and again', { timeout: 180_000 + 6 * MESSAGES }, async () => {
  // Requests fail on purpose.
  const log = new LogBook()
  configure({ logger: log })
  await using server = await PubSubRestServer.start()
  const { topic, subscription } = await createTopic(server.url)
  const client = () => restClient({ baseUrl: server.url })
  const soon = { client, backoffType: 'exp', backoffMin: 10, backoffMax: 100 } as const
  const ledger = new Ledger(MESSAGES)
  const pipeline = await Broadway.start({
    name: 'deaths',
    producer: {
      module: PubSubSource,
      arg: { subscription, maxNumberOfMessages: 100, receiveInterval: 20, retryDelay: 50, maxRetries: 5, ...soon },
      concurrency: 2,
    },
    processors: {
      default: {
        concurrency: 2,
        maxDemand: 100,
        handleMessage(message) {
          ledger.note(Number(message.data))
          return message
        },
      },
    },
    batchers: { default: { batchSize: 100, batchTimeout: 50, handleBatch: (messages) => messages } },
  })
  const publisher = await start(PubSubPublisher, { arg: { topic, ...soon } })
  const patient = publisher.with({ timeout: Infinity })
  const began = performance.now()
  let deaths = 0
  let revivals = 0
  let plague = Promise.resolve()
  for (let from = 0; from < MESSAGES; from += GROUP) {
    const death = DEATHS[deaths]
    if (death !== undefined && from >= (MESSAGES * (deaths + 1)) / (DEATHS.length + 2)) {
      const [action, carriedOut, absence] = death
      deaths++
      plague = plague.then(async () => {
        await server.die(action, carriedOut)
        await delay(absence)
        await server.revive()
        revivals++
      })
    }
    const count = Math.min(GROUP, MESSAGES - from)
    await patient.call.publishMany(Array.from({ length: count }, (_, n) => ({ data: String(from + n) })))
  }
  // What the dead server had lent to nobody, or could not be told of, comes again when its deadline is over.
  while (server.counts(subscription).waiting + server.counts(subscription).lent > 0) await delay(20)
  const seconds = (performance.now() - began) / 1000
  await pipeline.stop()
  await publisher.stop({ drain: true })
  const { duplicates } = ledger
  if (TOLD) console.log({ messages: MESSAGES, seconds: Math.round(seconds), duplicates, unanswered: server.lost })
  expect(ledger.missing(MESSAGES)).toEqual([])
  expect(revivals).toBe(DEATHS.length)
  // A group was published twice, and messages came twice that could not be acknowledged.
  expect(duplicates).toBeGreaterThan(GROUP)
  expect(server.lost.carriedOut).toBeGreaterThanOrEqual(3)
  expect(server.lost.others).toBeGreaterThanOrEqual(3)
})

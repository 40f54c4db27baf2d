import { configure, start } from 'sluice'
import { Broadway, type Message } from 'sluice/broadway'
import { type PubSubMetadata, PubSubPublisher, PubSubSource, type PubSubSourceOptions } from 'sluice/pubsub'
import { describe, expect, it } from 'vitest'
import { Arrivals } from '../support/arrivals.ts'
import { Cable } from '../support/cable.ts'
import { LogBook } from '../support/log-book.ts'
import { createTopic, emulatorForAll, emulatorIsThere, publishTo } from '../support/pubsub-emulator.ts'
import { Ledger } from '../support/rabbitmq-ledger.ts'
import { settlement } from '../support/settlement.ts'
import { range } from '../support/stages.ts'

type Delivered = Message<Buffer | null, 'default', PubSubMetadata>

/** `MESSAGES=100000 npx vitest run test/pubsub/server.test.ts` is the long one, and prints what it measures. */
const MESSAGES = Number(process.env['MESSAGES'] ?? 10_000)
const TOLD = process.env['MESSAGES'] !== undefined
const CUTS = 1

const SOON = { backoffType: 'exp', backoffMin: 10, backoffMax: 100 } as const

// Some tests fail messages and cut connections on purpose.
configure({ logger: new LogBook() })

describe.skipIf(!emulatorIsThere)('the emulator of Pub/Sub', () => {
  const emulator = emulatorForAll()
  const config = (apiEndpoint = emulator()) => ({ projectId: 'sluice', apiEndpoint })

  function consuming(
    subscription: string,
    options: Partial<PubSubSourceOptions>,
    handleMessage: (message: Delivered) => Delivered | Promise<Delivered>,
  ) {
    return Broadway.start({
      name: 'real',
      producer: {
        module: PubSubSource,
        arg: { subscription, config: config(), receiveInterval: 20, ackDeadline: 10_000, ...SOON, ...options },
      },
      processors: {
        default: {
          concurrency: 2,
          maxDemand: 10,
          partitionBy: ({ metadata }) => Number(metadata.orderingKey || 0),
          handleMessage,
        },
      },
    })
  }

  describe.each(['pull', 'streaming'] as const)('%s', (mode) => {
    it('B181 gives messages as they were published, acknowledges them, and gets again what was not', async () => {
      const topic = await createTopic(emulator())
      const publisher = await start(PubSubPublisher, { arg: { topic: topic.topic, config: config() } })
      const seen = new Arrivals<readonly [unknown, unknown]>()
      const pipeline = await consuming(topic.subscription, { mode, onFailure: 'nack' }, (message) => {
        const text = message.data === null ? null : String(message.data)
        seen.add([text, message.metadata.attributes])
        const isFirst = seen.all.filter(([other]) => other === text).length === 1
        return text === 'twice' && isFirst ? message.failed('not yet') : message
      })
      await publisher.call.publishMany([
        { data: 'äöü', attributes: { from: 'here' } },
        { data: 'twice' },
        { attributes: { kind: 'ping' } },
      ])
      await seen.reach(4)
      await pipeline.stop()
      await publisher.stop({ drain: true })
      expect(seen.all.map(([text]) => String(text)).toSorted()).toEqual(['null', 'twice', 'twice', 'äöü'])
      expect(seen.all).toContainEqual(['äöü', { from: 'here' }])
      expect(seen.all).toContainEqual([null, { kind: 'ping' }])
    })

    it('B181 keeps the order of each key', async () => {
      const topic = await createTopic(emulator(), { enableMessageOrdering: true })
      const seen = new Arrivals<readonly [key: string, text: string]>()
      const pipeline = await consuming(topic.subscription, { mode }, (message) => {
        seen.add([message.metadata.orderingKey, String(message.data)])
        return message
      })
      const numbers = range(1, 20).map(String)
      const keys = ['1', '2', '3']
      await publishTo(
        emulator(),
        topic,
        keys.flatMap((orderingKey) => numbers.map((text) => ({ text, orderingKey }))),
      )
      await seen.reach(60)
      await pipeline.stop()
      for (const key of keys) {
        const first = [...new Set(seen.all.filter(([other]) => other === key).map(([, text]) => text))]
        expect(first).toEqual(numbers)
      }
    })

    it('B181 shares the work with another subscriber', async () => {
      const topic = await createTopic(emulator())
      const seen = new Set<string>()
      const done = new Arrivals<string>()
      const handle = (message: Delivered): Delivered => {
        const text = String(message.data)
        if (!seen.has(text)) done.add(text)
        seen.add(text)
        return message
      }
      const pipelines = [
        await consuming(topic.subscription, { mode }, handle),
        await Broadway.start({
          name: 'other',
          producer: {
            module: PubSubSource,
            arg: { subscription: topic.subscription, config: config(), mode, ...SOON },
          },
          processors: { default: { handleMessage: handle } },
        }),
      ]
      await publishTo(
        emulator(),
        topic,
        range(1, 100).map((n) => ({ text: String(n) })),
      )
      await done.reach(100)
      for (const pipeline of pipelines) await pipeline.stop()
    })
  })

  it('does not take a message that has nothing, and takes those that are sent with it', async () => {
    const topic = await createTopic(emulator())
    const publisher = await start(PubSubPublisher, { arg: { topic: topic.topic, config: config(), ...SOON } })
    const seen = new Arrivals<string>()
    const pipeline = await consuming(topic.subscription, {}, (message) => {
      seen.add(String(message.data))
      return message
    })
    const { error } = await settlement(publisher.call.publishMany([{ data: '1' }, {}, { data: '2' }, { data: '3' }]))
    expect(error).toMatchObject({ cause: { code: 'refused', failures: [{ index: 1 }] } })
    await seen.reach(3)
    await pipeline.stop()
    await publisher.stop({ drain: true })
    expect(seen.all.toSorted()).toEqual(['1', '2', '3'])
  })

  it('loses nothing while connections are cut', { timeout: 180_000 + 6 * MESSAGES }, async () => {
    const topic = await createTopic(emulator())
    await using cable = await Cable.lay(emulator())
    const ledger = new Ledger(MESSAGES)
    const pipeline = await Broadway.start({
      name: 'faults',
      producer: {
        module: PubSubSource,
        arg: {
          subscription: topic.subscription,
          config: config(cable.uri),
          mode: 'streaming',
          maxOutstandingMessages: 1000,
          ackDeadline: 10_000,
          ...SOON,
        },
      },
      processors: {
        default: {
          concurrency: 2,
          maxDemand: 500,
          handleMessage(message) {
            ledger.note(Number(message.data))
            return message
          },
        },
      },
      batchers: { default: { batchSize: 500, batchTimeout: 50, handleBatch: (messages) => messages } },
    })
    const publisher = await start(PubSubPublisher, { arg: { topic: topic.topic, config: config(cable.uri), ...SOON } })
    const patient = publisher.with({ timeout: Infinity })
    const began = performance.now()
    const feed = (async () => {
      for (let from = 0; from < MESSAGES; from += 500) {
        const count = Math.min(500, MESSAGES - from)
        await patient.call.publishMany(Array.from({ length: count }, (_, n) => ({ data: String(from + n) })))
      }
    })()
    for (let cuts = 1; cuts <= CUTS; cuts++) {
      await ledger.reach(Math.floor((MESSAGES * cuts) / (CUTS + 1)))
      cable.cut()
    }
    await feed
    await ledger.reach(MESSAGES)
    const seconds = (performance.now() - began) / 1000
    await pipeline.stop()
    await publisher.stop({ drain: true })
    if (TOLD) console.log({ messages: MESSAGES, seconds: Math.round(seconds), duplicates: ledger.duplicates })
    expect(ledger.missing(MESSAGES)).toEqual([])
  })
})

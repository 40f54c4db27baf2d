import { SQS } from '@aws-sdk/client-sqs'
import { configure, start } from 'sluice'
import { SqsPublisher, SqsSource } from 'sluice/sqs'
import { type ConnectorHarness, connectorChecks } from 'sluice/testing'
import { describe, it } from 'vitest'
import { FauxQueue, fauxqsForAll } from '../support/fauxqs.ts'
import { LogBook } from '../support/log-book.ts'

const server = fauxqsForAll()

interface Site {
  readonly queue: FauxQueue
  /** Past the connector, and past its cable. */
  readonly client: SQS
}

/** fauxqs refuses what is outside of the first plane of Unicode, which AWS takes. */
const encoded = (text: string): string => Buffer.from(text).toString('base64')

const harness: ConnectorHarness<Site> = {
  name: 'SqsSource',
  async open() {
    const queue = await FauxQueue.create(server())
    const endpoint = `http://127.0.0.1:${server().port}`
    return { queue, client: new SQS({ ...queue.options.config, endpoint }) }
  },
  async close({ queue, client }) {
    client.destroy()
    await queue[Symbol.asyncDispose]()
  },
  producer: ({ queue }, options) => ({
    module: SqsSource,
    // fauxqs does not notice that a request was aborted, and gives it what comes.
    arg: { ...queue.options, onFailure: 'retry', waitTimeSeconds: 0, receiveInterval: 20, ...options },
  }),
  async publish({ queue, client }, payloads) {
    for (let from = 0; from < payloads.length; from += 10) {
      const Entries = payloads
        .slice(from, from + 10)
        .map(({ text }, index) => ({ Id: String(index), MessageBody: encoded(text) }))
      await client.sendMessageBatch({ QueueUrl: queue.url, Entries })
    }
  },
  textOf: ({ data }) => Buffer.from(String(data), 'base64').toString(),
  order: 'none',
  redelivers: true,
  isRedelivered: ({ metadata }) => Reflect.get(Object(metadata), 'receiveCount') > 1,
  mostHeld: (demand) => demand,
  soon: { visibilityTimeout: 1000 },
  badOptions: [
    [{ queueUrl: 7 }, 'queueUrl'],
    [{ onFailure: 'drop' }, 'onFailure'],
    [{ maxNumberOfMessages: 11 }, 'maxNumberOfMessages'],
    [{ visibilityTimeout: 30 }, 'visibilityTimeout'],
    [{ queueName: 'orders' }, 'queueName'],
  ],
  disrupt: async ({ queue }) => queue.cable.cut(),
  waiting: async ({ queue }) => queue.waiting,
  unacknowledged: async ({ queue }) => queue.inFlight,
  connections: ({ queue }) => queue.cable.connections,
  async publisher({ queue }) {
    const publisher = await start(SqsPublisher, { arg: queue.options })
    return {
      publish: (payloads) => publisher.call.publishMany(payloads.map(({ text }) => ({ body: encoded(text) }))),
      close: () => publisher.stop({ drain: true }),
    }
  },
}

// Checks fail messages, kill pipelines and cut connections on purpose.
configure({ logger: new LogBook() })

describe('SQS', () => {
  for (const { title, run } of connectorChecks(harness)) it(title, run)
})

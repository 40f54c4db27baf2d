import { configure, start } from 'sluice'
import { RabbitMQPublisher, RabbitMQSource } from 'sluice/rabbitmq'
import { type ConnectorHarness, connectorChecks } from 'sluice/testing'
import { describe, it } from 'vitest'
import { Cable } from '../support/cable.ts'
import { LogBook } from '../support/log-book.ts'
import { Broker, RABBITMQ, rabbitmqIsThere } from '../support/rabbitmq-server.ts'

const PREFETCH = 10
const SOON = { backoffType: 'exp', backoffMin: 10, backoffMax: 100 } as const

interface Site {
  readonly broker: Broker
  /** All connections of the connector go through it. */
  readonly cable: Cable
  readonly queue: string
}

const harness: ConnectorHarness<Site> = {
  name: 'RabbitMQSource',
  async open() {
    const broker = await Broker.connect()
    return { broker, cable: await Cable.lay(RABBITMQ), queue: await broker.queue() }
  },
  async close({ broker, cable }) {
    await cable[Symbol.asyncDispose]()
    await broker[Symbol.asyncDispose]()
  },
  producer: ({ cable, queue }, options) => ({
    module: RabbitMQSource<'redelivered'>,
    arg: {
      queue,
      connection: cable.uri,
      onFailure: 'reject_and_requeue',
      metadata: ['redelivered'],
      qos: { prefetchCount: PREFETCH },
      ...SOON,
      ...options,
    },
  }),
  async publish({ broker, queue }, payloads) {
    for (const { text } of payloads) broker.channel.sendToQueue(queue, Buffer.from(text))
    await broker.channel.waitForConfirms()
  },
  order: 'queue',
  redelivers: true,
  isRedelivered: ({ metadata }) => Reflect.get(Object(metadata), 'redelivered') === true,
  redeliversLost: true,
  soon: { redeliverLostAfter: 500 },
  mostHeld: () => PREFETCH,
  badOptions: [
    [{ queue: 7 }, 'queue'],
    [{ onFailure: 'drop' }, 'onFailure'],
    [{ qos: { prefetchCount: -1 } }, 'qos.prefetchCount'],
    [{ connection: 'http://localhost' }, 'connection'],
    [{ backoffMin: 10, backoffMax: 1 }, 'backoffMax'],
    [{ prefetch: 1 }, 'prefetch'],
  ],
  disrupt: async ({ cable }) => cable.cut(),
  waiting: ({ broker, queue }) => broker.ready(queue),
  connections: ({ cable }) => cable.connections,
  async publisher({ cable, queue }) {
    const publisher = await start(RabbitMQPublisher, { arg: { connection: cable.uri, routingKey: queue, ...SOON } })
    return {
      publish: (payloads) => publisher.call.publishMany(payloads.map(({ text }) => ({ content: text }))),
      close: () => publisher.stop({ drain: true }),
    }
  },
}

// Checks fail messages, kill pipelines and cut connections on purpose.
configure({ logger: new LogBook() })

describe.skipIf(!rabbitmqIsThere)('RabbitMQ', () => {
  for (const { title, run } of connectorChecks(harness)) it(title, run)
})

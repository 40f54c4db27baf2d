import { configure, start } from 'sluice'
import { NatsPublisher, NatsSource } from 'sluice/nats'
import { type ConnectorHarness, connectorChecks } from 'sluice/testing'
import { describe, it } from 'vitest'
import { Cable } from '../support/cable.ts'
import { LogBook } from '../support/log-book.ts'
import { SOON } from '../support/nats-pipeline.ts'
import { JetStream, NATS, natsIsThere } from '../support/nats-server.ts'

interface Site {
  readonly server: JetStream
  /** All connections of the connector go through it. */
  readonly cable: Cable
  readonly stream: string
}

const CONSUMER = 'worker'

const harness: ConnectorHarness<Site> = {
  name: 'NatsSource',
  async open() {
    const server = await JetStream.connect()
    return { server, cable: await Cable.lay(NATS), stream: await server.stream() }
  },
  async close({ server, cable }) {
    await cable[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  },
  producer: ({ cable, stream }, options) => ({
    module: NatsSource,
    arg: { stream, consumer: CONSUMER, connection: cable.uri, declare: {}, retryDelay: 5, ...SOON, ...options },
  }),
  async publish({ server, stream }, payloads) {
    for (const { text, key } of payloads) await server.client.publish(`${stream}.${key}`, text)
  },
  order: 'queue',
  redelivers: true,
  isRedelivered: ({ metadata }) => Reflect.get(Object(metadata), 'deliveries') > 1,
  mostHeld: (demand) => demand,
  soon: { declare: { consumer: { ackWait: 500 } } },
  badOptions: [
    [{ stream: 7 }, 'stream'],
    [{ consumer: 'a.b' }, 'consumer'],
    [{ onFailure: 'drop' }, 'onFailure'],
    [{ maxMessages: 0 }, 'maxMessages'],
    [{ connection: 'http://localhost' }, 'connection'],
    [{ declare: { consumer: { ackWait: -1 } } }, 'declare.consumer.ackWait'],
    [{ expiry: 1 }, 'expiry'],
  ],
  disrupt: async ({ cable }) => cable.cut(),
  waiting: async ({ server, stream }) => (await server.find(stream))?.num_pending ?? (await server.size(stream)),
  unacknowledged: async ({ server, stream }) => (await server.find(stream))?.num_ack_pending ?? 0,
  connections: ({ cable }) => cable.connections,
  async publisher({ cable, stream }) {
    const publisher = await start(NatsPublisher, { arg: { connection: cable.uri, ...SOON } })
    return {
      publish: (payloads) =>
        publisher.call.publishMany(payloads.map(({ text, key }) => ({ subject: `${stream}.${key}`, content: text }))),
      close: () => publisher.stop({ drain: true }),
    }
  },
}

// Checks fail messages, kill pipelines and cut connections on purpose.
configure({ logger: new LogBook() })

describe.skipIf(!natsIsThere)('NATS', () => {
  for (const { title, run } of connectorChecks(harness)) it(title, run)
})

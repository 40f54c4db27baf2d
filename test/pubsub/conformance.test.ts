import { configure, start } from 'sluice'
import { PubSubPublisher, PubSubSource, restClient } from 'sluice/pubsub'
import { type ConnectorHarness, connectorChecks } from 'sluice/testing'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { Cable } from '../support/cable.ts'
import { LogBook } from '../support/log-book.ts'
import {
  createTopic,
  deleteTopic,
  emulatorForAll,
  emulatorIsThere,
  publishTo,
  type Topic,
} from '../support/pubsub-emulator.ts'
import { PubSubRestServer } from '../support/pubsub-rest-server.ts'

interface Site extends Topic {
  /** All connections of the connector go through it. */
  readonly cable: Cable
}

const SOON = { backoffType: 'exp', backoffMin: 10, backoffMax: 100 } as const

/** @param client Options of sources and publishers that reach the server by this URL. */
function harnessOf(
  url: () => string,
  client: (url: string) => object,
  more: Partial<ConnectorHarness<Site>> = {},
): ConnectorHarness<Site> {
  return {
    name: 'PubSubSource',
    async open() {
      const [cable, topic] = await Promise.all([Cable.lay(url()), createTopic(url())])
      return { cable, ...topic }
    },
    async close({ cable, ...topic }) {
      await cable[Symbol.asyncDispose]()
      await deleteTopic(url(), topic)
    },
    producer: ({ cable, subscription }, options) => ({
      module: PubSubSource,
      arg: {
        subscription,
        onFailure: 'nack',
        receiveInterval: 20,
        retryDelay: 20,
        ...SOON,
        ...client(cable.uri),
        ...options,
      },
    }),
    publish: (site, payloads) => publishTo(url(), site, payloads),
    order: 'none',
    redelivers: true,
    mostHeld: (demand) => demand,
    soon: { ackDeadline: 10_000 },
    badOptions: [
      [{ subscription: 'orders' }, 'subscription'],
      [{ onFailure: 'drop' }, 'onFailure'],
      [{ ackDeadline: 30 }, 'ackDeadline'],
      [{ mode: 'push' }, 'mode'],
      [{ topic: 'orders' }, 'topic'],
    ],
    disrupt: async ({ cable }) => cable.cut(),
    async publisher({ cable, topic }) {
      const publisher = await start(PubSubPublisher, { arg: { topic, ...SOON, ...client(cable.uri) } })
      return {
        publish: (payloads) => publisher.call.publishMany(payloads.map(({ text }) => ({ data: text }))),
        close: () => publisher.stop({ drain: true }),
      }
    },
    ...more,
  }
}

// Checks fail messages, kill pipelines and cut connections on purpose.
configure({ logger: new LogBook() })

describe('Pub/Sub over REST', () => {
  let server: PubSubRestServer | undefined
  beforeAll(async () => {
    server = await PubSubRestServer.start()
  })
  afterAll(() => server?.[Symbol.asyncDispose]())
  const counts = (site: Site) => server?.counts(site.subscription) ?? { waiting: 0, lent: 0 }
  const harness = harnessOf(
    () => server?.url ?? '',
    (baseUrl) => ({ client: () => restClient({ baseUrl }) }),
    {
      close: ({ cable }) => cable[Symbol.asyncDispose](),
      waiting: async (site) => counts(site).waiting,
      unacknowledged: async (site) => counts(site).lent,
    },
  )
  for (const { title, run } of connectorChecks(harness)) it(title, run)
})

// It goes on sending to pulls and streams that are no more, and has those messages again only after their deadline, over and over:
// B181 tries it with pulls, and with connections that are cut.
describe.skipIf(!emulatorIsThere)('the emulator of Pub/Sub, streaming', () => {
  const harness = harnessOf(emulatorForAll(), (apiEndpoint) => ({ config: { projectId: 'sluice', apiEndpoint } }))
  const { disrupt: _, ...uncut } = harness
  const streaming = {
    ...uncut,
    producer: (site: Site, options: object) => harness.producer(site, { mode: 'streaming', ...options }),
  }
  for (const { title, run } of connectorChecks(streaming)) it(title, run)
})

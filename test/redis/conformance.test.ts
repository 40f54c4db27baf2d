import { configure, start } from 'sluice'
import { RedisListSource, RedisPublisher, RedisStreamSource } from 'sluice/redis'
import { type ConnectorHarness, connectorChecks } from 'sluice/testing'
import { describe, it } from 'vitest'
import { Cable } from '../support/cable.ts'
import { LogBook } from '../support/log-book.ts'
import { SOON } from '../support/redis-pipeline.ts'
import { REDIS, Redis, redisIsThere } from '../support/redis-server.ts'

interface Site {
  readonly server: Redis
  /** All connections of the connector go through it. */
  readonly cable: Cable
  readonly key: string
}

const common = {
  async open() {
    const server = await Redis.connect()
    return { server, cable: await Cable.lay(REDIS), key: server.key() }
  },
  async close({ server, cable }: Site) {
    await cable[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  },
  redelivers: true,
  mostHeld: (demand: number) => demand,
  disrupt: async ({ cable }: Site) => cable.cut(),
  connections: ({ cable }: Site) => cable.connections,
}

const streams: ConnectorHarness<Site> = {
  ...common,
  name: 'RedisStreamSource',
  producer: ({ cable, key }, options) => ({
    module: RedisStreamSource,
    arg: {
      stream: key,
      group: 'workers',
      connection: cable.uri,
      retryDelay: 5,
      claimInterval: 20,
      ...SOON,
      ...options,
    },
  }),
  async publish({ server, key }, payloads) {
    for (const { text } of payloads) await server.client.xAdd(key, '*', { text })
  },
  textOf: ({ data }) => String(Reflect.get(Object(data), 'text')),
  order: 'queue',
  isRedelivered: ({ metadata }) => Reflect.get(Object(metadata), 'deliveries') > 1,
  soon: { claimIdle: 300 },
  badOptions: [
    [{ stream: 7 }, 'stream'],
    [{ group: '' }, 'group'],
    [{ onFailure: 'drop' }, 'onFailure'],
    [{ claimIdle: 0 }, 'claimIdle'],
    [{ connection: 'http://localhost' }, 'connection'],
    [{ groups: 'a' }, 'groups'],
  ],
  waiting: ({ server, key }) => server.waiting(key),
  unacknowledged: ({ server, key }) => server.pending(key),
  async publisher({ cable, key }) {
    const publisher = await start(RedisPublisher, { arg: { connection: cable.uri, stream: key, ...SOON } })
    return {
      publish: (payloads) => publisher.call.publishMany(payloads.map(({ text }) => ({ fields: { text } }))),
      close: () => publisher.stop({ drain: true }),
    }
  },
}

const lists: ConnectorHarness<Site> = {
  ...common,
  name: 'RedisListSource',
  producer: ({ cable, key }, options) => ({
    module: RedisListSource,
    arg: { list: key, connection: cable.uri, claimInterval: 20, ...SOON, ...options },
  }),
  async publish({ server, key }, payloads) {
    await server.client.rPush(
      key,
      payloads.map(({ text }) => text),
    )
  },
  order: 'queue',
  soon: { claimIdle: 300 },
  badOptions: [
    [{ list: 7 }, 'list'],
    [{ onFailure: { retryAfter: 1 } }, 'onFailure'],
    [{ take: 'first' }, 'take'],
    [{ claimInterval: -1 }, 'claimInterval'],
    [{ lists: 'a' }, 'lists'],
  ],
  waiting: ({ server, key }) => server.client.lLen(key),
  unacknowledged: ({ server, key }) => server.inHand(key),
  async publisher({ cable, key }) {
    const publisher = await start(RedisPublisher, { arg: { connection: cable.uri, list: key, ...SOON } })
    return {
      publish: (payloads) => publisher.call.publishMany(payloads.map(({ text }) => ({ value: text }))),
      close: () => publisher.stop({ drain: true }),
    }
  },
}

// Checks fail messages, kill pipelines and cut connections on purpose.
configure({ logger: new LogBook() })

describe.skipIf(!redisIsThere)('streams of Redis', () => {
  for (const { title, run } of connectorChecks(streams)) it(title, run)
})

describe.skipIf(!redisIsThere)('lists of Redis', () => {
  for (const { title, run } of connectorChecks(lists)) it(title, run)
})

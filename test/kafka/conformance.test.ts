import { configure, start } from 'sluice'
import { type KafkaConnection, type KafkaGroup, KafkaPublisher, KafkaSource } from 'sluice/kafka'
import { type ConnectorHarness, connectorChecks } from 'sluice/testing'
import { describe, it } from 'vitest'
import { kafkajsClient } from '../../src/kafka/client/kafkajs-client.ts'
import { CLIENTS, groupName, KafkaCluster, kafkaIsThere, QUICK } from '../support/kafka-cluster.ts'
import { LogBook } from '../support/log-book.ts'

const PARTITIONS = 3

interface Site {
  readonly cluster: KafkaCluster
  readonly topic: string
  readonly groupId: string
  /** Past the connector. */
  readonly direct: KafkaConnection
  readonly group: KafkaGroup
}

const harness = (client: (typeof CLIENTS)[number]): ConnectorHarness<Site> => ({
  name: 'KafkaSource',
  async open() {
    const cluster = await KafkaCluster.start()
    const target = { brokers: [cluster.hosts], clientId: 'test', ssl: false, sasl: undefined }
    const direct = await (await kafkajsClient()).connect({ ...target, connectTimeout: 5000, requestTimeout: 5000 })
    const groupId = groupName()
    const topic = await cluster.topic(PARTITIONS)
    return { cluster, topic, groupId, direct, group: direct.group(groupId, 0) }
  },
  async close({ cluster, direct }) {
    await direct.close()
    await cluster[Symbol.asyncDispose]()
  },
  producer: ({ cluster, topic, groupId }, options) => ({
    module: KafkaSource,
    arg: { ...QUICK, hosts: cluster.hosts, groupId, topics: [topic], client, redeliverLostAfter: 500, ...options },
  }),
  async publish({ cluster, topic }, payloads) {
    // Whatever number is in the key is that of the partition.
    const publications = payloads.map(({ text, key }) => ({
      value: text,
      key,
      partition: Number(/\d+/.exec(key)?.[0] ?? 0) % PARTITIONS,
    }))
    const { backoffType, backoffMin, backoffMax } = QUICK
    const arg = { hosts: cluster.hosts, topic, client: 'kafkajs', backoffType, backoffMin, backoffMax } as const
    const publisher = await start(KafkaPublisher, { arg })
    await publisher.call.publishMany(publications)
    await publisher.stop()
  },
  order: 'key',
  keepsLanes: true,
  redelivers: false,
  redeliversLost: true,
  mostHeld: (demand) => demand,
  badOptions: [
    [{ hosts: 'localhost' }, 'hosts'],
    [{ groupId: '' }, 'groupId'],
    [{ topics: [] }, 'topics'],
    [{ groupConfig: { sessionTimeout: 0 } }, 'groupConfig.sessionTimeout'],
    [{ fetchConfig: { maxBytes: 0 } }, 'fetchConfig.maxBytes'],
    [{ backoffMin: 10, backoffMax: 1 }, 'backoffMax'],
    [{ topic: 'orders' }, 'topic'],
  ],
  async disrupt({ cluster }) {
    await cluster.down()
    await cluster.up()
  },
  async waiting({ topic, direct, group }) {
    const places = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }))
    try {
      await direct.partitions([topic])
      const committed = await group.committed(places)
      const ends = await Promise.all(places.map((place) => direct.offset(place, 'latest')))
      const done = committed.reduce((sum, { offset }) => sum + offset, 0)
      return ends.reduce((sum: number, end) => sum + (end ?? 0), 0) - done
    } catch {
      // Its connections were cut as well.
      return Infinity
    }
  },
  async publisher({ cluster, topic }) {
    const { backoffType, backoffMin, backoffMax } = QUICK
    const arg = { hosts: cluster.hosts, topic, client, backoffType, backoffMin, backoffMax }
    const publisher = await start(KafkaPublisher, { arg })
    return {
      publish: (payloads) => publisher.call.publishMany(payloads.map(({ text, key }) => ({ value: text, key }))),
      close: () => publisher.stop({ drain: true }),
    }
  },
})

// Checks fail messages, kill pipelines and cut connections on purpose.
configure({ logger: new LogBook() })

describe.skipIf(!kafkaIsThere).each(CLIENTS)('Kafka, by %s', (client) => {
  for (const { title, run } of connectorChecks(harness(client))) it(title, run)
})

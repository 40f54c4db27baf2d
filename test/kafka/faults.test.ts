import { configure, start } from 'sluice'
import { Broadway } from 'sluice/broadway'
import { KafkaPublisher, KafkaSource, type KafkaSourceOptions } from 'sluice/kafka'
import { describe, expect, it } from 'vitest'
import { CLIENTS, groupName, KafkaCluster, kafkaIsThere, QUICK, REQUESTS } from '../support/kafka-cluster.ts'
import { KafkaTally } from '../support/kafka-tally.ts'
import { LogBook } from '../support/log-book.ts'

/** Codes of Kafka. */
const NOT_LEADER = 6
const TIMED_OUT = 7
const LOADING = 14
const NO_COORDINATOR = 15
const NOT_COORDINATOR = 16
const ILLEGAL_GENERATION = 22
const UNKNOWN_MEMBER = 25

configure({ logger: new LogBook() })

describe.skipIf(!kafkaIsThere).each(CLIENTS)('with %s a pipeline survives and loses nothing', (client) => {
  /** A publisher and a pipeline, with so many messages under way that faults come in the middle. */
  async function running(cluster: KafkaCluster, topic: string, options: Partial<KafkaSourceOptions> = {}) {
    const tally = new KafkaTally()
    const { backoffType, backoffMin, backoffMax } = QUICK
    const publisher = await start(KafkaPublisher, {
      arg: { hosts: cluster.hosts, topic, client, backoffType, backoffMin, backoffMax },
    })
    const arg = { ...QUICK, hosts: cluster.hosts, groupId: groupName(), topics: [topic], client, ...options }
    const pipeline = await Broadway.start({
      name: 'faults',
      producer: { module: KafkaSource, arg },
      processors: { default: { concurrency: 4, maxDemand: 100, handleMessage: tally.handle } },
    })
    let published = 0
    return {
      tally,
      groupId: arg.groupId,
      async publish(count: number): Promise<void> {
        const texts = Array.from({ length: count }, () => ({ value: String(published++) }))
        await publisher.with({ timeout: Infinity }).call.publishMany(texts)
      },
      async finish(): Promise<void> {
        await tally.reach(published)
        await pipeline.stop()
        await publisher.stop({ drain: true })
        expect(tally.times.size).toBe(published)
        expect(tally.inOrder).toBe(true)
      },
    }
  }

  it('when a broker goes and comes back, of three', async () => {
    await using cluster = await KafkaCluster.start(3)
    const run = await running(cluster, await cluster.topic(6))
    await run.publish(300)
    await run.tally.reach(300)
    for (const broker of [1, 2, 3]) {
      await cluster.down(broker)
      const publishing = run.publish(300)
      await cluster.up(broker)
      await publishing
    }
    await run.finish()
  })

  it.each([
    ['fetch', [NOT_LEADER, TIMED_OUT, NOT_LEADER]],
    ['commit', [NOT_COORDINATOR, LOADING, ILLEGAL_GENERATION]],
    ['heartbeat', [NO_COORDINATOR, UNKNOWN_MEMBER]],
    ['produce', [NOT_LEADER, TIMED_OUT]],
    ['offsetFetch', [LOADING, NOT_COORDINATOR]],
    ['join', [NO_COORDINATOR, LOADING]],
    ['listOffsets', [NOT_LEADER]],
  ] as const)('when requests are refused: %s', async (request, codes) => {
    await using cluster = await KafkaCluster.start()
    const topic = await cluster.topic(4)
    const atStart = request === 'offsetFetch' || request === 'join' || request === 'listOffsets'
    if (atStart) await cluster.errors(REQUESTS[request], ...codes)
    const run = await running(cluster, topic)
    await run.publish(200)
    if (!atStart) {
      await run.tally.reach(200)
      await cluster.errors(REQUESTS[request], ...codes)
    }
    await run.publish(200)
    await run.finish()
  })

  it('when another broker becomes coordinator, and others become leaders', async () => {
    await using cluster = await KafkaCluster.start(3)
    const topic = await cluster.topic(3)
    const run = await running(cluster, topic)
    await run.publish(300)
    await run.tally.reach(300)
    for (const broker of [1, 2, 3]) {
      await cluster.coordinator(run.groupId, broker)
      for (const partition of [0, 1, 2]) await cluster.leader(topic, partition, (broker % 3) + 1)
      await run.publish(300)
    }
    await run.finish()
  })

  it('of 100,000 messages, with the broker taken down and up in the middle', { timeout: 60_000 }, async () => {
    await using cluster = await KafkaCluster.start()
    const run = await running(cluster, await cluster.topic(4))
    const publishing = run.publish(100_000)
    await run.tally.reach(20_000)
    await cluster.down()
    await run.tally.until(() => true)
    await cluster.up()
    await run.tally.reach(60_000)
    await cluster.down()
    await cluster.up()
    await publishing
    await run.finish()
  })
})

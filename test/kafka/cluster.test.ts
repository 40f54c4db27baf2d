import { configure, start } from 'sluice'
import { Broadway } from 'sluice/broadway'
import { KafkaPublisher, KafkaSource, type KafkaSourceOptions } from 'sluice/kafka'
import { channels, type KafkaCommit } from 'sluice/telemetry'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kafkajsClient } from '../../src/kafka/client/kafkajs-client.ts'
import { Gate } from '../support/broadway.ts'
import { CLIENTS, groupName, KafkaCluster, kafkaIsThere, QUICK } from '../support/kafka-cluster.ts'
import { KafkaTally } from '../support/kafka-tally.ts'
import { LogBook } from '../support/log-book.ts'

let cluster: KafkaCluster
beforeAll(async () => {
  if (kafkaIsThere) cluster = await KafkaCluster.start()
})
afterAll(async () => cluster?.[Symbol.asyncDispose]())

configure({ logger: new LogBook() })

describe.skipIf(!kafkaIsThere).each(CLIENTS)('a cluster of Kafka, by %s', (client) => {
  const publisherTo = (topic: string) => start(KafkaPublisher, { arg: { hosts: cluster.hosts, topic, client } })

  async function fill(topic: string, from: number, to: number): Promise<void> {
    const publisher = await publisherTo(topic)
    const publications = Array.from({ length: to - from }, (_, index) => ({ value: String(from + index) }))
    await publisher.call.publishMany(publications)
    await publisher.stop({ drain: true })
  }

  const pipelineFor = (name: string, topic: string, tally: KafkaTally, options: Partial<KafkaSourceOptions>) =>
    Broadway.start({
      name,
      producer: {
        module: KafkaSource,
        arg: { ...QUICK, hosts: cluster.hosts, groupId: 'g', topics: [topic], client, ...options },
      },
      processors: { default: { concurrency: 4, handleMessage: tally.handle } },
    })

  /** Resolves when the offsets of all partitions of a topic, as they are committed, add up to that. */
  function committed(topic: string, sum: number): Promise<void> {
    const offsets = new Map<number, number>()
    return new Promise((resolve) => {
      const listener = (commit: KafkaCommit): void => {
        for (const each of commit.offsets) if (each.topic === topic) offsets.set(each.partition, each.offset)
        if ([...offsets.values()].reduce((all, offset) => all + offset, 0) < sum) return
        channels.kafkaCommit.unsubscribe(listener)
        resolve()
      }
      channels.kafkaCommit.subscribe(listener)
    })
  }

  it('gives messages as they were published', async () => {
    const topic = await cluster.topic(3)
    const publisher = await publisherTo(topic)
    await publisher.call.publishMany([
      { key: 'k', value: 'first', headers: { one: 'a', two: ['b', 'c'] } },
      { key: 'k', value: null },
      { key: 'other', value: Buffer.from([0, 255]), partition: 2, headers: { empty: '' } },
    ])
    await publisher.stop({ drain: true })
    const tally = new KafkaTally()
    const pipeline = await pipelineFor('as-published', topic, tally, { groupId: groupName() })
    await tally.reach(3)
    await pipeline.stop()
    const [first, tombstone] = tally.messages.filter(({ metadata }) => String(metadata.key) === 'k')
    expect(first?.data).toEqual(Buffer.from('first'))
    expect(first?.metadata).toMatchObject({ topic, offset: 0, tombstone: false })
    expect(first?.metadata.headers).toEqual({ one: Buffer.from('a'), two: [Buffer.from('b'), Buffer.from('c')] })
    expect(first?.metadata.timestamp).toBeGreaterThan(1_600_000_000_000)
    expect(tombstone?.data).toEqual(Buffer.alloc(0))
    expect(tombstone?.metadata).toMatchObject({ offset: 1, tombstone: true, partition: first?.metadata.partition })
    const other = tally.messages.find(({ metadata }) => String(metadata.key) === 'other')
    expect(other?.data).toEqual(Buffer.from([0, 255]))
    expect(other?.metadata).toMatchObject({ partition: 2, headers: { empty: Buffer.alloc(0) } })
  })

  it('goes on where its group was', async () => {
    const topic = await cluster.topic(2)
    const groupId = groupName()
    await fill(topic, 0, 50)
    const tally = new KafkaTally()
    const first = await pipelineFor('goes-on', topic, tally, { groupId })
    await tally.reach(50)
    await first.stop()
    await fill(topic, 50, 100)
    const second = await pipelineFor('goes-on', topic, tally, { groupId })
    await tally.reach(100)
    await second.stop()
    expect(tally.repeated).toBe(0)
    expect(tally.inOrder).toBe(true)
  })

  it('says how far it is behind', async () => {
    const topic = await cluster.topic(2)
    await fill(topic, 0, 100)
    const gate = new Gate()
    const pipeline = await Broadway.start({
      name: 'behind',
      producer: {
        module: KafkaSource,
        arg: { ...QUICK, hosts: cluster.hosts, groupId: groupName(), topics: [topic], client },
      },
      processors: {
        default: {
          concurrency: 4,
          maxDemand: 10,
          handleMessage: async (message) => {
            await gate.opened
            return message
          },
        },
      },
    })
    const [source] = await pipeline.call.producerNames()
    const stats = async () => await source?.call.stats()
    while ((await stats())?.unanswered !== 40);
    expect(await stats()).toMatchObject({ connected: true, waiting: 60, unanswered: 40 })
    gate.open()
    while ((await stats())?.unanswered !== 0 || (await stats())?.waiting !== 0);
    await pipeline.stop()
  })

  it('B171 two members share four partitions, join and leave: all is handled, in order, and only what was not committed twice', async () => {
    const topic = await cluster.topic(4)
    const groupId = groupName()
    const one = new KafkaTally()
    const two = new KafkaTally()
    const both = new KafkaTally()
    const noting = (tally: KafkaTally) => {
      const noted = new KafkaTally()
      const { handle } = noted
      return Object.assign(noted, {
        handle: <M extends Parameters<typeof handle>[0]>(message: M): M => both.handle(tally.handle(handle(message))),
      })
    }
    const first = await pipelineFor('one', topic, noting(one), { groupId })
    const done = committed(topic, 400)
    await fill(topic, 0, 400)
    await done
    const second = await pipelineFor('two', topic, noting(two), { groupId })
    let published = 400
    while (two.times.size === 0 || one.offsets.size + two.offsets.size < 4) {
      await fill(topic, published, published + 40)
      published += 40
      await both.reach(published)
    }
    await first.stop()
    await fill(topic, published, published + 400)
    await both.reach(published + 400)
    await second.stop()
    expect(both.offsets.size).toBe(4)
    expect(both.inOrder).toBe(true)
    // The mock takes no commits while a group distributes its partitions, which a broker does; what was handled meanwhile comes again.
    const again = [...both.times].filter(([, times]) => times > 1).map(([text]) => Number(text))
    expect(again.filter((number) => number < 400)).toEqual([])
  })

  it('B171 beginOffset reset goes by the policy, each time', async () => {
    const topic = await cluster.topic(2)
    const groupId = groupName()
    await fill(topic, 0, 20)
    const tally = new KafkaTally()
    for (const times of [1, 2]) {
      const pipeline = await pipelineFor('reset', topic, tally, { groupId, beginOffset: 'reset' })
      await tally.until(() => tally.times.size === 20 && [...tally.times.values()].every((count) => count >= times))
      await pipeline.stop()
    }
  })

  it.each(['earliest', 'latest'] as const)('B171 an offset out of range is left for the policy: %s', async (policy) => {
    const topic = await cluster.topic(1)
    const groupId = groupName()
    await fill(topic, 0, 20)
    const target = { brokers: [cluster.hosts], clientId: 'test', ssl: false, sasl: undefined }
    const direct = await (await kafkajsClient()).connect({ ...target, connectTimeout: 5000, requestTimeout: 5000 })
    const member = { memberId: '', generation: -1 }
    await direct.group(groupId, 0).commit(member, [{ topic, partition: 0, offset: 1000 }])
    await direct.close()
    const tally = new KafkaTally()
    const pipeline = await pipelineFor('out-of-range', topic, tally, { groupId, offsetResetPolicy: policy })
    if (policy === 'earliest') await tally.reach(20)
    for (let next = 20; tally.times.size < (policy === 'earliest' ? 22 : 1); next++) {
      await fill(topic, next, next + 1)
    }
    await pipeline.stop()
    expect(tally.times.has('0')).toBe(policy === 'earliest')
  })
})

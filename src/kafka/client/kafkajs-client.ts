/** Kafka by kafkajs, an optional peer dependency, which also runs on Node 20. */

import { createRequire } from 'node:module'
import type { Producer } from 'kafkajs'
import { loadPackage } from '../../connector/load-package.ts'
import { KafkaError } from '../errors.ts'
import { byTopic } from './by-topic.ts'
import {
  type ClusterOptions,
  type KafkajsBroker,
  type KafkajsCluster,
  type KafkajsFetchedPartition,
  type KafkajsInternals,
  type KafkajsMessage,
  kafkajsInternals,
  kafkajsSasl,
} from './kafkajs-internals.ts'
import type {
  Fetched,
  FetchLimits,
  JoinAnswer,
  JoinRequest,
  KafkaClient,
  KafkaConnection,
  KafkaGroup,
  KafkaHeaders,
  KafkaRecord,
  KafkaTarget,
  Member,
  OffsetPosition,
  PartitionOffset,
  PartitionPlace,
  ProducedRecord,
  TopicPartition,
} from './port.ts'
import { CODES, codeOf, KafkaRequestError } from './request-error.ts'

type Package = typeof import('kafkajs')

const READ_COMMITTED = 1
const ALL_REPLICAS = -1
/** Bytes of an answer, of all partitions together. */
const MAX_ANSWER = 52_428_800
const NO_HEADERS: KafkaHeaders = Object.freeze({})

/** @throws `KafkaError` `missing_package`. */
export async function kafkajsClient(): Promise<KafkaClient> {
  const refusal = (text: string, cause: unknown): KafkaError => new KafkaError('missing_package', text, cause)
  const loaded = await loadPackage('sluice/kafka', 'kafkajs', () => import('kafkajs'), refusal)
  const internals = await loadPackage(
    'sluice/kafka',
    'kafkajs@2.2.4',
    async () => kafkajsInternals(createRequire(import.meta.url)),
    refusal,
  )
  return { connect: (target) => connect(loaded, internals, target) }
}

/** The brokers in turn, since kafkajs itself would begin with the first each time. */
async function connect(loaded: Package, internals: KafkajsInternals, target: KafkaTarget): Promise<KafkaConnection> {
  const options: ClusterOptions = {
    brokers: target.brokers,
    clientId: target.clientId,
    ssl: target.ssl,
    sasl: kafkajsSasl(target.sasl),
    connectionTimeout: target.connectTimeout,
    requestTimeout: target.requestTimeout,
    retry: { retries: 0 },
  }
  let failure: unknown
  for (let turn = 0; turn < target.brokers.length; turn++) {
    const brokers = [...target.brokers.slice(turn), ...target.brokers.slice(0, turn)]
    const connection = new KafkajsConnection(loaded, internals, { ...options, brokers })
    try {
      await connection.open()
      return connection
    } catch (error) {
      failure = error
      await connection.close()
    }
  }
  throw failure
}

class KafkajsConnection implements KafkaConnection {
  readonly #package: Package
  readonly #internals: KafkajsInternals
  readonly #options: ClusterOptions
  readonly #cluster: KafkajsCluster
  readonly #groups = new Set<KafkajsGroup>()
  #producer: Promise<Producer> | undefined = undefined

  constructor(loaded: Package, internals: KafkajsInternals, options: ClusterOptions) {
    this.#package = loaded
    this.#internals = internals
    this.#options = options
    this.#cluster = internals.newCluster(options)
  }

  async open(): Promise<void> {
    await asked(this.#cluster.connect())
  }

  async partitions(topics: readonly string[]): Promise<readonly PartitionPlace[]> {
    this.#cluster.targetTopics = new Set(topics)
    await asked(this.#cluster.refreshMetadata())
    return topics.flatMap((topic) =>
      this.#cluster
        .findTopicPartitionMetadata(topic)
        .map(({ partitionId, leader }) => ({ topic, partition: partitionId, leader })),
    )
  }

  async offset({ topic, partition }: TopicPartition, position: OffsetPosition): Promise<number | undefined> {
    const [place] = this.#cluster.findTopicPartitionMetadata(topic).filter((each) => each.partitionId === partition)
    if (place === undefined) throw new KafkaRequestError(3, `topic ${topic} has no partition ${partition}`)
    const timestamp = { earliest: '-2', latest: '-1' }[String(position)] ?? String(Object(position).timestamp)
    const { responses } = await asked(
      this.#broker(place.leader).then((broker) =>
        broker.listOffsets({
          isolationLevel: READ_COMMITTED,
          topics: [{ topic, partitions: [{ partition, timestamp }] }],
        }),
      ),
    )
    const offset = Number(responses[0]?.partitions[0]?.offset ?? -1)
    return offset < 0 ? undefined : offset
  }

  async fetch(leader: number, from: readonly PartitionOffset[], limits: FetchLimits): Promise<readonly Fetched[]> {
    try {
      return await this.#fetch(leader, from, limits)
    } catch (error) {
      const [only] = from
      if (codeOf(error) === CODES.noAnswer || only === undefined) throw error
      // kafkajs does not say which partition it is about.
      if (from.length > 1) return (await Promise.all(from.map((one) => this.fetch(leader, [one], now(limits))))).flat()
      return [{ topic: only.topic, partition: only.partition, records: [], next: only.offset, error: codeOf(error) }]
    }
  }

  async #fetch(
    leader: number,
    from: readonly PartitionOffset[],
    { maxWaitTime, minBytes, maxBytes }: FetchLimits,
  ): Promise<readonly Fetched[]> {
    const offsets = new Map(from.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]))
    const topics = byTopic(from, ({ partition, offset }) => ({ partition, fetchOffset: String(offset), maxBytes }))
    const { responses } = await asked(
      this.#broker(leader).then((broker) =>
        broker.fetch({ maxWaitTime, minBytes, maxBytes: MAX_ANSWER, isolationLevel: READ_COMMITTED, topics }),
      ),
    )
    return responses.flatMap(({ topicName: topic, partitions }) =>
      partitions.map((fetched) => this.#read(topic, fetched, offsets.get(`${topic}/${fetched.partition}`) ?? 0)),
    )
  }

  #read(topic: string, fetched: KafkajsFetchedPartition, offset: number): Fetched {
    const { partition } = fetched
    const { messages, rawMessages } = new this.#internals.Batch(topic, String(offset), fetched)
    const last = rawMessages.at(-1)
    const next = last === undefined ? offset : Math.max(offset, Number(last.offset) + 1)
    return { topic, partition, records: messages.map(toRecord), next, error: 0 }
  }

  #broker(nodeId: number): Promise<KafkajsBroker> {
    return this.#cluster.findBroker({ nodeId })
  }

  group(groupId: string): KafkaGroup {
    // A connection of its own: a broker answers the requests of one in order, and that of a member who joins when all have come.
    const group = new KafkajsGroup(this.#internals.newCluster(this.#options), groupId)
    this.#groups.add(group)
    return group
  }

  async produce(records: readonly ProducedRecord[]): Promise<void> {
    const producer = await asked((this.#producer ??= this.#openProducer()))
    const topicMessages = new Map<string, { key: Buffer | null; value: Buffer | null }[]>()
    for (const { topic, key = null, value = null, timestamp, partition, headers } of records) {
      const message = {
        key,
        value,
        headers: Object.fromEntries(Object.entries(headers).map(([name, each]) => [name, headerOf(each)])),
        ...(partition === undefined ? {} : { partition }),
        ...(timestamp === undefined ? {} : { timestamp: String(timestamp) }),
      }
      const messages = topicMessages.get(topic)
      if (messages === undefined) topicMessages.set(topic, [message])
      else messages.push(message)
    }
    const batch = [...topicMessages].map(([topic, messages]) => ({ topic, messages }))
    await asked(producer.sendBatch({ topicMessages: batch, acks: ALL_REPLICAS }))
  }

  async #openProducer(): Promise<Producer> {
    const { Kafka, logLevel, Partitioners } = this.#package
    const { brokers, ssl, sasl, ...options } = this.#options
    const kafka = new Kafka({
      ...options,
      brokers: [...brokers],
      ssl,
      logLevel: logLevel.NOTHING,
      ...(sasl === undefined ? {} : { sasl: Object(sasl) }),
    })
    const createPartitioner = Partitioners.DefaultPartitioner
    const producer = kafka.producer({ createPartitioner, allowAutoTopicCreation: false, retry: { retries: 0 } })
    try {
      await producer.connect()
      return producer
    } catch (error) {
      this.#producer = undefined
      throw error
    }
  }

  async close(): Promise<void> {
    const producer = await this.#producer?.catch(() => undefined)
    await Promise.allSettled([
      producer?.disconnect(),
      this.#cluster.disconnect(),
      ...[...this.#groups].map((group) => group.close()),
    ])
  }
}

class KafkajsGroup implements KafkaGroup {
  readonly #cluster: KafkajsCluster
  readonly #groupId: string
  #coordinator: number | undefined = undefined

  constructor(cluster: KafkajsCluster, groupId: string) {
    this.#cluster = cluster
    this.#groupId = groupId
  }

  async join(request: JoinRequest): Promise<JoinAnswer> {
    const { protocols: groupProtocols, memberId, sessionTimeout, rebalanceTimeout } = request
    const answer = await this.#ask((broker, groupId) =>
      broker.joinGroup({ groupId, memberId, sessionTimeout, rebalanceTimeout, groupProtocols }),
    )
    return {
      memberId: answer.memberId,
      generation: answer.generationId,
      protocol: answer.groupProtocol,
      leader: answer.leaderId,
      members: answer.members.map((member) => ({ memberId: member.memberId, metadata: member.memberMetadata })),
    }
  }

  async sync({ memberId, generation }: Member, assignments: ReadonlyMap<string, Buffer>): Promise<Buffer> {
    const groupAssignment = [...assignments].map(([id, assignment]) => ({ memberId: id, memberAssignment: assignment }))
    const { memberAssignment } = await this.#ask((broker, groupId) =>
      broker.syncGroup({ groupId, memberId, generationId: generation, groupAssignment }),
    )
    return memberAssignment
  }

  async heartbeat({ memberId, generation }: Member): Promise<void> {
    await this.#ask((broker, groupId) => broker.heartbeat({ groupId, memberId, groupGenerationId: generation }))
  }

  async leave({ memberId }: Member): Promise<void> {
    await this.#ask((broker, groupId) => broker.leaveGroup({ groupId, memberId }))
  }

  async committed(partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]> {
    const topics = byTopic(partitions, ({ partition }) => ({ partition }))
    const { responses } = await this.#ask((broker, groupId) => broker.offsetFetch({ groupId, topics }))
    return responses
      .flatMap(({ topic, partitions: found }) =>
        found.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) })),
      )
      .filter(({ offset }) => offset >= 0)
  }

  async commit({ memberId, generation }: Member, offsets: readonly PartitionOffset[]): Promise<void> {
    const topics = byTopic(offsets, ({ partition, offset }) => ({ partition, offset: String(offset) }))
    await this.#ask((broker, groupId) =>
      broker.offsetCommit({ groupId, memberId, groupGenerationId: generation, topics }),
    )
  }

  async close(): Promise<void> {
    await this.#cluster.disconnect()
  }

  async #ask<T>(request: (broker: KafkajsBroker, groupId: string) => Promise<T>): Promise<T> {
    try {
      return await asked(this.#broker().then((broker) => request(broker, this.#groupId)))
    } catch (error) {
      const code = codeOf(error)
      // Somebody else may be the coordinator by now.
      const { illegalGeneration, unknownMember, rebalanceInProgress } = CODES
      if (code !== illegalGeneration && code !== unknownMember && code !== rebalanceInProgress)
        this.#coordinator = undefined
      throw error
    }
  }

  async #broker(): Promise<KafkajsBroker> {
    if (this.#coordinator === undefined) {
      await this.#cluster.connect()
      await this.#cluster.refreshMetadata()
      const group = { groupId: this.#groupId, coordinatorType: 0 }
      const { coordinator } = await this.#cluster.findGroupCoordinatorMetadata(group)
      this.#coordinator = coordinator.nodeId
    }
    return this.#cluster.findBroker({ nodeId: this.#coordinator })
  }
}

function now(limits: FetchLimits): FetchLimits {
  return { ...limits, maxWaitTime: 0 }
}

function toRecord({ offset, key, value, timestamp, headers }: KafkajsMessage): KafkaRecord {
  return {
    offset: Number(offset),
    key: key ?? undefined,
    value: value ?? undefined,
    timestamp: Number(timestamp),
    headers: headersOf(headers),
  }
}

const EMPTY = Buffer.alloc(0)

function headersOf(headers: KafkajsMessage['headers']): KafkaHeaders {
  const names = Object.keys(headers)
  if (names.length === 0) return NO_HEADERS
  const found: Record<string, Buffer | readonly Buffer[]> = {}
  for (const name of names) {
    const value = headers[name]
    found[name] = Buffer.isBuffer(value) ? value : Array.isArray(value) ? value.map((each) => each ?? EMPTY) : EMPTY
  }
  return found
}

function headerOf(header: Buffer | readonly Buffer[]): Buffer | Buffer[] {
  return Buffer.isBuffer(header) ? header : [...header]
}

/** Waits for an answer; what kafkajs throws becomes an error of the port. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw requestError(error)
  }
}

/** kafkajs wraps what a broker said into errors about its own attempts. */
function requestError(error: unknown): KafkaRequestError {
  if (error instanceof KafkaRequestError) return error
  for (let at: unknown = error; at instanceof Error; at = at.cause ?? Reflect.get(at, 'originalError')) {
    const code: unknown = Reflect.get(at, 'code')
    if (typeof code === 'number' && code > 0) return new KafkaRequestError(code, at.message, error)
  }
  return new KafkaRequestError(CODES.noAnswer, error instanceof Error ? error.message : String(error), error)
}

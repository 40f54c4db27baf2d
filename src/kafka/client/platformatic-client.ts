/** Kafka by `@platformatic/kafka`, an optional peer dependency for Node 22.22 and newer. Imported only where it runs. */

import type { API, Base, BaseOptions, Connection, MessageToProduce, Producer } from '@platformatic/kafka'
import { loadPackage } from '../../connector/load-package.ts'
import { KafkaError } from '../errors.ts'
import { byTopic } from './by-topic.ts'
import { readBatches } from './platformatic-records.ts'
import type {
  Fetched,
  FetchLimits,
  JoinAnswer,
  JoinRequest,
  KafkaClient,
  KafkaConnection,
  KafkaGroup,
  KafkaSasl,
  KafkaTarget,
  Member,
  OffsetPosition,
  PartitionOffset,
  PartitionPlace,
  ProducedRecord,
  TopicPartition,
} from './port.ts'
import { CODES, codeOf, KafkaRequestError } from './request-error.ts'

type Package = typeof import('@platformatic/kafka')
type Requests = typeof import('@platformatic/kafka')
/** What all versions of a request take and give. */
type Request<V extends { readonly api: unknown }> =
  V['api'] extends API<infer Arguments, infer Answer> ? API<Arguments, Answer> : never

const READ_COMMITTED = 1
const ALL_REPLICAS = -1
const MAX_ANSWER = 52_428_800
const GROUP = 0

/** @throws `KafkaError` `missing_package`. */
export async function loadPlatformatic(): Promise<KafkaClient> {
  const loaded = await loadPackage(
    'sluice/kafka',
    '@platformatic/kafka',
    () => import('@platformatic/kafka'),
    (text, cause) => new KafkaError('missing_package', text, cause),
  )
  return {
    async connect(target) {
      const connection = new PlatformaticConnection(loaded, optionsOf(target))
      try {
        await connection.open()
        return connection
      } catch (error) {
        await connection.close()
        throw error
      }
    },
  }
}

function optionsOf(target: KafkaTarget): BaseOptions & { readonly requestTimeout: number } {
  const { ssl, sasl } = target
  return {
    clientId: target.clientId,
    bootstrapBrokers: [...target.brokers],
    connectTimeout: target.connectTimeout,
    requestTimeout: target.requestTimeout,
    retries: 0,
    ...(ssl === false ? {} : { tls: ssl === true ? {} : ssl }),
    ...(sasl === undefined ? {} : { sasl: saslOf(sasl) }),
  }
}

function saslOf(sasl: KafkaSasl): NonNullable<BaseOptions['sasl']> {
  if (sasl.mechanism === 'oauthbearer') return { mechanism: 'OAUTHBEARER', token: sasl.token }
  const { username, password } = sasl
  const mechanism = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const
  return { mechanism: mechanism[sasl.mechanism], username, password }
}

/** A client of the package that sends single requests. */
class Requester {
  readonly base: Base
  readonly #package: Package

  constructor(loaded: Package, options: BaseOptions) {
    this.#package = loaded
    this.base = new loaded.Base(options)
    // An error is told to who asked.
    this.base.on('error', () => {})
  }

  /** A request in the newest version that both sides know. */
  async api<V extends { readonly api: unknown }>(name: string): Promise<Request<V>> {
    return new Promise((resolve, reject) => {
      this.base[this.#package.kGetApi](name, (error, api) => {
        if (error === null && api !== undefined) resolve(api as Request<V>)
        else reject(error)
      })
    })
  }

  /** A connection to a broker by its number, or to any. */
  async connection(node?: number): Promise<Connection> {
    const broker = node === undefined ? undefined : await this.#brokerOf(node)
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, connection?: Connection): void => {
        if (error === null && connection !== undefined) resolve(connection)
        else reject(error)
      }
      if (broker === undefined) this.base[this.#package.kGetBootstrapConnection](done)
      else this.base[this.#package.kGetConnection](broker, done)
    })
  }

  async #brokerOf(node: number): Promise<{ readonly host: string; readonly port: number }> {
    const known = this.base.currentMetadata?.brokers.get(node)
    const broker = known ?? (await this.base.metadata({ topics: [], forceUpdate: true })).brokers.get(node)
    if (broker === undefined) throw new KafkaRequestError(CODES.noAnswer, `the cluster has no broker ${node} now`)
    return broker
  }
}

class PlatformaticConnection implements KafkaConnection {
  readonly #package: Package
  readonly #options: BaseOptions & { readonly requestTimeout: number }
  readonly #asking: Requester
  /** A broker answers the requests of one connection in order, and those that fetch wait for messages. */
  readonly #fetching: Requester
  readonly #groups = new Set<PlatformaticGroup>()
  #producer: Producer | undefined = undefined
  #turn = 0

  constructor(loaded: Package, options: BaseOptions & { readonly requestTimeout: number }) {
    this.#package = loaded
    this.#options = options
    this.#asking = new Requester(loaded, options)
    this.#fetching = new Requester(loaded, options)
  }

  async open(): Promise<void> {
    await asked(this.#asking.base.listApis())
  }

  async partitions(topics: readonly string[]): Promise<readonly PartitionPlace[]> {
    const metadata = await asked(this.#asking.base.metadata({ topics: [...topics], forceUpdate: true }))
    return topics.flatMap((topic) =>
      (metadata.topics.get(topic)?.partitions ?? []).map(({ leader }, partition) => ({ topic, partition, leader })),
    )
  }

  async offset({ topic, partition }: TopicPartition, position: OffsetPosition): Promise<number | undefined> {
    return asked(this.#offset(topic, partition, position))
  }

  async #offset(topic: string, partition: number, position: OffsetPosition): Promise<number | undefined> {
    const leader = this.#asking.base.currentMetadata?.topics.get(topic)?.partitions[partition]?.leader
    if (leader === undefined) throw new KafkaRequestError(3, `topic ${topic} has no partition ${partition}`)
    const time = typeof position === 'object' ? position.timestamp : position === 'earliest' ? -2 : -1
    const list = await this.#asking.api<Requests['listOffsetsV5']>('ListOffsets')
    const partitions = [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp: BigInt(time) }]
    const connection = await this.#asking.connection(leader)
    const { topics } = await list.async(connection, -1, READ_COMMITTED, [{ name: topic, partitions }])
    const offset = Number(topics[0]?.partitions[0]?.offset ?? -1)
    return offset < 0 ? undefined : offset
  }

  async fetch(leader: number, from: readonly PartitionOffset[], limits: FetchLimits): Promise<readonly Fetched[]> {
    return asked(this.#fetch(leader, from, limits))
  }

  async #fetch(
    leader: number,
    from: readonly PartitionOffset[],
    { maxWaitTime, minBytes, maxBytes }: FetchLimits,
  ): Promise<readonly Fetched[]> {
    const offsets = new Map(from.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]))
    const fetch = await this.#fetching.api<Requests['fetchV12']>('Fetch')
    const connection = await this.#fetching.connection(leader)
    const names = new Map<string, string>()
    const topics = byTopic(from, ({ partition, offset }) => ({
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: -1,
      partitionMaxBytes: maxBytes,
    })).map(({ topic, partitions }) => {
      const topicId = this.#idOf(topic, fetch.version)
      names.set(topicId, topic)
      return { topicId, partitions }
    })
    const answer = await fetch
      .async(connection, maxWaitTime, minBytes, MAX_ANSWER, READ_COMMITTED, 0, -1, topics, [], '')
      // What the broker said of each partition is in there.
      .catch((error: unknown) => responseOf<{ readonly responses: FetchAnswer['responses'] }>(error, 'responses'))
    return answer.responses.flatMap(({ topicId, partitions }) => {
      const topic = names.get(topicId) ?? topicId
      return partitions.map(({ partitionIndex: partition, errorCode, records, abortedTransactions }): Fetched => {
        const offset = offsets.get(`${topic}/${partition}`) ?? 0
        if (errorCode !== 0) return { topic, partition, records: [], next: offset, error: errorCode }
        return { topic, partition, error: 0, ...readBatches(records ?? [], abortedTransactions ?? [], offset) }
      })
    })
  }

  /** What a version of the request calls a topic. */
  #idOf(topic: string, version: number): string {
    if (version <= 12) return topic
    return this.#asking.base.currentMetadata?.topics.get(topic)?.id ?? topic
  }

  group(groupId: string, patience: number): KafkaGroup {
    const { requestTimeout } = this.#options
    const options = { ...this.#options, requestTimeout: requestTimeout + patience }
    // A connection of its own: an answer to a member who joins comes when all have come.
    const group = new PlatformaticGroup(new Requester(this.#package, options), groupId)
    this.#groups.add(group)
    return group
  }

  async produce(records: readonly ProducedRecord[]): Promise<void> {
    const { Producer: ProducerOf, compatibilityPartitioner } = this.#package
    const partitioner = (message: MessageToProduce, key: Buffer | undefined): number =>
      key === undefined ? this.#turn++ : compatibilityPartitioner(message, key)
    this.#producer ??= new ProducerOf({ ...this.#options, partitioner, autocreateTopics: false })
    const messages = records.map(({ topic, partition, key, value, timestamp, headers }): MessageToProduce => {
      const entries = Object.entries(headers).flatMap(([name, each]): [Buffer, Buffer][] =>
        (Buffer.isBuffer(each) ? [each] : each).map((one) => [Buffer.from(name), one]),
      )
      return {
        topic,
        ...(value === undefined ? {} : { value }),
        ...(key === undefined ? {} : { key }),
        ...(partition === undefined ? {} : { partition }),
        ...(timestamp === undefined ? {} : { timestamp: BigInt(timestamp) }),
        ...(entries.length === 0 ? {} : { headers: new Map(entries) }),
      }
    })
    await asked(this.#producer.send({ messages, acks: ALL_REPLICAS }))
  }

  async close(): Promise<void> {
    await Promise.allSettled([
      this.#asking.base.close(),
      this.#fetching.base.close(),
      this.#producer?.close(true),
      ...[...this.#groups].map((group) => group.close()),
    ])
  }
}

type FetchAnswer = Requests['fetchV12']['api'] extends API<infer _, infer Answer> ? Answer : never

class PlatformaticGroup implements KafkaGroup {
  readonly #requester: Requester
  readonly #groupId: string
  #coordinator: number | undefined = undefined

  constructor(requester: Requester, groupId: string) {
    this.#requester = requester
    this.#groupId = groupId
  }

  async join(request: JoinRequest): Promise<JoinAnswer> {
    const { memberId, sessionTimeout, rebalanceTimeout } = request
    const protocols = request.protocols.map((protocol) => ({ ...protocol }))
    const answer = await this.#ask(async (connection, group) => {
      const join = await this.#requester.api<Requests['joinGroupV5']>('JoinGroup')
      const as = (id: string) =>
        join.async(connection, group, sessionTimeout, rebalanceTimeout, id, null, 'consumer', protocols, '')
      return as(memberId).catch((error: unknown) => {
        if (protocolCode(error) !== CODES.memberIdRequired) throw error
        return as(responseOf<{ readonly memberId: string }>(error, 'memberId').memberId)
      })
    })
    return {
      memberId: answer.memberId,
      generation: answer.generationId,
      protocol: answer.protocolName ?? '',
      leader: answer.leader,
      members: answer.members.map((member) => ({ memberId: member.memberId, metadata: member.metadata })),
    }
  }

  async sync(
    { memberId, generation }: Member,
    assignments: ReadonlyMap<string, Buffer>,
    protocol: string,
  ): Promise<Buffer> {
    const list = [...assignments].map(([id, assignment]) => ({ memberId: id, assignment }))
    const { assignment } = await this.#ask(async (connection, group) => {
      const sync = await this.#requester.api<Requests['syncGroupV5']>('SyncGroup')
      return sync.async(connection, group, generation, memberId, null, 'consumer', protocol, list)
    })
    return assignment
  }

  async heartbeat({ memberId, generation }: Member): Promise<void> {
    await this.#ask(async (connection, group) => {
      const heartbeat = await this.#requester.api<Requests['heartbeatV4']>('Heartbeat')
      return heartbeat.async(connection, group, generation, memberId, null)
    })
  }

  async leave({ memberId }: Member): Promise<void> {
    await this.#ask(async (connection, group) => {
      const leave = await this.#requester.api<Requests['leaveGroupV5']>('LeaveGroup')
      return leave.async(connection, group, [{ memberId }])
    })
  }

  async committed(partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]> {
    const topics = byTopic(partitions, ({ partition }) => partition).map((each) => ({
      name: each.topic,
      partitionIndexes: each.partitions,
    }))
    const found = await this.#ask(async (connection, groupId) => {
      const fetch = await this.#requester.api<Requests['offsetFetchV5']>('OffsetFetch')
      const group = { groupId, memberId: null, memberEpoch: -1, topics }
      const { groups, topics: alone } = await fetch.async(connection, [group], false)
      // Since version 8 an answer is about several groups.
      return fetch.version < 8 ? alone : (groups[0]?.topics ?? [])
    })
    return found
      .flatMap(({ name: topic, partitions: list }) =>
        list.map((each) => ({ topic, partition: each.partitionIndex, offset: Number(each.committedOffset) })),
      )
      .filter(({ offset }) => offset >= 0)
  }

  async commit({ memberId, generation }: Member, offsets: readonly PartitionOffset[]): Promise<void> {
    const topics = byTopic(offsets, ({ partition, offset }) => ({
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: -1,
      committedMetadata: null,
    })).map(({ topic, partitions }) => ({ name: topic, partitions }))
    await this.#ask(async (connection, group) => {
      const commit = await this.#requester.api<Requests['offsetCommitV7']>('OffsetCommit')
      return commit.async(connection, group, generation, memberId, null, topics)
    })
  }

  async close(): Promise<void> {
    await this.#requester.base.close()
  }

  async #ask<T>(request: (connection: Connection, groupId: string) => Promise<T>): Promise<T> {
    try {
      return await asked(
        this.#coordinatorNode().then(async (node) => request(await this.#requester.connection(node), this.#groupId)),
      )
    } catch (error) {
      const code = codeOf(error)
      const { illegalGeneration, unknownMember, rebalanceInProgress } = CODES
      // Somebody else may be the coordinator by now.
      if (code !== illegalGeneration && code !== unknownMember && code !== rebalanceInProgress)
        this.#coordinator = undefined
      throw error
    }
  }

  async #coordinatorNode(): Promise<number> {
    if (this.#coordinator !== undefined) return this.#coordinator
    await this.#requester.base.metadata({ topics: [], forceUpdate: true })
    const find = await this.#requester.api<Requests['findCoordinatorV2']>('FindCoordinator')
    const { coordinators } = await find.async(await this.#requester.connection(), GROUP, [this.#groupId])
    const [coordinator] = coordinators
    if (coordinator === undefined) throw new KafkaRequestError(CODES.coordinatorNotAvailable, 'there is no coordinator')
    this.#coordinator = coordinator.nodeId
    return coordinator.nodeId
  }
}

/** Waits for an answer; what the package throws becomes an error of the port. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof KafkaRequestError) throw error
    throw new KafkaRequestError(protocolCode(error), textOf(error), error)
  }
}

/** The answer in an error about it. */
function responseOf<T>(error: unknown, key: keyof T & string): T {
  const response: unknown = Reflect.get(Object(error), 'response')
  if (typeof response === 'object' && response !== null && key in response) return response as T
  throw error
}

/** What the broker said, which may be inside of several errors. */
function protocolCode(error: unknown): number {
  const code: unknown = Reflect.get(Object(error), 'apiCode')
  if (typeof code === 'number' && code > 0) return code
  const inner: unknown = Reflect.get(Object(error), 'errors')
  for (const each of Array.isArray(inner) ? inner : []) {
    const found = protocolCode(each)
    if (found !== CODES.noAnswer) return found
  }
  const cause: unknown = Reflect.get(Object(error), 'cause')
  return cause === undefined ? CODES.noAnswer : protocolCode(cause)
}

function textOf(error: unknown): string {
  const inner: unknown = Reflect.get(Object(error), 'errors')
  const [first] = Array.isArray(inner) ? inner : []
  if (first !== undefined) return textOf(first)
  return error instanceof Error ? error.message : String(error)
}

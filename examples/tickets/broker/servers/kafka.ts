/**
 * Kafka: a topic for each queue, which a group of the same name reads, and one behind it for dead letters. Kafka has no more of a group than
 * how far it has come in each partition: it cannot take back a message, nor give one up. So what fails for good is published once more,
 * as a dead letter, or to come again when it was interrupted in its attempts.
 */

import { type Admin, Kafka, logLevel } from 'kafkajs'
import { child, type Message, name } from 'sluice'
import { type KafkaMetadata, type KafkaPublication, KafkaPublisher, KafkaSource } from 'sluice/kafka'
import { InputError } from '../../../command-line/input-error.ts'
import { reasonOf } from '../reason-of.ts'
import type { Delivered, Server, ServerQueue, ServerQueueOptions, ServerQueueState } from '../server.ts'

const ID = 'id'
/** Why a dead letter is one. */
const REASON = 'reason'
/** Of topics that are made here. */
const PARTITIONS = 4
/** Milliseconds. */
const TIMEOUT = 10_000

/** What a message was when it came, to be published as it was. */
type Original = Pick<KafkaMetadata, 'topic' | 'partition' | 'key' | 'headers'> & { readonly value: Buffer | null }

/** @param url `kafka://host:9092,host:9092` @throws `InputError` when it does not answer. */
export async function openServer(url: string): Promise<Server> {
  const hosts = hostsIn(url)
  const admin = new Kafka({
    clientId: 'tickets',
    brokers: [...hosts],
    connectionTimeout: TIMEOUT,
    // Who needs to know is told, by errors.
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 100, retries: 5 },
  }).admin()
  try {
    await admin.connect()
  } catch (error) {
    throw new InputError(`kafka://${hosts} does not answer (${reasonOf(error)}); expected brokers of Kafka`, {
      cause: error,
    })
  }
  return {
    name: `Kafka at ${hosts}`,
    children: [child(KafkaPublisher, { name: KafkaPublisher, arg: { hosts: hosts.join() } })],
    triesAgain: false,
    isPartitioned: true,
    queue: (options) => queueAt(hosts, admin, options),
    close: () => admin.disconnect(),
  }
}

async function queueAt(
  hosts: readonly string[],
  admin: Admin,
  { name: topic, lostAfter }: ServerQueueOptions,
): Promise<ServerQueue> {
  const deadLetters = `${topic}_dead`
  const group = new GroupOf(topic, admin)
  let waiting: number
  try {
    await created(admin, topic)
    await created(admin, deadLetters)
    waiting = (await group.state()).ready
  } catch (error) {
    const text = `the topics ${topic} and ${deadLetters} cannot be used (${reasonOf(error)}); make them, or take others with --prefix`
    throw new InputError(text, { cause: error })
  }
  class Source extends KafkaSource {
    constructor() {
      super({
        hosts: hosts.join(),
        groupId: topic,
        topics: [topic],
        offsetResetPolicy: 'earliest',
        // A broker that has nothing waits for messages, and is asked again at once.
        receiveInterval: 0,
        fetchConfig: { maxWaitTime: 100 },
        redeliverLostAfter: lostAfter,
      })
    }
  }
  const publish = async (publications: readonly KafkaPublication[], signal?: AbortSignal) => {
    if (publications.length > 0)
      await name(KafkaPublisher).with({ signal, timeout: Infinity }).call.publishMany(publications)
  }
  return {
    waiting,
    module: Source,
    read: (message: Message<Buffer, string, KafkaMetadata>): Delivered => {
      const { topic: from, partition, key, headers, tombstone } = message.metadata
      const value = tombstone ? null : message.data
      const metadata: Original = { topic: from, partition, key, headers, value }
      return { message, content: String(message.data), ...group.delivered(message.metadata), metadata }
    },
    publish: (messages, signal) =>
      publish(
        messages.map(({ id, key, content }) => ({ topic, key, value: content, headers: { [ID]: id } })),
        signal,
      ),
    takeFailed: async (dead, again) => {
      const letters = dead.map((message) => copyFor(deadLetters, message, { [REASON]: failureOf(message) }))
      const repeated = again.map((message) => copyFor(topic, message))
      await publish([...letters, ...repeated])
    },
    state: async () => {
      try {
        return await group.state()
      } catch {
        // There is no connection.
        return undefined
      }
    },
    left: () => group.left(),
  }
}

/** How far a group has come in its topic, and what it was given by this program. */
class GroupOf {
  readonly #topic: string
  readonly #admin: Admin
  /** Of each partition, the offset behind the last message that came. */
  readonly #next = new Map<number, number>()
  /** Of each partition, the ids of messages that came and were not committed, by their offsets. */
  readonly #ids = new Map<number, Map<number, string>>()
  /** How far it had come at the beginning, in all partitions. */
  #began: number | undefined = undefined

  constructor(topic: string, admin: Admin) {
    this.#topic = topic
    this.#admin = admin
  }

  /** A message has come: its id, and whether it came before. Kafka itself does not count. */
  delivered({ partition, offset, headers }: KafkaMetadata): Pick<Delivered, 'id' | 'deliveries'> {
    const id = String(headers[ID] ?? this.#nameOf(partition, offset))
    const next = this.#next.get(partition) ?? 0
    this.#next.set(partition, Math.max(next, offset + 1))
    let ids = this.#ids.get(partition)
    if (ids === undefined) this.#ids.set(partition, (ids = new Map()))
    ids.set(offset, id)
    return { id, deliveries: offset < next ? 2 : 1 }
  }

  async state(): Promise<ServerQueueState> {
    let [ready, unanswered, done] = [0, 0, 0]
    for (const { partition, committed, end } of await this.#partitions()) {
      const next = Math.max(committed, this.#next.get(partition) ?? 0)
      unanswered += next - committed
      ready += Math.max(0, end - next)
      done += committed
    }
    this.#began ??= done
    // What is read again is answered for again.
    return { ready, unanswered, done: done - this.#began }
  }

  /** The ids of the messages that it gets next. Only those that have come can be told; to look at others would be to read them. */
  async left(): Promise<readonly string[]> {
    return (await this.#partitions()).flatMap(({ partition, committed, end }) =>
      Array.from({ length: Math.max(0, end - committed) }, (_, index) => {
        const offset = committed + index
        return this.#ids.get(partition)?.get(offset) ?? this.#nameOf(partition, offset)
      }),
    )
  }

  async #partitions() {
    const topic = this.#topic
    // In this order: what is published in between is not overlooked.
    const [group] = await this.#admin.fetchOffsets({ groupId: topic, topics: [topic] })
    const ends = await this.#admin.fetchTopicOffsets(topic)
    const offsets = new Map(group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
    return ends.map(({ partition, low, high }) => {
      const committed = Math.max(Number(low), offsets.get(partition) ?? -1)
      const ids = this.#ids.get(partition)
      for (const offset of ids?.keys() ?? []) if (offset < committed) ids?.delete(offset)
      return { partition, committed, end: Number(high) }
    })
  }

  #nameOf(partition: number, offset: number): string {
    return `message ${offset} of ${this.#topic}/${partition}`
  }
}

/** Sees to it that a topic is there. */
async function created(admin: Admin, topic: string): Promise<void> {
  // As many replicas as the cluster has by default.
  const topics = [{ topic, numPartitions: PARTITIONS, replicationFactor: -1 }]
  let refusal: unknown
  try {
    await admin.createTopics({ topics, timeout: TIMEOUT })
  } catch (error) {
    // Who may not make topics may find it there; and some clusters make what somebody asks for.
    refusal = error
  }
  await admin.fetchTopicMetadata({ topics: [topic] }).catch((error: unknown) => {
    throw refusal ?? error
  })
}

function copyFor(
  topic: string,
  { metadata }: Message,
  headers: Readonly<Record<string, string>> = {},
): KafkaPublication {
  const original = metadata as Original
  return { topic, key: original.key, value: original.value, headers: { ...original.headers, ...headers } }
}

function failureOf({ status }: Message): string {
  return status === 'ok' ? status : reasonOf(status.reason)
}

/** @throws `InputError` */
function hostsIn(url: string): readonly string[] {
  return url
    .replace(/^kafka:\/\//, '')
    .split(',')
    .map((each) => {
      const {
        host = '',
        port = '',
        username = '',
        pathname = '',
      } = URL.canParse(`kafka://${each}`) ? new URL(`kafka://${each}`) : {}
      if (host === '' || username !== '' || pathname.replace('/', '') !== '')
        throw new InputError('--broker: expected kafka://host:port,host:port, without users and passwords')
      return port === '' ? `${host}:9092` : host
    })
}

/** Looks at the topics of a cluster of Kafka, past Sluice. */

import { randomUUID } from 'node:crypto'
import { type Admin, Kafka, logLevel } from 'kafkajs'

export class KafkaTopics implements AsyncDisposable {
  readonly #kafka: Kafka
  readonly #admin: Admin

  private constructor(kafka: Kafka, admin: Admin) {
    this.#kafka = kafka
    this.#admin = admin
  }

  static async connect(hosts: string): Promise<KafkaTopics> {
    const kafka = new Kafka({ brokers: hosts.split(','), logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    return new KafkaTopics(kafka, admin)
  }

  /** Messages that were ever published to a topic. */
  async size(topic: string): Promise<number> {
    const partitions = await this.#admin.fetchTopicOffsets(topic)
    return partitions.reduce((sum, { high }) => sum + Number(high), 0)
  }

  /** Messages of a topic that a group has not committed. */
  async lag(topic: string, groupId: string): Promise<number> {
    const [group] = await this.#admin.fetchOffsets({ groupId, topics: [topic] })
    const committed = group?.partitions.reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0) ?? 0
    return (await this.size(topic)) - committed
  }

  async publish(topic: string, values: readonly string[]): Promise<void> {
    const producer = this.#kafka.producer()
    await producer.connect()
    await producer.send({ topic, messages: values.map((value) => ({ value })) })
    await producer.disconnect()
  }

  /** All that is in a topic. */
  async read(topic: string): Promise<readonly Read[]> {
    const size = await this.size(topic)
    const read: Read[] = []
    if (size === 0) return read
    const consumer = this.#kafka.consumer({ groupId: randomUUID() })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      const eachMessage = async ({ message: { value, headers } }: { message: Received }) => {
        const texts = Object.entries(headers ?? {}).map(([name, header]) => [name, String(header)])
        if (read.push({ value: String(value), headers: Object.fromEntries(texts) }) === size) resolve()
      }
      consumer.run({ eachMessage }).catch(reject)
    })
    await consumer.disconnect()
    return read
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin.disconnect()
  }
}

interface Read {
  readonly value: string
  readonly headers: Readonly<Record<string, string>>
}

interface Received {
  readonly value: Buffer | null
  readonly headers?: object | undefined
}

/**
 * What members of a group tell each other, in the bytes that all Kafka consumers use, so that members with other clients can be in the
 * same group: to which topics they subscribe, and which partitions they are assigned.
 *
 * Source: https://kafka.apache.org/protocol#protocol_messages, `ConsumerProtocolSubscription` and `ConsumerProtocolAssignment` version 0
 */

import type { TopicPartition } from '../client/port.ts'

const VERSION = 0

export function encodeSubscription(topics: readonly string[]): Buffer {
  return Buffer.concat([int16(VERSION), int32(topics.length), ...topics.map(text), int32(-1)])
}

export function decodeSubscription(bytes: Buffer): readonly string[] {
  const reader = new Reader(bytes)
  reader.int16()
  return reader.array(() => reader.text())
}

export function encodeAssignment(partitions: readonly TopicPartition[]): Buffer {
  const byTopic = new Map<string, number[]>()
  for (const { topic, partition } of partitions) {
    const numbers = byTopic.get(topic)
    if (numbers === undefined) byTopic.set(topic, [partition])
    else numbers.push(partition)
  }
  const topics = [...byTopic].map(([topic, numbers]) =>
    Buffer.concat([text(topic), int32(numbers.length), ...numbers.map(int32)]),
  )
  return Buffer.concat([int16(VERSION), int32(topics.length), ...topics, int32(-1)])
}

export function decodeAssignment(bytes: Buffer): readonly TopicPartition[] {
  // Nothing at all for a member that the leader did not know.
  if (bytes.length === 0) return []
  const reader = new Reader(bytes)
  reader.int16()
  const topics = reader.array(() => {
    const topic = reader.text()
    return reader.array(() => ({ topic, partition: reader.int32() }))
  })
  return topics.flat()
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeInt16BE(value)
  return bytes
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([int16(bytes.length), bytes])
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int16(): number {
    this.#at += 2
    return this.#bytes.readInt16BE(this.#at - 2)
  }

  int32(): number {
    this.#at += 4
    return this.#bytes.readInt32BE(this.#at - 4)
  }

  text(): string {
    const length = this.int16()
    this.#at += length
    return this.#bytes.toString('utf8', this.#at - length, this.#at)
  }

  array<T>(read: () => T): readonly T[] {
    const items: T[] = []
    for (let left = this.int32(); left > 0; left--) items.push(read())
    return items
  }
}

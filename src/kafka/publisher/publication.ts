/** What is published. */

import type { KafkaHeaders, ProducedRecord } from '../client/port.ts'
import { KafkaError } from '../errors.ts'

type Bytes = Buffer | Uint8Array | string

/** A message for Kafka. */
export interface KafkaPublication {
  /** Default: that of the publisher. */
  readonly topic?: string | undefined
  /** `null` for a tombstone, which deletes its key in a compacted topic. */
  readonly value: Bytes | null
  /** Messages with the same key go to the same partition. */
  readonly key?: Bytes | undefined
  readonly headers?: Readonly<Record<string, Bytes | readonly Bytes[]>> | undefined
  /** Default: by the key as the Java clients do, without a key all in turn. */
  readonly partition?: number | undefined
  /** Milliseconds since 1970. Default now. */
  readonly timestamp?: number | undefined
}

/** @throws `KafkaError` `bad_publication`. */
export function toRecord(publication: KafkaPublication, defaultTopic: string | undefined): ProducedRecord {
  const { topic = defaultTopic, value, key, partition, timestamp, headers = {} } = publication
  if (topic === undefined || topic === '') throw bad('a topic, of the message or of its publisher', 'none')
  if (partition !== undefined && !(Number.isInteger(partition) && partition >= 0)) {
    throw bad('partition to be a whole number >= 0', String(partition))
  }
  if (timestamp !== undefined && !(Number.isInteger(timestamp) && timestamp >= 0)) {
    throw bad('timestamp to be milliseconds since 1970', String(timestamp))
  }
  return {
    topic,
    partition,
    timestamp,
    key: key === undefined ? undefined : bytes('key', key),
    value: value === null ? undefined : bytes('value', value),
    headers: headersOf(headers),
  }
}

function headersOf(headers: NonNullable<KafkaPublication['headers']>): KafkaHeaders {
  const found: Record<string, Buffer | readonly Buffer[]> = {}
  for (const [name, each] of Object.entries(headers)) {
    found[name] = Array.isArray(each)
      ? each.map((one) => bytes(`header ${name}`, one))
      : bytes(`header ${name}`, each as Bytes)
  }
  return found
}

function bytes(what: string, given: Bytes): Buffer {
  if (typeof given === 'string') return Buffer.from(given)
  if (Buffer.isBuffer(given)) return given
  if (given instanceof Uint8Array) return Buffer.from(given.buffer, given.byteOffset, given.byteLength)
  throw bad(`${what} to be a Buffer, a Uint8Array or a string`, typeof given)
}

function bad(expected: string, got: string): KafkaError {
  return new KafkaError('bad_publication', `the message cannot be published: expected ${expected}, got ${got}`)
}

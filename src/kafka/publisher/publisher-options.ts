/** The options of a publisher, checked. */

import type { BackoffOptions } from '../../connector/backoff.ts'
import { RECONNECT_OPTIONS, type ReconnectOptions, readReconnect } from '../../connector/reconnect-options.ts'
import {
  type CheckedConnection,
  CONNECTION_OPTIONS,
  type ConnectionOptions,
  readConnection,
} from '../options/connection-options.ts'
import { kafkaOptions } from '../options/option-reader.ts'

export interface KafkaPublisherOptions extends ConnectionOptions, ReconnectOptions {
  /** Where messages go that name no topic. */
  readonly topic?: string | undefined
  /** Messages sent in one request at most, >= 1. Default 1000. */
  readonly maxBatch?: number | undefined
  /** Bytes of a request at most, >= 1. Default 900000: brokers refuse more than a million, with what is around the messages. */
  readonly maxBytes?: number | undefined
  /** Requests under way at the same time at most, >= 1. With 1 messages keep their order, also when requests are repeated. Default 1. */
  readonly maxRequests?: number | undefined
  /** Messages that may wait behind them, >= 0. Default 100000. */
  readonly maxWaiting?: number | undefined
}

export interface CheckedPublisherOptions {
  readonly connection: CheckedConnection
  readonly topic: string | undefined
  readonly maxBatch: number
  readonly maxBytes: number
  readonly maxRequests: number
  readonly maxWaiting: number
  readonly backoff: BackoffOptions
}

const OPTIONS = [
  ...CONNECTION_OPTIONS,
  'topic',
  'maxBatch',
  'maxBytes',
  'maxRequests',
  'maxWaiting',
  ...RECONNECT_OPTIONS,
]

/** @throws `KafkaError` `bad_options`. */
export function readPublisherOptions(owner: string, given: unknown): CheckedPublisherOptions {
  const options = kafkaOptions(owner, given, OPTIONS)
  return {
    connection: readConnection(options),
    topic: options.string('topic'),
    maxBatch: options.integer('maxBatch', 1) ?? 1000,
    maxBytes: options.integer('maxBytes', 1) ?? 900_000,
    maxRequests: options.integer('maxRequests', 1) ?? 1,
    maxWaiting: options.integer('maxWaiting', 0) ?? 100_000,
    backoff: readReconnect(options),
  }
}

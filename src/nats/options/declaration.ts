/**
 * Streams and consumers as they are declared: made when they are not there, and compared when they are. Times are in milliseconds
 * here, and in nanoseconds at the server.
 */

import { isDuration, isObject, type OptionReader } from '../../stage/option-reader.ts'
import { show } from '../../stage/show.ts'
import type { NatsConfig } from '../client/port.ts'

export interface StreamDeclaration {
  /** The subjects that it takes messages of, with `*` and `>`. Default: its name. */
  readonly subjects?: readonly string[] | undefined
  /** `workqueue`: a message is gone when it was acknowledged. `interest`: when all consumers have. Default `limits`. */
  readonly retention?: 'limits' | 'interest' | 'workqueue' | undefined
  /** Default `file`. */
  readonly storage?: 'file' | 'memory' | undefined
  readonly maxMessages?: number | undefined
  readonly maxMessagesPerSubject?: number | undefined
  readonly maxBytes?: number | undefined
  /** Milliseconds that a message is kept. */
  readonly maxAge?: number | undefined
  readonly maxMessageSize?: number | undefined
  /** What happens when it is full: the oldest go, or new ones are refused. Default `old`. */
  readonly discard?: 'old' | 'new' | undefined
  /** Milliseconds in which a message that is published twice is known. Default two minutes. */
  readonly duplicateWindow?: number | undefined
  readonly replicas?: number | undefined
}

export interface ConsumerDeclaration {
  /** Only messages of these subjects. Default all. */
  readonly filterSubject?: string | undefined
  /** Milliseconds after which a message that was not answered for is delivered again. Default 30000. */
  readonly ackWait?: number | undefined
  /** Messages that may be unanswered, of all sources together. Default 1000. */
  readonly maxAckPending?: number | undefined
  /** Deliveries after which the server delivers a message no more; the source then gives it up. Default: none. */
  readonly maxDeliver?: number | undefined
  /** Where a new consumer begins. Default `all`. */
  readonly deliverPolicy?:
    | 'all'
    | 'last'
    | 'new'
    | 'last_per_subject'
    | 'by_start_sequence'
    | 'by_start_time'
    | undefined
  readonly startSequence?: number | undefined
  /** As `2026-01-31T00:00:00Z`. */
  readonly startTime?: string | undefined
  readonly maxWaiting?: number | undefined
  /** Milliseconds without a source after which the server deletes it. Default: never. */
  readonly inactiveThreshold?: number | undefined
  readonly replicas?: number | undefined
}

export interface Declaration {
  /** Default: the stream has to be there. */
  readonly stream?: StreamDeclaration | undefined
  /** Default: with the defaults. */
  readonly consumer?: ConsumerDeclaration | undefined
}

/** Fields as the server calls them; only those that are given. */
export interface CheckedDeclaration {
  readonly stream: NatsConfig | undefined
  readonly consumer: NatsConfig
}

type Kind = 'text' | 'texts' | 'count' | 'time' | readonly string[]

const STREAM: Readonly<Record<keyof StreamDeclaration, readonly [field: string, kind: Kind]>> = {
  subjects: ['subjects', 'texts'],
  retention: ['retention', ['limits', 'interest', 'workqueue']],
  storage: ['storage', ['file', 'memory']],
  maxMessages: ['max_msgs', 'count'],
  maxMessagesPerSubject: ['max_msgs_per_subject', 'count'],
  maxBytes: ['max_bytes', 'count'],
  maxAge: ['max_age', 'time'],
  maxMessageSize: ['max_msg_size', 'count'],
  discard: ['discard', ['old', 'new']],
  duplicateWindow: ['duplicate_window', 'time'],
  replicas: ['num_replicas', 'count'],
}

const POLICIES = ['all', 'last', 'new', 'last_per_subject', 'by_start_sequence', 'by_start_time']
const CONSUMER: Readonly<Record<keyof ConsumerDeclaration, readonly [field: string, kind: Kind]>> = {
  filterSubject: ['filter_subject', 'text'],
  ackWait: ['ack_wait', 'time'],
  maxAckPending: ['max_ack_pending', 'count'],
  maxDeliver: ['max_deliver', 'count'],
  deliverPolicy: ['deliver_policy', POLICIES],
  startSequence: ['opt_start_seq', 'count'],
  startTime: ['opt_start_time', 'text'],
  maxWaiting: ['max_waiting', 'count'],
  inactiveThreshold: ['inactive_threshold', 'time'],
  replicas: ['num_replicas', 'count'],
}

const NANOS = 1_000_000

/** @throws `NatsError` `bad_options`. */
export function readDeclaration(options: OptionReader): CheckedDeclaration | undefined {
  if (!options.has('declare')) return undefined
  const declare = options.at('declare', ['stream', 'consumer'])
  return {
    stream: declare.has('stream') ? read(declare.at('stream', Object.keys(STREAM)), STREAM) : undefined,
    consumer: read(declare.at('consumer', Object.keys(CONSUMER), declare.get('consumer') ?? {}), CONSUMER),
  }
}

function read(options: OptionReader, fields: Readonly<Record<string, readonly [string, Kind]>>): NatsConfig {
  const config: Record<string, unknown> = {}
  for (const [key, [field, kind]] of Object.entries(fields)) {
    const value = optionOf(options, key, kind)
    if (value !== undefined) config[field] = value
  }
  return config
}

function optionOf(options: OptionReader, key: string, kind: Kind): unknown {
  if (kind === 'text') return options.string(key)
  if (kind === 'count') return options.integer(key, 1)
  if (kind === 'time') {
    const ms = options.duration(key)
    return ms === undefined ? undefined : Math.round(ms * NANOS)
  }
  if (kind !== 'texts') return options.oneOf(key, kind)
  const value = options.get(key)
  const good = value === undefined || (Array.isArray(value) && value.every((each) => typeof each === 'string'))
  if (!good || (Array.isArray(value) && value.length === 0)) throw options.bad(key, 'an array of subjects')
  return value
}

/** What differs from what is declared, in the words of the options; empty when nothing does. */
export function differences(kind: 'stream' | 'consumer', declared: NatsConfig, found: NatsConfig): readonly string[] {
  const told: string[] = []
  for (const [key, [field, type]] of Object.entries(kind === 'stream' ? STREAM : CONSUMER)) {
    const [wanted, is] = [declared[field], found[field]]
    if (wanted === undefined || isSame(wanted, is)) continue
    const shown = (value: unknown): string =>
      type === 'time' && isDuration(value) ? `${value / NANOS} ms` : value === undefined ? 'not set' : show(value)
    told.push(`${key} is ${shown(is)} and not ${shown(wanted)}`)
  }
  return told
}

function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((each) => b.includes(each))
  return a === b || (isObject(a) && isObject(b) && JSON.stringify(a) === JSON.stringify(b))
}

/** Milliseconds that a consumer waits for an answer. */
export function ackWaitOf(config: NatsConfig): number {
  const { ack_wait: wait, backoff } = config
  const waits = [wait, ...(Array.isArray(backoff) ? backoff : [])].filter(isDuration)
  return waits.length === 0 ? 30_000 : Math.min(...waits) / NANOS
}

/** Deliveries of a message that a consumer makes at most. */
export function maxDeliverOf(config: NatsConfig): number {
  const { max_deliver: max } = config
  return typeof max === 'number' && max > 0 ? max : Infinity
}

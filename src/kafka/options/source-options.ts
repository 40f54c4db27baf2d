/** The options of a source, checked. */

import type { BackoffOptions } from '../../connector/backoff.ts'
import { RECONNECT_OPTIONS, type ReconnectOptions, readReconnect } from '../../connector/reconnect-options.ts'
import { isObject, type OptionReader } from '../../stage/option-reader.ts'
import type { FetchLimits, KafkaHeaders, OffsetPosition } from '../client/port.ts'
import { ASSIGNOR_NAMES, type AssignorName } from '../group/assignors.ts'
import {
  type CheckedConnection,
  CONNECTION_OPTIONS,
  type ConnectionOptions,
  readConnection,
} from './connection-options.ts'
import { kafkaOptions } from './option-reader.ts'

/** What a message says about itself. */
export interface KafkaMetadata {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: Buffer | undefined
  /** Milliseconds since 1970. */
  readonly timestamp: number
  readonly headers: KafkaHeaders
  /** It has no value: its key is deleted. Its data is an empty buffer. */
  readonly tombstone: boolean
}

export interface KafkaGroupConfig {
  /** Milliseconds between commits, >= 1, when `offsetCommitOnAck` is false. Default 5000. */
  readonly offsetCommitInterval?: number | undefined
  /** Milliseconds until a source that could not join its group tries again at least, >= 0. Default 1000. */
  readonly rejoinDelay?: number | undefined
  /** Milliseconds without a sign of life after which others get the partitions of a source, >= 1. Default 30000. */
  readonly sessionTimeout?: number | undefined
  /** Milliseconds between signs of life, >= 1. Default 5000. */
  readonly heartbeatInterval?: number | undefined
  /** Milliseconds that a source has to finish what is under way when partitions are distributed anew, >= 1. Default 30000. */
  readonly rebalanceTimeout?: number | undefined
  /** How partitions are distributed, the best first; the members of a group need one in common. Default `['roundrobin', 'range']`. */
  readonly assignors?: readonly AssignorName[] | undefined
}

export interface KafkaFetchConfig {
  /** Bytes that have to be there before a broker answers, >= 1. Default 1. */
  readonly minBytes?: number | undefined
  /** Bytes of each partition in one answer at most, >= 1. Default 1048576. */
  readonly maxBytes?: number | undefined
  /** Milliseconds that a broker waits for messages, >= 1. Default 1000. */
  readonly maxWaitTime?: number | undefined
}

export interface KafkaSourceOptions extends ConnectionOptions, ReconnectOptions {
  /** The sources of a group share the partitions of their topics, in this program and in others. */
  readonly groupId: string
  readonly topics: readonly string[]
  /** Milliseconds until a broker that had nothing is asked again, >= 0. Default 2000. */
  readonly receiveInterval?: number | undefined
  /** Commits as messages are acknowledged; false: each `groupConfig.offsetCommitInterval`. Default true. */
  readonly offsetCommitOnAck?: boolean | undefined
  /**
   * Where to begin in a partition of which nothing was committed, or of which the committed place is gone: at its oldest message, at its
   * end, or at the first message that is as late as a time in milliseconds since 1970. Default `latest`.
   */
  readonly offsetResetPolicy?: OffsetPosition | undefined
  /** `assigned`: where the group was. `reset`: as `offsetResetPolicy` says, each time. Default `assigned`. */
  readonly beginOffset?: 'assigned' | 'reset' | undefined
  readonly groupConfig?: KafkaGroupConfig | undefined
  readonly fetchConfig?: KafkaFetchConfig | undefined
  /** The sources of a pipeline have one connection together. Default false. */
  readonly sharedClient?: boolean | undefined
  /** Milliseconds after which a partition is read again from where it stands, when a stage died and messages are missing, > 0. Default 30000. */
  readonly redeliverLostAfter?: number | undefined
}

export interface CheckedGroup {
  readonly groupId: string
  readonly offsetCommitInterval: number
  readonly rejoinDelay: number
  readonly sessionTimeout: number
  readonly heartbeatInterval: number
  readonly rebalanceTimeout: number
  readonly assignors: readonly AssignorName[]
}

export interface CheckedSourceOptions {
  readonly connection: CheckedConnection
  readonly topics: readonly string[]
  readonly receiveInterval: number
  readonly offsetCommitOnAck: boolean
  readonly offsetResetPolicy: OffsetPosition
  readonly beginOffset: 'assigned' | 'reset'
  readonly group: CheckedGroup
  readonly fetch: FetchLimits
  readonly sharedClient: boolean
  readonly redeliverLostAfter: number
  readonly backoff: BackoffOptions
}

const OPTIONS = [
  'groupId',
  'topics',
  'receiveInterval',
  'offsetCommitOnAck',
  'offsetResetPolicy',
  'beginOffset',
  'groupConfig',
  'fetchConfig',
  'sharedClient',
  'redeliverLostAfter',
  ...CONNECTION_OPTIONS,
  ...RECONNECT_OPTIONS,
]
const GROUP_CONFIG = [
  'offsetCommitInterval',
  'rejoinDelay',
  'sessionTimeout',
  'heartbeatInterval',
  'rebalanceTimeout',
  'assignors',
]

/** @throws `KafkaError` `bad_options`, which names the option, the value and what is allowed. */
export function readSourceOptions(owner: string, given: unknown): CheckedSourceOptions {
  const options = kafkaOptions(owner, given, OPTIONS)
  return {
    connection: readConnection(options),
    group: readGroup(options),
    topics: readTopics(owner, options.get('topics')),
    receiveInterval: options.integer('receiveInterval', 0) ?? 2000,
    offsetCommitOnAck: options.boolean('offsetCommitOnAck') ?? true,
    offsetResetPolicy: readPolicy(options),
    beginOffset: options.oneOf('beginOffset', ['assigned', 'reset']) ?? 'assigned',
    fetch: readFetch(options),
    sharedClient: options.boolean('sharedClient') ?? false,
    redeliverLostAfter: options.integer('redeliverLostAfter', 1) ?? 30_000,
    backoff: readReconnect(options),
  }
}

/** @throws `KafkaError` `bad_options`. */
export function readTopics(owner: string, topics: unknown): readonly string[] {
  const options = kafkaOptions(owner, { topics }, ['topics'])
  if (
    !Array.isArray(topics) ||
    topics.length === 0 ||
    !topics.every((each) => typeof each === 'string' && each !== '')
  ) {
    throw options.bad('topics', 'an array of names of topics, at least one')
  }
  return [...new Set<string>(topics)]
}

function readGroup(options: OptionReader): CheckedGroup {
  const groupId = options.string('groupId')
  if (groupId === undefined || groupId === '') throw options.bad('groupId', 'the name of a group')
  const group = options.at('groupConfig', GROUP_CONFIG, options.get('groupConfig') ?? {})
  const sessionTimeout = group.integer('sessionTimeout', 1) ?? 30_000
  const heartbeatInterval = group.integer('heartbeatInterval', 1) ?? Math.min(5000, Math.ceil(sessionTimeout / 3))
  if (heartbeatInterval >= sessionTimeout) {
    throw group.bad('heartbeatInterval', `a whole number < sessionTimeout, which is ${sessionTimeout}`)
  }
  return {
    groupId,
    offsetCommitInterval: group.integer('offsetCommitInterval', 1) ?? 5000,
    rejoinDelay: group.integer('rejoinDelay', 0) ?? 1000,
    sessionTimeout,
    heartbeatInterval,
    rebalanceTimeout: group.integer('rebalanceTimeout', 1) ?? 30_000,
    assignors: readAssignors(group),
  }
}

function readAssignors(group: OptionReader): readonly AssignorName[] {
  const given = group.get('assignors')
  if (given === undefined) return ASSIGNOR_NAMES
  if (!Array.isArray(given) || given.length === 0 || !given.every((each) => ASSIGNOR_NAMES.includes(each))) {
    throw group.bad('assignors', `an array of ${ASSIGNOR_NAMES.join(', ')}, at least one`)
  }
  return given
}

function readPolicy(options: OptionReader): OffsetPosition {
  const given = options.get('offsetResetPolicy') ?? 'latest'
  if (given === 'earliest' || given === 'latest') return given
  if (isObject(given) && Object.keys(given).length === 1 && 'timestamp' in given) {
    const { timestamp } = given
    if (typeof timestamp === 'number' && Number.isInteger(timestamp) && timestamp > 0) return { timestamp }
  }
  throw options.bad('offsetResetPolicy', "'earliest', 'latest' or { timestamp: milliseconds since 1970 }")
}

function readFetch(options: OptionReader): FetchLimits {
  const fetch = options.at('fetchConfig', ['minBytes', 'maxBytes', 'maxWaitTime'], options.get('fetchConfig') ?? {})
  return {
    minBytes: fetch.integer('minBytes', 1) ?? 1,
    maxBytes: fetch.integer('maxBytes', 1) ?? 1_048_576,
    maxWaitTime: fetch.integer('maxWaitTime', 1) ?? 1000,
  }
}

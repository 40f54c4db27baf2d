/** The options of a source, checked; and what may become of a message. */

import type { SQSClientConfig } from '@aws-sdk/client-sqs'
import {
  ANSWER_OPTIONS,
  type AnswerKind,
  type Answers,
  type AnswerOption as ConnectorAnswerOption,
  readAnswer,
} from '../../broadway/answers.ts'
import type { BackoffOptions } from '../../connector/backoff.ts'
import { RECONNECT_OPTIONS, type ReconnectOptions, readReconnect } from '../../connector/reconnect-options.ts'
import type { OptionReader } from '../../stage/option-reader.ts'
import type { SqsClient } from '../client/port.ts'
import { type AttributeName, isAttributeName, type SqsMetadata } from '../source/metadata.ts'
import { badOption, isSeconds, readConfig, readQueueUrl, readSeconds, refusal, sqsOptions } from './option-reader.ts'

/**
 * What becomes of a message at SQS: it is done with; nothing, so that it is delivered again when its visibility timeout is over; it
 * is delivered again at once; after a delay in milliseconds. How often that may be, the redrive policy of the queue says: then the
 * message is in its dead-letter queue.
 */
export type Answer = 'ack' | 'noop' | 'retry' | { readonly retryAfter: number }

/** An answer, or a function that chooses it: by the failure in `message.status`, by `receiveCount` in `message.metadata`. */
export type AnswerOption = ConnectorAnswerOption<Answer, SqsMetadata>

/** How messages are answered for; of a source, or by `message.configureAck` of one message. */
export interface AnswerOptions {
  /** What becomes of a message that was handled. Default `ack`. */
  readonly onSuccess?: AnswerOption | undefined
  /** What becomes of a message that failed. Default `noop`: it comes again when its visibility timeout is over. */
  readonly onFailure?: AnswerOption | undefined
}

export interface SqsSourceOptions extends AnswerOptions, ReconnectOptions {
  readonly queueUrl: string
  /** Settings of the client: `region`, `endpoint`, `credentials` ... Default: what the environment says. */
  readonly config?: SQSClientConfig | undefined
  /** Messages received at once at most, 1 to 10. Default 10. */
  readonly maxNumberOfMessages?: number | undefined
  /** Seconds for which a request waits at SQS until a message comes, 0 to 20. Default 20. */
  readonly waitTimeSeconds?: number | undefined
  /** Milliseconds until an empty queue is asked again, >= 0. Default 0 when requests wait for messages, or else 5000. */
  readonly receiveInterval?: number | undefined
  /**
   * Milliseconds after which others receive what this program does not answer for, whole seconds up to 12 hours. Default 30000, or that of
   * the queue without `heartbeat`.
   */
  readonly visibilityTimeout?: number | undefined
  /** Keeps messages from being received by others while the pipeline has them. Default true. */
  readonly heartbeat?: boolean | undefined
  /** Milliseconds after which a message is kept no longer, and taken for lost in the pipeline, > 0. Default 600000. */
  readonly maxExtension?: number | undefined
  /** What SQS knows of messages, for `message.metadata.attributes`. Default none. */
  readonly attributeNames?: readonly AttributeName[] | 'all' | undefined
  /** What senders gave to messages, for `message.metadata.messageAttributes`; `prefix.*` is all of that prefix. Default none. */
  readonly messageAttributeNames?: readonly string[] | 'all' | undefined
  /** The client to use, closed by whoever gives it. Default that of @aws-sdk/client-sqs. */
  readonly client?: (() => SqsClient | Promise<SqsClient>) | undefined
}

export interface CheckedSourceOptions extends Answers<Answer> {
  readonly queueUrl: string
  readonly config: object
  readonly maxNumberOfMessages: number
  readonly waitTimeSeconds: number
  readonly receiveInterval: number
  /** `undefined` for that of the queue. */
  readonly visibilityTimeout: number | undefined
  readonly heartbeat: boolean
  readonly maxExtension: number
  readonly attributeNames: readonly AttributeName[] | 'all'
  readonly messageAttributeNames: readonly string[]
  readonly backoff: BackoffOptions
  readonly client: (() => SqsClient | Promise<SqsClient>) | undefined
}

/** Seconds, of SQS. */
const LONGEST_VISIBILITY = 43_200
const LONGEST_WAIT = 20
const DEFAULT_VISIBILITY = 30_000

export const ANSWERS: AnswerKind<Answer> = {
  isAnswer,
  expected: `'ack', 'noop', 'retry' or { retryAfter: milliseconds from 0 to ${LONGEST_VISIBILITY * 1000} }`,
  unknown: 'noop',
  refusal,
}
const OPTIONS = [
  'queueUrl',
  'config',
  'maxNumberOfMessages',
  'waitTimeSeconds',
  'receiveInterval',
  'visibilityTimeout',
  'heartbeat',
  'maxExtension',
  'attributeNames',
  'messageAttributeNames',
  ...ANSWER_OPTIONS,
  ...RECONNECT_OPTIONS,
  'client',
]

/** @throws `SqsError` `bad_options`, which names the option, the value and what is allowed. */
export function readSourceOptions(source: string, given: unknown): CheckedSourceOptions {
  if (Reflect.get(Object(given), 'queueName') !== undefined) {
    throw refusal(`${source} has no option queueName: give the whole URL of the queue as queueUrl`)
  }
  const options = sqsOptions(source, given, OPTIONS)
  const queueUrl = readQueueUrl(options)
  const waitTimeSeconds = readWhole(options, 'waitTimeSeconds', 0, LONGEST_WAIT) ?? LONGEST_WAIT
  const visibilityTimeout = readSeconds(options, 'visibilityTimeout', LONGEST_VISIBILITY)
  const heartbeat = (options.boolean('heartbeat') ?? true) && visibilityTimeout !== 0
  return {
    queueUrl,
    config: readConfig(options),
    maxNumberOfMessages: readWhole(options, 'maxNumberOfMessages', 1, 10) ?? 10,
    waitTimeSeconds,
    receiveInterval: options.delay('receiveInterval') ?? (waitTimeSeconds > 0 ? 0 : 5000),
    visibilityTimeout: visibilityTimeout ?? (heartbeat ? DEFAULT_VISIBILITY : undefined),
    heartbeat,
    maxExtension: options.duration('maxExtension') ?? 600_000,
    attributeNames: readAttributeNames(source, options),
    messageAttributeNames: readMessageAttributeNames(source, options),
    onSuccess: readAnswer(ANSWERS, options, 'onSuccess') ?? 'ack',
    onFailure: readAnswer(ANSWERS, options, 'onFailure') ?? 'noop',
    backoff: readReconnect(options),
    client: options.method('client', 'a function that gives a client'),
  }
}

function readWhole(options: OptionReader, key: string, least: number, most: number): number | undefined {
  const value = options.get(key)
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw options.bad(key, `a whole number from ${least} to ${most}`)
}

function readAttributeNames(source: string, options: OptionReader): readonly AttributeName[] | 'all' {
  const names = options.get('attributeNames') ?? []
  if (names === 'all') return names
  if (!Array.isArray(names)) throw options.bad('attributeNames', "an array of names of attributes, or 'all'")
  return names.map((name: unknown) => {
    if (isAttributeName(name)) return name
    throw badOption(`attributeNames of ${source}`, "names such as 'senderId', 'sentTimestamp', 'sequenceNumber'", name)
  })
}

function readMessageAttributeNames(source: string, options: OptionReader): readonly string[] {
  const names = options.get('messageAttributeNames') ?? []
  if (names === 'all') return ['All']
  if (!Array.isArray(names)) throw options.bad('messageAttributeNames', "an array of names of attributes, or 'all'")
  return names.map((name: unknown) => {
    if (typeof name === 'string' && name !== '') return name
    throw badOption(`messageAttributeNames of ${source}`, 'strings that are not empty', name)
  })
}

function isAnswer(answer: unknown): answer is Answer {
  if (answer === 'ack' || answer === 'noop' || answer === 'retry') return true
  if (typeof answer !== 'object' || answer === null || !('retryAfter' in answer)) return false
  const { retryAfter } = answer
  return (
    typeof retryAfter === 'number' &&
    retryAfter >= 0 &&
    isSeconds(Math.ceil(retryAfter / 1000) * 1000, LONGEST_VISIBILITY)
  )
}

/** The options of a source, checked; and what may become of a message. */

import type { ClientConfig } from '@google-cloud/pubsub'
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
import type { PubSubClient } from '../client/port.ts'
import type { RetryPlan } from '../client/retrying-client.ts'
import type { PubSubMetadata } from '../source/metadata.ts'
import { pubSubOptions, readConfig, readResource, refusal } from './option-reader.ts'

/**
 * What becomes of a message at the service: it is done with; nothing, so that it is delivered again when its deadline is over; it is
 * delivered again at once, or as the retry policy of the subscription says; after a delay in milliseconds.
 */
export type Answer = 'ack' | 'noop' | 'nack' | { readonly retryAfter: number }

/** An answer, or a function that chooses it: by the failure in `message.status`, by the metadata. */
export type AnswerOption = ConnectorAnswerOption<Answer, PubSubMetadata>

/** How messages are answered for; of a source, or by `message.configureAck` of one message. */
export interface AnswerOptions {
  /** What becomes of a message that was handled. Default `ack`. */
  readonly onSuccess?: AnswerOption | undefined
  /** What becomes of a message that failed. Default `noop`: it comes again when its deadline is over. */
  readonly onFailure?: AnswerOption | undefined
}

/** A function that gives a client. */
export type MakeClient = () => PubSubClient | Promise<PubSubClient>

export interface PubSubSourceOptions extends AnswerOptions, ReconnectOptions {
  /** `projects/<project>/subscriptions/<subscription>`. */
  readonly subscription: string
  /** Settings of the client: `projectId`, `keyFilename`, `apiEndpoint` ... Default: what the environment says. */
  readonly config?: ClientConfig | undefined
  /** Asks for messages, or has the service send them as they come. Default `pull`. */
  readonly mode?: 'pull' | 'streaming' | undefined
  /** Messages pulled at once at most, 1 to 1000. Default 10. */
  readonly maxNumberOfMessages?: number | undefined
  /** With `streaming`: messages that the service sends ahead of their answers at most, >= 1. Default 100. */
  readonly maxOutstandingMessages?: number | undefined
  /** Milliseconds until a subscription that had nothing is asked again, >= 0. Default 1000. */
  readonly receiveInterval?: number | undefined
  /** Milliseconds after which a pull that has had no answer is made anew, > 0 or `Infinity`. Default 120000. */
  readonly receiveTimeout?: number | undefined
  /** Milliseconds after which others get what this program does not answer for, whole seconds from 10 s to 600 s. Default 30000. */
  readonly ackDeadline?: number | undefined
  /** Keeps messages from being delivered to others while the pipeline has them. Default true. */
  readonly heartbeat?: boolean | undefined
  /** Milliseconds after which a message is kept no longer, and taken for lost in the pipeline, > 0. Default 3600000. */
  readonly maxExtension?: number | undefined
  /** Statuses of HTTP after which a request is made again. Default 408, 429, 500, 502, 503, 504, 522, 524. */
  readonly retryCodes?: readonly number[] | undefined
  /** Milliseconds until then, >= 0. Default 500. */
  readonly retryDelay?: number | undefined
  /** How often, >= 0. Default 10. */
  readonly maxRetries?: number | undefined
  /** The client to use, closed by whoever gives it; `restClient` makes one that needs no package. Default that of Google. */
  readonly client?: MakeClient | undefined
}

export interface CheckedSourceOptions extends Answers<Answer> {
  readonly subscription: string
  readonly config: object
  readonly mode: 'pull' | 'streaming'
  readonly maxNumberOfMessages: number
  readonly maxOutstandingMessages: number
  readonly receiveInterval: number
  readonly receiveTimeout: number
  readonly ackDeadline: number
  readonly heartbeat: boolean
  readonly maxExtension: number
  readonly retry: RetryPlan
  readonly backoff: BackoffOptions
  readonly client: MakeClient | undefined
}

/** Milliseconds. */
const LONGEST_DEADLINE = 600_000
const SHORTEST_DEADLINE = 10_000

export const ANSWERS: AnswerKind<Answer> = {
  isAnswer,
  expected: `'ack', 'noop', 'nack' or { retryAfter: milliseconds from 0 to ${LONGEST_DEADLINE} }`,
  unknown: 'noop',
  refusal,
}
const OPTIONS = [
  'subscription',
  'config',
  'mode',
  'maxNumberOfMessages',
  'maxOutstandingMessages',
  'receiveInterval',
  'receiveTimeout',
  'ackDeadline',
  'heartbeat',
  'maxExtension',
  'retryCodes',
  'retryDelay',
  'maxRetries',
  ...ANSWER_OPTIONS,
  ...RECONNECT_OPTIONS,
  'client',
]
const RETRY_CODES = [408, 429, 500, 502, 503, 504, 522, 524]

/** @throws `PubSubError` `bad_options`, which names the option, the value and what is allowed. */
export function readSourceOptions(source: string, given: unknown): CheckedSourceOptions {
  const options = pubSubOptions(source, given, OPTIONS)
  return {
    subscription: readResource(options, 'subscription'),
    config: readConfig(options),
    mode: options.oneOf('mode', ['pull', 'streaming']) ?? 'pull',
    maxNumberOfMessages: readMaxNumber(options),
    maxOutstandingMessages: options.integer('maxOutstandingMessages', 1) ?? 100,
    receiveInterval: options.delay('receiveInterval') ?? 1000,
    receiveTimeout: readTimeout(options),
    ackDeadline: readDeadline(options),
    heartbeat: options.boolean('heartbeat') ?? true,
    maxExtension: options.duration('maxExtension') ?? 3_600_000,
    onSuccess: readAnswer(ANSWERS, options, 'onSuccess') ?? 'ack',
    onFailure: readAnswer(ANSWERS, options, 'onFailure') ?? 'noop',
    retry: {
      codes: readRetryCodes(options),
      delay: options.delay('retryDelay') ?? 500,
      max: options.integer('maxRetries', 0) ?? 10,
    },
    backoff: readReconnect(options),
    client: options.method('client', 'a function that gives a client'),
  }
}

function readMaxNumber(options: OptionReader): number {
  const max = options.integer('maxNumberOfMessages', 1) ?? 10
  if (max > 1000) throw options.bad('maxNumberOfMessages', 'a whole number from 1 to 1000')
  return max
}

function readTimeout(options: OptionReader): number {
  if (options.get('receiveTimeout') === Infinity) return Infinity
  return options.duration('receiveTimeout') ?? 120_000
}

function readDeadline(options: OptionReader): number {
  const deadline = options.get('ackDeadline') ?? 30_000
  const isWhole = typeof deadline === 'number' && deadline % 1000 === 0
  if (isWhole && deadline >= SHORTEST_DEADLINE && deadline <= LONGEST_DEADLINE) return deadline
  throw options.bad(
    'ackDeadline',
    `milliseconds that are whole seconds, from ${SHORTEST_DEADLINE} to ${LONGEST_DEADLINE}`,
  )
}

function readRetryCodes(options: OptionReader): readonly number[] {
  const codes = options.get('retryCodes') ?? RETRY_CODES
  if (Array.isArray(codes) && codes.every((code: unknown) => Number.isInteger(code))) return codes
  throw options.bad('retryCodes', 'an array of statuses of HTTP')
}

function isAnswer(answer: unknown): answer is Answer {
  if (answer === 'ack' || answer === 'noop' || answer === 'nack') return true
  if (typeof answer !== 'object' || answer === null || !('retryAfter' in answer)) return false
  const { retryAfter } = answer
  return typeof retryAfter === 'number' && retryAfter >= 0 && retryAfter <= LONGEST_DEADLINE
}

/** The options of a source, checked; and what may become of a message. */

import {
  ANSWER_OPTIONS,
  type AnswerKind,
  type Answers,
  type AnswerOption as ConnectorAnswerOption,
  readAnswer,
} from '../../broadway/answers.ts'
import { RECONNECT_OPTIONS, type ReconnectOptions, readReconnect } from '../../connector/reconnect-options.ts'
import { isDelay } from '../../stage/option-reader.ts'
import { natsIoClient } from '../client/nats-io-client.ts'
import type { NatsClient, NatsHeaders } from '../client/port.ts'
import type { LinkOptions } from '../connection/link.ts'
import { type ConnectionOption, readConnection } from './connection-options.ts'
import { type CheckedDeclaration, type Declaration, readDeclaration } from './declaration.ts'
import { natsOptions, refusal } from './option-reader.ts'

/**
 * What becomes of a message: it is done with; it is delivered again, after a delay that doubles with each delivery; after a delay in
 * milliseconds; it is given up, and published to `deadLetters`; it is given up, and nobody hears of it but the server.
 */
export type Answer = 'ack' | 'retry' | { readonly retryAfter: number } | 'dead_letter' | 'term'

/** An answer, or a function that chooses it: by the failure in `message.status`, by the metadata. */
export type AnswerOption = ConnectorAnswerOption<Answer, NatsMetadata>

/** How messages are answered for; of a source, or by `message.configureAck` of one message. */
export interface AnswerOptions {
  /** What becomes of a message that was handled. Default `ack`. */
  readonly onSuccess?: AnswerOption | undefined
  /** What becomes of a message that failed. Default `retry`. */
  readonly onFailure?: AnswerOption | undefined
}

/** What a message says about itself. */
export interface NatsMetadata {
  readonly subject: string
  readonly headers: NatsHeaders
  readonly stream: string
  readonly consumer: string
  /** Its number in the stream. */
  readonly sequence: number
  /** Deliveries so far, with this one. */
  readonly deliveries: number
  /** Milliseconds since 1970 when it was stored. */
  readonly timestamp: number
}

export interface NatsSourceOptions extends AnswerOptions, ReconnectOptions {
  readonly stream: string
  /** The durable name of the consumer; all sources that name it share its messages. */
  readonly consumer: string
  /** Default `nats://localhost:4222`. */
  readonly connection?: ConnectionOption | undefined
  /** What the server shows as the connection. */
  readonly name?: string | undefined
  /** Makes the consumer, and the stream, when they are not there; `{}` the consumer with its defaults. Default: they have to be there. */
  readonly declare?: Declaration | undefined
  /** Milliseconds of `retry` after the first delivery; they double with each, up to a minute. >= 0. Default 1000. */
  readonly retryDelay?: number | undefined
  /** Deliveries after which a message that failed is given up, >= 1 or `Infinity`. Default: those of the consumer. */
  readonly maxDeliver?: number | undefined
  /** The subject that messages are published to which are given up; a stream has to take them. */
  readonly deadLetters?: string | undefined
  /** The server confirms each acknowledgement. Default false: they are sent, and one that is lost lets a message come again. */
  readonly confirmAcks?: boolean | undefined
  /** Keeps messages from being delivered again while the pipeline has them. Default true. */
  readonly heartbeat?: boolean | undefined
  /** Milliseconds after which a message is kept no longer, and taken for lost in the pipeline, > 0. Default 600000. */
  readonly maxExtension?: number | undefined
  /** Messages pulled at once at most, >= 1 or `Infinity`. Default `Infinity`: as many as are asked for. */
  readonly maxMessages?: number | undefined
  /** Milliseconds that a request for messages waits at the server, > 0. Default 30000. */
  readonly expires?: number | undefined
  /** The client to use. Default that of NATS. */
  readonly client?: (() => NatsClient) | undefined
}

export interface CheckedSourceOptions extends Answers<Answer>, LinkOptions {
  readonly stream: string
  readonly consumer: string
  readonly declare: CheckedDeclaration | undefined
  readonly retryDelay: number
  readonly maxDeliver: number
  readonly deadLetters: string | undefined
  readonly confirmAcks: boolean
  readonly heartbeat: boolean
  readonly maxExtension: number
  readonly maxMessages: number
  readonly expires: number
}

const WORDS = ['ack', 'retry', 'dead_letter', 'term']
export const ANSWERS: AnswerKind<Answer> = {
  isAnswer,
  expected: "'ack', 'retry', { retryAfter: milliseconds }, 'dead_letter' or 'term'",
  unknown: 'retry',
  refusal,
}
const OPTIONS = [
  'stream',
  'consumer',
  'connection',
  'name',
  'declare',
  ...ANSWER_OPTIONS,
  'retryDelay',
  'maxDeliver',
  'deadLetters',
  'confirmAcks',
  'heartbeat',
  'maxExtension',
  'maxMessages',
  'expires',
  ...RECONNECT_OPTIONS,
  'client',
]

/** @throws `NatsError` `bad_options`, which names the option, the value and what is allowed. */
export function readSourceOptions(owner: string, given: unknown): CheckedSourceOptions {
  const options = natsOptions(owner, given, OPTIONS)
  const name = (key: string): string => {
    const value = options.string(key)
    if (value === undefined || !/^[^\s.*>/\\]+$/.test(value))
      throw options.bad(key, `the name of a ${key}, without spaces and any of . * > / \\`)
    return value
  }
  const deadLetters = options.string('deadLetters')
  const onFailure = readAnswer(ANSWERS, options, 'onFailure') ?? 'retry'
  if (onFailure === 'dead_letter' && deadLetters === undefined)
    throw options.bad('deadLetters', "the subject of dead letters, since onFailure is 'dead_letter'")
  return {
    stream: name('stream'),
    consumer: name('consumer'),
    connection: readConnection(owner, options.get('connection'), options.string('name')),
    declare: readDeclaration(options),
    onSuccess: readAnswer(ANSWERS, options, 'onSuccess') ?? 'ack',
    onFailure,
    retryDelay: options.delay('retryDelay') ?? 1000,
    maxDeliver: options.count('maxDeliver') ?? Infinity,
    deadLetters,
    confirmAcks: options.boolean('confirmAcks') ?? false,
    heartbeat: options.boolean('heartbeat') ?? true,
    maxExtension: options.duration('maxExtension') ?? 600_000,
    maxMessages: options.count('maxMessages') ?? Infinity,
    expires: options.duration('expires') ?? 30_000,
    backoff: readReconnect(options),
    client: options.method('client', 'a function that gives a client') ?? (() => natsIoClient),
  }
}

function isAnswer(answer: unknown): answer is Answer {
  if (WORDS.some((word) => word === answer)) return true
  return typeof answer === 'object' && answer !== null && 'retryAfter' in answer && isDelay(answer.retryAfter)
}

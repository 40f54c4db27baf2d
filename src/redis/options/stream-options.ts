/** The options of a source over a stream, checked. */

import { randomUUID } from 'node:crypto'
import { ANSWER_OPTIONS, type Answers } from '../../broadway/answers.ts'
import { type AnswerOptions, readAnswers, readKey, STREAM_ANSWERS, type StreamAnswer } from './answer-options.ts'
import { type CheckedServer, readServer, SERVER_OPTIONS, type ServerOptions } from './connection-options.ts'
import { redisOptions } from './option-reader.ts'

/** What an entry of a stream says about itself. */
export interface RedisStreamMetadata {
  readonly stream: string
  readonly group: string
  /** Of the entry: `<milliseconds>-<number>`. */
  readonly id: string
  /** Milliseconds since 1970 when it was added, as its id says. */
  readonly timestamp: number
  /** Deliveries so far, with this one. */
  readonly deliveries: number
  /** The fields as they are: values may be any bytes. */
  readonly fields: Readonly<Record<string, Buffer>>
}

export interface RedisStreamSourceOptions extends AnswerOptions<StreamAnswer, RedisStreamMetadata>, ServerOptions {
  readonly stream: string
  /** The consumer group: all sources that name it share the entries. It is made when it is not there. */
  readonly group: string
  /** Of the source in its group; another one for each source. Default: one of its own, which begins with `sluice-`. */
  readonly consumer?: string | undefined
  /** Where a new group begins: at the first entry, at those that come from now on (`$`), or behind an id. Default `0`, the first. */
  readonly start?: string | undefined
  /** Entries received at once at most, >= 1. Default 1000. */
  readonly maxMessages?: number | undefined
  /** Milliseconds after which an entry that nobody has said anything about is taken over by others, > 0. Default 30000. */
  readonly claimIdle?: number | undefined
  /** Milliseconds between looking for entries to take over, and to be tried again, > 0. Default 1000. */
  readonly claimInterval?: number | undefined
  /** Milliseconds of `retry` after the first delivery; they double with each, up to `claimIdle`. >= 0. Default 1000. */
  readonly retryDelay?: number | undefined
  /** Deliveries after which an entry that failed is given up, >= 1 or `Infinity`. Default `Infinity`. */
  readonly maxDeliver?: number | undefined
  /** The stream that entries are added to which are given up. */
  readonly deadLetters?: string | undefined
  /** Deletes entries that were acknowledged from the stream; others groups lose them too. Default false. */
  readonly deleteAcked?: boolean | undefined
  /** Keeps entries from being taken over while the pipeline has them. Default true. */
  readonly heartbeat?: boolean | undefined
  /** Milliseconds after which an entry is kept no longer, and taken for lost in the pipeline, > 0. Default 600000. */
  readonly maxExtension?: number | undefined
}

export interface CheckedStreamOptions extends Answers<StreamAnswer> {
  readonly server: CheckedServer
  readonly stream: string
  readonly group: string
  readonly consumer: string
  readonly start: string
  readonly maxMessages: number
  readonly claimIdle: number
  readonly claimInterval: number
  readonly retryDelay: number
  readonly maxDeliver: number
  readonly deadLetters: string | undefined
  readonly deleteAcked: boolean
  readonly heartbeat: boolean
  readonly maxExtension: number
}

const OPTIONS = [
  'stream',
  'group',
  'consumer',
  'start',
  ...ANSWER_OPTIONS,
  'maxMessages',
  'claimIdle',
  'claimInterval',
  'retryDelay',
  'maxDeliver',
  'deadLetters',
  'deleteAcked',
  'heartbeat',
  'maxExtension',
  ...SERVER_OPTIONS,
]
/** By which sources know the names that they gave themselves. */
export const OWN_NAME = 'sluice-'

/** @throws `RedisError` `bad_options`, which names the option, the value and what is allowed. */
export function readStreamOptions(owner: string, given: unknown, index: number): CheckedStreamOptions {
  const options = redisOptions(owner, given, OPTIONS)
  const [stream, group] = [readKey(options, 'stream'), readKey(options, 'group')]
  if (stream === undefined) throw options.bad('stream', 'the key of a stream')
  if (group === undefined) throw options.bad('group', 'the name of a consumer group')
  const consumer = readKey(options, 'consumer')
  const start = options.string('start') ?? '0'
  if (!/^(\$|\d+(-\d+)?)$/.test(start)) throw options.bad('start', "'0', '$' or the id of an entry")
  return {
    ...readAnswers(STREAM_ANSWERS, options, 'ack', 'retry'),
    server: readServer(owner, options),
    stream,
    group,
    // With several sources in a pipeline each has a name of its own.
    consumer: consumer === undefined ? `${OWN_NAME}${randomUUID()}` : `${consumer}-${index}`,
    start,
    maxMessages: options.integer('maxMessages', 1) ?? 1000,
    claimIdle: options.duration('claimIdle') ?? 30_000,
    claimInterval: options.duration('claimInterval') ?? 1000,
    retryDelay: options.delay('retryDelay') ?? 1000,
    maxDeliver: options.count('maxDeliver') ?? Infinity,
    deleteAcked: options.boolean('deleteAcked') ?? false,
    heartbeat: options.boolean('heartbeat') ?? true,
    maxExtension: options.duration('maxExtension') ?? 600_000,
  }
}

/** The options of a source over a list, checked. */

import { randomUUID } from 'node:crypto'
import { ANSWER_OPTIONS, type Answers } from '../../broadway/answers.ts'
import { type AnswerOptions, LIST_ANSWERS, type ListAnswer, readAnswers, readKey } from './answer-options.ts'
import { type CheckedServer, readServer, SERVER_OPTIONS, type ServerOptions } from './connection-options.ts'
import { redisOptions } from './option-reader.ts'

/** What an entry of a list says about itself. */
export interface RedisListMetadata {
  readonly list: string
  /** The entry as it is, which may be any bytes. */
  readonly bytes: Buffer
}

export interface RedisListSourceOptions extends AnswerOptions<ListAnswer, RedisListMetadata>, ServerOptions {
  readonly list: string
  /** Of the source; another one for each source. Default: one of its own. */
  readonly consumer?: string | undefined
  /** The end that entries are taken from: `left` when they are pushed with RPUSH, `right` with LPUSH. Default `left`. */
  readonly take?: 'left' | 'right' | undefined
  /** Entries received at once at most, >= 1. Default 1000. */
  readonly maxMessages?: number | undefined
  /** Milliseconds after which entries of a source that shows no sign of life go back into the list, > 0. Default 30000. */
  readonly claimIdle?: number | undefined
  /** Milliseconds between looking for sources that are dead, > 0. Default 1000. */
  readonly claimInterval?: number | undefined
  /** The list that entries go to which are given up. */
  readonly deadLetters?: string | undefined
}

export interface CheckedListOptions extends Answers<ListAnswer> {
  readonly server: CheckedServer
  readonly list: string
  readonly consumer: string
  readonly take: 'left' | 'right'
  readonly maxMessages: number
  readonly claimIdle: number
  readonly claimInterval: number
  readonly deadLetters: string | undefined
  /** What becomes of entries that failed was not said. */
  readonly repeats: boolean
}

const OPTIONS = [
  'list',
  'consumer',
  'take',
  ...ANSWER_OPTIONS,
  'maxMessages',
  'claimIdle',
  'claimInterval',
  'deadLetters',
  ...SERVER_OPTIONS,
]

/** @throws `RedisError` `bad_options`, which names the option, the value and what is allowed. */
export function readListOptions(owner: string, given: unknown, index: number): CheckedListOptions {
  const options = redisOptions(owner, given, OPTIONS)
  const list = readKey(options, 'list')
  if (list === undefined) throw options.bad('list', 'the key of a list')
  const consumer = readKey(options, 'consumer')
  return {
    ...readAnswers<ListAnswer>(LIST_ANSWERS, options, 'ack', 'retry'),
    server: readServer(owner, options),
    list,
    repeats: !options.has('onFailure'),
    // With several sources in a pipeline each has a name of its own.
    consumer: consumer === undefined ? randomUUID() : `${consumer}-${index}`,
    take: options.oneOf('take', ['left', 'right']) ?? 'left',
    maxMessages: options.integer('maxMessages', 1) ?? 1000,
    claimIdle: options.duration('claimIdle') ?? 30_000,
    claimInterval: options.duration('claimInterval') ?? 1000,
  }
}

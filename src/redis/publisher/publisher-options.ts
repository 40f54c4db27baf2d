/** The options of a publisher, checked. */

import { readKey } from '../options/answer-options.ts'
import { type CheckedServer, readServer, SERVER_OPTIONS, type ServerOptions } from '../options/connection-options.ts'
import { redisOptions } from '../options/option-reader.ts'
import type { Trim } from './publication.ts'

export interface RedisPublisherOptions extends ServerOptions {
  /** The stream of entries that name no other. */
  readonly stream?: string | undefined
  /** How streams are kept short, where a publication says nothing else. Default: they are not. */
  readonly trim?: Trim | undefined
  /** The list of values that name no other. */
  readonly list?: string | undefined
  /** The end of a list that values go to. Default `right`. */
  readonly push?: 'left' | 'right' | undefined
  /** Entries sent ahead of their answers, >= 1. Default 1000. */
  readonly maxUnconfirmed?: number | undefined
  /** Entries that may wait behind them, >= 0. Default 100000. */
  readonly maxWaiting?: number | undefined
}

export interface CheckedPublisherOptions {
  readonly server: CheckedServer
  readonly stream: string | undefined
  readonly trim: Trim | undefined
  readonly list: string | undefined
  readonly push: 'left' | 'right'
  readonly maxUnconfirmed: number
  readonly maxWaiting: number
}

const OPTIONS = ['stream', 'trim', 'list', 'push', 'maxUnconfirmed', 'maxWaiting', ...SERVER_OPTIONS]

/** @throws `RedisError` `bad_options`. */
export function readPublisherOptions(owner: string, given: unknown): CheckedPublisherOptions {
  const options = redisOptions(owner, given, OPTIONS)
  return {
    server: readServer(owner, options),
    stream: readKey(options, 'stream'),
    trim: options.has('trim') ? readTrim(owner, options.get('trim')) : undefined,
    list: readKey(options, 'list'),
    push: options.oneOf('push', ['left', 'right']) ?? 'right',
    maxUnconfirmed: options.integer('maxUnconfirmed', 1) ?? 1000,
    maxWaiting: options.integer('maxWaiting', 0) ?? 100_000,
  }
}

/** @throws `RedisError` `bad_options`. */
export function readTrim(owner: string, given: unknown): Trim {
  const options = redisOptions(owner, given, ['maxLength', 'minId', 'exact'], 'trim')
  const maxLength = options.integer('maxLength', 0)
  const minId = options.string('minId')
  if ((maxLength === undefined) === (minId === undefined))
    throw options.bad('maxLength', 'either maxLength, a whole number >= 0, or minId, the id of an entry')
  return { maxLength, minId, exact: options.boolean('exact') }
}

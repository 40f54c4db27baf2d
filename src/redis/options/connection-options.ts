/** Where the server is and who we are, checked. What is shown of it never has the password. */

import type { BackoffOptions } from '../../connector/backoff.ts'
import { RECONNECT_OPTIONS, type ReconnectOptions, readReconnect } from '../../connector/reconnect-options.ts'
import type { OptionReader } from '../../stage/option-reader.ts'
import { nodeRedisClient } from '../client/node-redis-client.ts'
import type { RedisClient, RedisTarget } from '../client/port.ts'
import { RedisError } from '../errors.ts'
import { redisOptions } from './option-reader.ts'

export interface ConnectionOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://...`. Default `redis://localhost:6379`. */
  readonly url?: string | undefined
  readonly username?: string | undefined
  /** Never in a log or an error. */
  readonly password?: string | undefined
  /** Options of `tls.connect`, for `rediss://`: `ca`, `cert`, `key` ... */
  readonly tls?: object | undefined
  /** Milliseconds until an attempt to connect is given up, > 0. Default 5000. */
  readonly timeout?: number | undefined
}

/** What sources and publishers have in common. */
export interface ServerOptions extends ReconnectOptions {
  /** A URL, or options. Default `redis://localhost:6379`. */
  readonly connection?: string | ConnectionOptions | undefined
  /** What the server shows as the connection. */
  readonly name?: string | undefined
  /** The client to use. Default node-redis. */
  readonly client?: (() => RedisClient) | undefined
}

export interface CheckedServer {
  readonly target: Omit<RedisTarget, 'lost'>
  /** For logs: without the password. */
  readonly shown: string
  readonly backoff: BackoffOptions
  readonly client: () => RedisClient
}

export const SERVER_OPTIONS: readonly string[] = ['connection', 'name', ...RECONNECT_OPTIONS, 'client']
const KNOWN = ['url', 'username', 'password', 'tls', 'timeout']

/** @throws `RedisError` `bad_options`. */
export function readServer(owner: string, options: OptionReader): CheckedServer {
  const given = options.get('connection') ?? {}
  const connection = redisOptions(owner, typeof given === 'string' ? { url: given } : given, KNOWN, 'connection')
  const url = readUrl(owner, connection.secret('url') ?? 'redis://localhost:6379')
  const username = connection.string('username') ?? decode(owner, url.username)
  const password = connection.secret('password') ?? decode(owner, url.password)
  url.username = url.password = ''
  const address = url.href
  const tls = connection.object('tls')
  if (tls !== undefined && url.protocol !== 'rediss:')
    throw connection.bad('tls', 'a URL that begins with rediss:// beside it: redis:// does not encrypt')
  const target = {
    url: address,
    username,
    password,
    name: options.string('name'),
    timeout: connection.duration('timeout') ?? 5000,
    tls,
  }
  return {
    target,
    shown: username === undefined ? address : address.replace('//', `//${encodeURIComponent(username)}@`),
    backoff: readReconnect(options),
    client: options.method('client', 'a function that gives a client') ?? (() => nodeRedisClient),
  }
}

function readUrl(owner: string, text: string): URL {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw bad(
      owner,
      'a URL, as redis://user:password@host:6379/0; this text is none (it is not shown: it may hold a password)',
    )
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:')
    throw bad(owner, `a URL that begins with redis:// or rediss://, got one that begins with ${url.protocol}`)
  return url
}

function decode(owner: string, part: string): string | undefined {
  if (part === '') return undefined
  try {
    return decodeURIComponent(part)
  } catch {
    throw bad(owner, 'a URL; in this one a % has no two hexadecimal digits behind it')
  }
}

function bad(owner: string, expected: string): RedisError {
  return new RedisError('bad_options', `connection of ${owner}: expected ${expected}`)
}

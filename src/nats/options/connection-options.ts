/** Where the servers are and who we are, checked. What is shown of it never has a password or a token. */

import type { NatsTarget } from '../client/port.ts'
import { NatsError } from '../errors.ts'
import { natsOptions } from './option-reader.ts'

export interface ConnectionOptions {
  /** `nats://user:password@host:4222`, or several of one cluster; the other options go before what they say. Default `nats://localhost:4222`. */
  readonly servers?: string | readonly string[] | undefined
  readonly username?: string | undefined
  /** Never in a log or an error. */
  readonly password?: string | undefined
  /** Never in a log or an error. */
  readonly token?: string | undefined
  /** Encrypts, with options of the client: `ca`, `cert`, `key`, `caFile`, `certFile`, `keyFile`, `handshakeFirst`. */
  readonly tls?: object | undefined
  /** An authenticator of the client, such as `credsAuthenticator(bytes)`. */
  readonly authenticator?: unknown
  /** Milliseconds until an attempt to connect is given up, and a request. > 0. Default 5000. */
  readonly timeout?: number | undefined
  /** Milliseconds between signs of life, > 0. Default that of the client, two minutes. */
  readonly pingInterval?: number | undefined
  /** Where answers of the server go to. Default `_INBOX`. */
  readonly inboxPrefix?: string | undefined
  /** The domain of JetStream. */
  readonly domain?: string | undefined
}

/** A URL, several of one cluster, or options. */
export type ConnectionOption = string | readonly string[] | ConnectionOptions

export interface CheckedConnection {
  readonly target: Omit<NatsTarget, 'reconnectDelay'>
  /** For logs: without what is secret. */
  readonly shown: string
}

interface ServerUrl {
  readonly server: string
  readonly username: string | undefined
  readonly password: string | undefined
  readonly token: string | undefined
}

const KNOWN = [
  'servers',
  'username',
  'password',
  'token',
  'tls',
  'authenticator',
  'timeout',
  'pingInterval',
  'inboxPrefix',
  'domain',
]
const DEFAULT_SERVER = 'nats://localhost:4222'
const SCHEMES = ['nats:', 'tls:', 'ws:', 'wss:']

/** @throws `NatsError` `bad_options`. */
export function readConnection(owner: string, given: unknown, name: string | undefined): CheckedConnection {
  const options = natsOptions(
    owner,
    typeof given === 'string' || Array.isArray(given) ? { servers: given } : (given ?? {}),
    KNOWN,
    'connection',
  )
  const urls = readServers(owner, options.get('servers') ?? DEFAULT_SERVER)
  const tls = options.object('tls') ?? (urls.some(({ server }) => server.startsWith('tls:')) ? {} : undefined)
  const first = urls.find(({ username, token }) => username !== undefined || token !== undefined)
  const username = options.string('username') ?? first?.username
  const authenticator = options.get('authenticator')
  if (authenticator !== undefined && typeof authenticator !== 'function' && !Array.isArray(authenticator))
    throw options.bad('authenticator', 'a function of the client, or several')
  return {
    target: {
      servers: urls.map(({ server }) => server),
      username,
      password: options.secret('password') ?? first?.password,
      token: options.secret('token') ?? first?.token,
      tls,
      authenticator,
      name,
      timeout: options.duration('timeout') ?? 5000,
      pingInterval: options.duration('pingInterval'),
      inboxPrefix: options.string('inboxPrefix'),
      domain: options.string('domain'),
    },
    shown: urls
      .map(({ server }) => (username === undefined ? server : server.replace('//', `//${username}@`)))
      .join(', '),
  }
}

function readServers(owner: string, given: unknown): readonly ServerUrl[] {
  const servers: readonly unknown[] = Array.isArray(given) ? given : [given]
  if (servers.length === 0) throw bad(owner, 'at least one URL, got none')
  return servers.map((server) => {
    // Never shown: it may hold a password.
    if (typeof server !== 'string')
      throw bad(owner, `a URL or several, got ${server === null ? 'null' : typeof server}`)
    return partsOf(owner, server)
  })
}

function partsOf(owner: string, text: string): ServerUrl {
  let url: URL
  try {
    url = new URL(text.includes('://') ? text : `nats://${text}`)
  } catch {
    throw bad(
      owner,
      'a URL, as nats://user:password@host:4222; this text is none (it is not shown: it may hold a password)',
    )
  }
  if (!SCHEMES.includes(url.protocol))
    throw bad(
      owner,
      `a URL that begins with nats://, tls://, ws:// or wss://, got one that begins with ${url.protocol}`,
    )
  const { username, password, protocol, hostname, port } = url
  const [user, secret] = [decode(owner, username), decode(owner, password)]
  const web = protocol === 'ws:' || protocol === 'wss:'
  return {
    server: `${protocol}//${hostname}${port === '' ? (web ? '' : ':4222') : `:${port}`}`,
    username: secret === undefined ? undefined : user,
    password: secret,
    // Without a password it is a token.
    token: secret === undefined ? user : undefined,
  }
}

function decode(owner: string, part: string): string | undefined {
  if (part === '') return undefined
  try {
    return decodeURIComponent(part)
  } catch {
    throw bad(owner, 'a URL; in this one a % has no two hexadecimal digits behind it')
  }
}

function bad(owner: string, expected: string): NatsError {
  return new NatsError('bad_options', `connection of ${owner}: expected ${expected}`)
}

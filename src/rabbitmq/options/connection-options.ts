/** Where the server is and who we are, checked. What is shown of it never has the password. */

import { isObject } from '../../stage/option-reader.ts'
import type { AmqpChannel, AuthMechanism, ChannelPool, ConnectTarget } from '../client/port.ts'
import { RabbitMQError } from '../errors.ts'
import { rabbitMQOptions } from './option-reader.ts'

export interface ConnectionOptions {
  /** An AMQP URI; the other options go before what it says, as `ssl: { ca }` beside `amqps://...`. */
  readonly uri?: string | undefined
  /** Default `localhost`. */
  readonly host?: string | undefined
  /** Default 5672, with `ssl` 5671. */
  readonly port?: number | undefined
  /** Default `guest`. */
  readonly username?: string | undefined
  /** Default `guest`. Never in a log or an error. */
  readonly password?: string | undefined
  /** Default `/`. */
  readonly virtualHost?: string | undefined
  /** Channels of a connection at most. Default as the server says. */
  readonly channelMax?: number | undefined
  /** Bytes of a frame at most. Default 131072. */
  readonly frameMax?: number | undefined
  /** Seconds between signs of life; 0 for none. Default as the server says. */
  readonly heartbeat?: number | undefined
  /** Milliseconds until an attempt to connect, with all that is declared, is given up. > 0. Default 15000. */
  readonly connectionTimeout?: number | undefined
  /** Encrypts: true, or options of `tls.connect`, such as `ca`, `cert` and `key`. */
  readonly ssl?: boolean | object | undefined
  /** What the server shows beside the connection. */
  readonly clientProperties?: Readonly<Record<string, unknown>> | undefined
  /** Options of `net.connect`. */
  readonly socketOptions?: object | undefined
  /** How the server knows us: `external` by the certificate. Default `plain`. */
  readonly authMechanism?: AuthMechanism | undefined
}

/** An AMQP URI, its parts, or who lends channels. */
export type ConnectionOption = string | ConnectionOptions | { readonly pool: ChannelPool }

export interface CheckedConnection {
  readonly target: ConnectTarget
  readonly pool: ChannelPool | undefined
  /** For logs: without the password. */
  readonly shown: string
}

const KNOWN = [
  'uri',
  'host',
  'port',
  'username',
  'password',
  'virtualHost',
  'channelMax',
  'frameMax',
  'heartbeat',
  'connectionTimeout',
  'ssl',
  'clientProperties',
  'socketOptions',
  'authMechanism',
]
const IN_URI = ['heartbeat', 'channelMax', 'frameMax', 'connectionTimeout']

/** @throws `RabbitMQError` `bad_options`. */
export function readConnection(owner: string, given: unknown, name: string | undefined): CheckedConnection {
  if (isObject(given) && 'pool' in given) {
    const { pool } = given
    rabbitMQOptions(owner, given, ['pool'], 'connection')
    if (!isPool(pool)) throw bad(owner, 'pool to have the methods checkout and checkin')
    return { target: readTarget(owner, {}, name), pool, shown: 'a pool of channels' }
  }
  if (given !== undefined && typeof given !== 'string' && !isObject(given)) {
    throw bad(owner, 'an AMQP URI or an object of options')
  }
  const target = readTarget(owner, typeof given === 'string' ? partsOf(owner, given) : (given ?? {}), name)
  const { protocol, username, hostname, port, virtualHost } = target
  const shown = `${protocol}://${encodeURIComponent(username)}@${hostname}:${port}/${encodeURIComponent(virtualHost)}`
  return { target, pool: undefined, shown }
}

function readTarget(owner: string, given: object, name: string | undefined): ConnectTarget {
  const options = rabbitMQOptions(owner, withUri(owner, given), KNOWN, 'connection')
  const ssl = options.get('ssl') ?? false
  if (typeof ssl !== 'boolean' && !isObject(ssl)) throw options.bad('ssl', 'a boolean or options of tls.connect')
  const encrypted = ssl !== false
  const port = options.integer('port', 1) ?? (encrypted ? 5671 : 5672)
  if (port > 65_535) throw options.bad('port', 'a whole number from 1 to 65535')
  return {
    protocol: encrypted ? 'amqps' : 'amqp',
    hostname: options.string('host') ?? 'localhost',
    port,
    username: options.string('username') ?? 'guest',
    password: options.secret('password') ?? 'guest',
    virtualHost: options.string('virtualHost') ?? '/',
    authMechanism: options.oneOf('authMechanism', ['plain', 'amqplain', 'external']) ?? 'plain',
    channelMax: options.integer('channelMax', 0),
    frameMax: options.integer('frameMax', 0),
    heartbeat: options.integer('heartbeat', 0),
    connectionTimeout: options.integer('connectionTimeout', 1) ?? 15_000,
    name,
    clientProperties: options.object('clientProperties') ?? {},
    socketOptions: { ...options.object('socketOptions'), ...(isObject(ssl) ? ssl : {}) },
  }
}

/** The options with what their URI says, where they say nothing else themselves. */
function withUri(owner: string, given: object): object {
  const uri: unknown = Reflect.get(given, 'uri')
  if (uri === undefined) return given
  // Never shown: it may hold a password.
  if (typeof uri !== 'string') throw bad(owner, `uri to be a string, got ${typeof uri}`)
  const own = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...partsOf(owner, uri), ...Object.fromEntries(own) }
}

/** The parts of an AMQP URI. Source: https://www.rabbitmq.com/docs/uri-spec */
function partsOf(owner: string, uri: string): object {
  let url: URL
  try {
    url = new URL(uri)
  } catch {
    throw bad(
      owner,
      'an AMQP URI, as amqp://user:password@host:5672/virtual-host; this text is none (it is not shown: it may hold a password)',
    )
  }
  const { protocol, hostname, port, username, password, pathname, searchParams } = url
  if (protocol !== 'amqp:' && protocol !== 'amqps:')
    throw bad(owner, `an AMQP URI, as amqp://localhost:5672 or amqps://..., got one that begins with ${protocol}`)
  const parts: Record<string, unknown> = { ssl: protocol === 'amqps:' }
  if (hostname !== '') parts['host'] = hostname.replace(/^\[|\]$/g, '')
  if (port !== '') parts['port'] = Number(port)
  if (username !== '' || password !== '') {
    parts['username'] = decode(owner, username)
    parts['password'] = decode(owner, password)
  }
  if (pathname.length > 1) parts['virtualHost'] = decode(owner, pathname.slice(1))
  for (const [key, value] of searchParams) {
    if (!IN_URI.includes(key)) throw bad(owner, `a URI with ${IN_URI.join(', ')} behind the ?; there is no ${key}`)
    parts[key] = Number(value)
  }
  return parts
}

function decode(owner: string, part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw bad(owner, 'an AMQP URI; in this one a % has no two hexadecimal digits behind it')
  }
}

function isPool(pool: unknown): pool is ChannelPool {
  return (
    isObject(pool) &&
    typeof Reflect.get(pool, 'checkout') === 'function' &&
    typeof Reflect.get(pool, 'checkin') === 'function'
  )
}

/** It has what the connector calls. */
export function isChannel(channel: unknown): channel is AmqpChannel {
  return (
    isObject(channel) &&
    ['consume', 'cancel', 'ack', 'nack', 'on', 'off'].every((name) => typeof Reflect.get(channel, name) === 'function')
  )
}

function bad(owner: string, expected: string): RabbitMQError {
  return new RabbitMQError('bad_options', `connection of ${owner}: expected ${expected}`)
}

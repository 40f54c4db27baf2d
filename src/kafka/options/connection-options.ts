/** Where the cluster is and who we are, checked. Errors and logs never have a secret. */

import { isObject, type OptionReader } from '../../stage/option-reader.ts'
import { type ClientOption, type FindClient, readClient } from '../client/find-client.ts'
import type { KafkaSasl, KafkaTarget } from '../client/port.ts'

/** A broker to begin with; the others are found through it. */
export interface KafkaHost {
  readonly host: string
  readonly port: number
}

export type KafkaSaslOptions =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
      readonly username: string
      /** Never in a log or an error. */
      readonly password: string
    }
  | {
      readonly mechanism: 'oauthbearer'
      /** The token, or a function that gets one each time that one is needed. Never in a log or an error. */
      readonly token: string | (() => string | Promise<string>)
    }

export interface KafkaClientConfig {
  /** What the cluster calls a client: this, and behind it the name of the process. Default `sluice-`. */
  readonly clientIdPrefix?: string | undefined
  /** Encrypts: true, or options of `tls.connect`, such as `ca`, `cert` and `key`. Default false. */
  readonly ssl?: boolean | object | undefined
  /** Default: the cluster lets everybody in. */
  readonly sasl?: KafkaSaslOptions | undefined
  /** Milliseconds until an attempt to reach a broker is given up, >= 1. Default 10000. */
  readonly connectTimeout?: number | undefined
  /** Milliseconds that a broker has to answer, beside those that it was told to wait, >= 1000. Default 30000. */
  readonly requestTimeout?: number | undefined
}

/** Of sources and publishers. */
export interface ConnectionOptions {
  /** Brokers to begin with: `localhost:9092,other:9092`, or an array. */
  readonly hosts: string | readonly (KafkaHost | string)[]
  readonly clientConfig?: KafkaClientConfig | undefined
  /**
   * The package to use, or a function that gives a client of your own. Default `@platformatic/kafka` where it is installed and Node
   * is new enough for it, otherwise `kafkajs`.
   */
  readonly client?: ClientOption | undefined
}

export interface CheckedConnection {
  /** The client id is only its prefix. */
  readonly target: KafkaTarget
  readonly findClient: FindClient
  /** Looks for a package; of a client of your own there is nothing to look for. */
  readonly load: FindClient | undefined
  /** For logs. */
  readonly shown: string
  /** What must not be in a log. */
  readonly secrets: readonly string[]
}

export const CONNECTION_OPTIONS: readonly string[] = ['hosts', 'clientConfig', 'client']
const CLIENT_CONFIG = ['clientIdPrefix', 'ssl', 'sasl', 'connectTimeout', 'requestTimeout']
const HOSTS = "brokers, as 'localhost:9092,other:9092' or [{ host: 'localhost', port: 9092 }]"

/** @throws `KafkaError` `bad_options`. */
export function readConnection(options: OptionReader): CheckedConnection {
  const brokers = readHosts(options)
  const config = options.at('clientConfig', CLIENT_CONFIG, options.get('clientConfig') ?? {})
  const ssl = config.get('ssl') ?? false
  if (typeof ssl !== 'boolean' && !isObject(ssl)) throw config.bad('ssl', 'a boolean or options of tls.connect')
  const sasl = readSasl(config)
  const findClient = readClient(options)
  return {
    target: {
      brokers,
      clientId: config.string('clientIdPrefix') ?? 'sluice-',
      ssl,
      sasl,
      connectTimeout: config.integer('connectTimeout', 1) ?? 10_000,
      requestTimeout: config.integer('requestTimeout', 1000) ?? 30_000,
    },
    findClient,
    load: typeof options.get('client') === 'function' ? undefined : findClient,
    shown: brokers.join(','),
    secrets: secretsOf(sasl),
  }
}

function readHosts(options: OptionReader): readonly string[] {
  const hosts = options.get('hosts')
  const given = typeof hosts === 'string' ? hosts.split(',') : hosts
  if (!Array.isArray(given) || given.length === 0) throw options.bad('hosts', HOSTS)
  return given.map((each: unknown) => {
    const host = typeof each === 'string' ? each.trim() : joined(each)
    const [, port] = host?.match(/^(?:\[[^\]]+\]|[^\s:]+):(\d+)$/) ?? []
    if (host === undefined || port === undefined || Number(port) < 1 || Number(port) > 65_535) {
      throw options.bad('hosts', HOSTS)
    }
    return host
  })
}

function joined(given: unknown): string | undefined {
  if (!isObject(given) || !('host' in given) || !('port' in given)) return undefined
  return typeof given.host === 'string' && typeof given.port === 'number' ? `${given.host}:${given.port}` : undefined
}

function readSasl(config: OptionReader): KafkaSasl | undefined {
  if (!config.has('sasl')) return undefined
  const sasl = config.at('sasl', ['mechanism', 'username', 'password', 'token'])
  const mechanism = sasl.oneOf('mechanism', ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'])
  if (mechanism === undefined) throw sasl.bad('mechanism', 'the mechanism by which the cluster knows its clients')
  if (mechanism === 'oauthbearer') {
    const token = sasl.get('token')
    if (typeof token === 'string') return { mechanism, token }
    // Never shown: it may be one.
    if (typeof token !== 'function') throw sasl.bad('token', 'a string, or a function that gets one', typeof token)
    return { mechanism, token: sasl.required('token', 'a function') }
  }
  const username = sasl.string('username')
  const password = sasl.secret('password')
  if (username === undefined) throw sasl.bad('username', 'a string')
  if (password === undefined) throw sasl.bad('password', 'a string')
  return { mechanism, username, password }
}

function secretsOf(sasl: KafkaSasl | undefined): readonly string[] {
  if (sasl === undefined) return []
  const secret = sasl.mechanism === 'oauthbearer' ? sasl.token : sasl.password
  return typeof secret === 'string' && secret !== '' ? [secret] : []
}

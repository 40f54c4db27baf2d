/**
 * The client that is used unless another one is given: `@nats-io/transport-node` and `@nats-io/jetstream`, optional peer
 * dependencies, loaded here and nowhere else.
 */

import type { ConsumerConfig, JetStreamClient, JetStreamManager, StreamConfig } from '@nats-io/jetstream'
import type { NatsConnection as Connection, Msg, MsgHdrs, NodeConnectionOptions } from '@nats-io/transport-node'
import { loadPackage } from '../../connector/load-package.ts'
import { NatsError } from '../errors.ts'
import type {
  NatsClient,
  NatsConfig,
  NatsConnection,
  NatsConnectionChange,
  NatsDelivery,
  NatsHeaders,
  NatsSending,
  NatsTarget,
} from './port.ts'
import { serverIdentity } from './server-identity.ts'

type Packages = Awaited<ReturnType<typeof load>>

const load = () =>
  loadPackage(
    'sluice/nats',
    '@nats-io/jetstream @nats-io/transport-node',
    async () => ({ ...(await import('@nats-io/transport-node')), ...(await import('@nats-io/jetstream')) }),
    (text, cause) => new NatsError('missing_package', text, cause),
  )

/** Error codes of JetStream. */
const STREAM_NOT_FOUND = 10_059
const CONSUMER_NOT_FOUND = 10_014
/** The cluster has no leader; the one that was asked is none. */
const LEADERLESS: readonly number[] = [10_008, 10_009]

export const natsIoClient: NatsClient = {
  load,

  async connect(target) {
    const packages = await load()
    const connection = await packages.connect(optionsOf(target))
    const { domain, timeout } = target
    const options = domain === undefined ? { timeout } : { timeout, domain }
    const manager = await packages.jetstreamManager(connection, { ...options, checkAPI: false })
    return new NatsIoConnection(packages, connection, manager, packages.jetstream(connection, options))
  },
}

class NatsIoConnection implements NatsConnection {
  changed: (change: NatsConnectionChange) => void = () => {}
  readonly closed: Promise<unknown>
  readonly #packages: Packages
  readonly #connection: Connection
  readonly #manager: JetStreamManager
  readonly #jetstream: JetStreamClient
  /** Subjects of which it is being asked whether a stream takes them. */
  readonly #asked = new Map<string, Promise<boolean>>()

  constructor(packages: Packages, connection: Connection, manager: JetStreamManager, jetstream: JetStreamClient) {
    this.#packages = packages
    this.#connection = connection
    this.#manager = manager
    this.#jetstream = jetstream
    this.closed = connection.closed()
    void this.#watch()
  }

  get version(): string {
    return this.#connection.info?.version ?? ''
  }

  get apiPrefix(): string {
    return this.#jetstream.apiPrefix
  }

  inbox(): string {
    return this.#packages.createInbox()
  }

  publish(subject: string, payload: string, reply?: string): void {
    this.#connection.publish(subject, payload, reply === undefined ? {} : { reply })
  }

  request(subject: string, payload: string, timeout: number): Promise<unknown> {
    return this.#connection.request(subject, payload, { timeout })
  }

  subscribe(subject: string, onDelivery: (delivery: NatsDelivery) => void) {
    return this.#connection.subscribe(subject, {
      callback: (error, message) => {
        // The server has refused the subscription, as it will say on the connection too.
        if (error === null) onDelivery(deliveryOf(message))
      },
    })
  }

  async send(subject: string, content: Uint8Array | string, sending: NatsSending): Promise<void> {
    const { messageId, headers, expect = {}, timeout } = sending
    const { JetStreamApiError } = this.#packages
    try {
      await this.#jetstream.publish(subject, content, {
        msgID: messageId,
        headers: this.#headers(headers),
        expect: Object.fromEntries(Object.entries(expect).filter(([, value]) => value !== undefined)),
        timeout,
        // The stream may have no leader for a moment.
        retries: 3,
      })
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      // Servers of a cluster that cannot agree just now may be able to later.
      if (error instanceof JetStreamApiError && !LEADERLESS.includes(error.code)) {
        throw new NatsError('refused', `the server refused a message of subject '${subject}': ${text}`, error)
      }
      if (isUnanswered(error)) {
        if (await this.#isTaken(subject))
          throw new Error(`the stream of subject '${subject}' has no leader now`, { cause: error })
        throw new NatsError('unroutable', `no stream takes messages of subject '${subject}'`, error)
      }
      if (error instanceof this.#packages.InvalidArgumentError || error instanceof TypeError) {
        throw new NatsError('bad_publication', `a message of subject '${subject}' cannot be published: ${text}`, error)
      }
      throw error
    }
  }

  async streamConfig(stream: string): Promise<NatsConfig | undefined> {
    const info = await this.#unless(STREAM_NOT_FOUND, this.#manager.streams.info(stream))
    return info === undefined ? undefined : { ...info.config }
  }

  async addStream(config: NatsConfig): Promise<void> {
    await this.#manager.streams.add(config as Partial<StreamConfig> & { readonly name: string })
  }

  async consumerInfo(stream: string, consumer: string) {
    const info = await this.#unless(CONSUMER_NOT_FOUND, this.#manager.consumers.info(stream, consumer))
    if (info === undefined) return undefined
    return { config: { ...info.config }, waiting: info.num_pending }
  }

  async addConsumer(stream: string, config: NatsConfig): Promise<void> {
    await this.#manager.consumers.add(stream, config as Partial<ConsumerConfig>)
  }

  flush(): Promise<void> {
    return this.#connection.flush()
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  async #watch(): Promise<void> {
    for await (const status of this.#connection.status()) {
      const { type } = status
      if (type === 'disconnect' || type === 'reconnecting' || type === 'reconnect') this.changed({ type })
      else if (type === 'error') this.changed({ type, error: status.error })
    }
  }

  /** A stream takes messages of the subject, though it may have no leader. Rejects when nobody knows. */
  #isTaken(subject: string): Promise<boolean> {
    const asked = this.#asked.get(subject)
    if (asked !== undefined) return asked
    const answer = this.#manager.streams.find(subject).then(
      () => true,
      (error: unknown) => {
        // Who may not ask is told what is likely.
        if (isUnanswered(error) || isForbidden(error)) return false
        if (error instanceof this.#packages.JetStreamApiError && error.code === STREAM_NOT_FOUND) return false
        throw error
      },
    )
    this.#asked.set(subject, answer)
    const forget = (): void => void this.#asked.delete(subject)
    answer.then(forget, forget)
    return answer
  }

  async #unless<T>(code: number, asked: Promise<T>): Promise<T | undefined> {
    try {
      return await asked
    } catch (error) {
      if (error instanceof this.#packages.JetStreamApiError && error.code === code) return undefined
      throw error
    }
  }

  #headers(given: Readonly<Record<string, string | readonly string[]>>): MsgHdrs {
    const headers = this.#packages.headers()
    for (const [name, values] of Object.entries(given)) {
      for (const value of typeof values === 'string' ? [values] : values) headers.append(name, value)
    }
    return headers
  }
}

function optionsOf(target: NatsTarget): NodeConnectionOptions {
  const { servers, username, password, token, tls, authenticator, name, timeout, reconnectDelay } = target
  const options = {
    servers: [...servers],
    user: username,
    pass: password,
    token,
    tls: tls === undefined ? undefined : { ...serverIdentity(servers), ...tls },
    authenticator,
    name,
    timeout,
    pingInterval: target.pingInterval,
    inboxPrefix: target.inboxPrefix,
    maxReconnectAttempts: -1,
    reconnectDelayHandler: reconnectDelay,
    // A trace for each request takes longer than the request.
    noAsyncTraces: true,
    // A password that is wrong may be right later.
    ignoreAuthErrorAbort: true,
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** Nobody listens there. */
const isUnanswered = (error: unknown): boolean => error instanceof Error && error.name === 'JetStreamNotEnabled'

function isForbidden(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return error.name === 'PermissionViolationError' || isForbidden(error.cause)
}

const NONE: NatsHeaders = {}

function deliveryOf({ subject, data, reply, headers }: Msg): NatsDelivery {
  if (headers === undefined) return { subject, data, reply: reply ?? '', status: 0, description: '', headers: NONE }
  const { code, description } = headers
  return { subject, data, reply: reply ?? '', status: code, description, headers: Object.fromEntries(headers) }
}

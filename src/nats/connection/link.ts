/**
 * Keeps a connection to the servers. The first is made when it is needed; when it is lost the client makes it again by itself, and
 * what is said meanwhile is said then.
 */

import { Backoff, type BackoffOptions } from '../../connector/backoff.ts'
import { reportFailure } from '../../connector/failure-report.ts'
import type { Process } from '../../process/process.ts'
import { channels } from '../../telemetry/channels.ts'
import type { NatsClient, NatsConnection } from '../client/port.ts'
import { NatsError } from '../errors.ts'
import type { CheckedConnection } from '../options/connection-options.ts'
import { failureReason, isFatal, withoutSecrets } from './failure.ts'

export interface LinkOptions {
  readonly client: () => NatsClient
  readonly connection: CheckedConnection
  readonly backoff: BackoffOptions
}

/** Milliseconds that the server has to hear the last words. */
const LAST_WORDS = 5000

export class Link {
  /** The connection was lost; the client is to make it again. */
  lost: () => void = () => {}
  readonly #process: Process
  readonly #options: LinkOptions
  readonly #backoff: Backoff
  #connection: NatsConnection | undefined = undefined
  #connecting: Promise<NatsConnection> | undefined = undefined
  /** The connection is there, and not only to come back. */
  #online = false
  #waiting: ((error?: unknown) => void)[] = []
  /** What was said without a connection: where to, and what. */
  #unsaid: (readonly [subject: string, payload: string])[] = []
  /** Attempts that the client has begun since the connection was lost. */
  #attempts = 0
  #asking = false
  #closed = false

  constructor(process: Process, options: LinkOptions) {
    this.#process = process
    this.#options = options
    this.#backoff = new Backoff(options.backoff, () => process.runtime.random())
    process.onEnd(() => void this.close().catch(() => {}))
  }

  /** The connection, if it is there now. */
  get connection(): NatsConnection | undefined {
    return this.#online ? this.#connection : undefined
  }

  /** Resolves when there is a connection; rejects when an attempt to make one has failed. */
  async online(): Promise<NatsConnection> {
    if (this.#closed) throw new NatsError('not_connected', `the connection of ${this.#process} is closed`)
    const connection = this.#connection ?? (await this.#connect())
    if (!this.#online)
      await new Promise<void>((resolve, reject) =>
        this.#waiting.push((error) => (error === undefined ? resolve() : reject(error))),
      )
    return connection
  }

  /** Sends it now, or as soon as there is a connection again. @throws `NatsError` `not_connected` when there will be none. */
  say(subject: string, payload: string): void {
    if (this.#closed || this.#connection === undefined)
      throw new NatsError(
        'not_connected',
        `the connection of ${this.#process} is closed; the server delivers again what it had`,
      )
    if (this.#online) this.#connection.publish(subject, payload)
    else this.#unsaid.push([subject, payload])
  }

  /** It went well: the next failure is the first one. */
  succeeded(): void {
    this.#backoff.reset()
  }

  /** Tells what failed; gives the milliseconds until it is to be tried again, `undefined` for never. */
  failed(error: unknown, what: string): number | undefined {
    const delay = isFatal(error) ? undefined : this.#backoff.next()
    this.#tell(error, `cannot ${what}`, delay)
    return delay
  }

  /** What was said has arrived, if the server still answers. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const connection = this.#connection
    this.#connection = undefined
    this.#wake(new NatsError('not_connected', `the connection of ${this.#process} is closed`))
    if (this.#unsaid.length > 0)
      this.#process.runtime.logger.warn(
        { process: `${this.#process}`, answers: this.#unsaid.length },
        `${this.#process} ends without a connection: ${this.#unsaid.length} answers are lost, and their messages are delivered again`,
      )
    if (connection === undefined) return
    if (this.#online) await this.#flushed(connection)
    this.#online = false
    await connection.close().catch(() => {})
  }

  /** Says in telemetry what failed, of which somebody else says it in the log. */
  told(error: unknown, retryIn: number | undefined): void {
    const process = `${this.#process}`
    const { text: message } = withoutSecrets(error, this.#options.connection.target)
    const reason = failureReason(error)
    if (channels.natsConnectionFailure.hasSubscribers)
      channels.natsConnectionFailure.publish({ process, reason, message, retryIn })
  }

  #tell(error: unknown, what: string, retryIn: number | undefined): void {
    const process = this.#process
    const { target, shown } = this.#options.connection
    const { text, err } = withoutSecrets(error, target)
    const reason = failureReason(error)
    this.told(error, retryIn)
    // What is fatal is told by the crash.
    if (!isFatal(error)) reportFailure(process, `${what} ${shown}`, { text, err, reason }, retryIn)
  }

  async #flushed(connection: NatsConnection): Promise<void> {
    let timer: { cancel(): void } | undefined
    const late = new Promise<void>((resolve) => {
      timer = this.#process.setTimer(LAST_WORDS, resolve)
    })
    await Promise.race([connection.flush().catch(() => {}), late])
    timer?.cancel()
  }

  #connect(): Promise<NatsConnection> {
    this.#connecting ??= this.#made().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #made(): Promise<NatsConnection> {
    const { client, connection: given } = this.#options
    const reconnects = new Backoff(this.#options.backoff, () => this.#process.runtime.random())
    let retryIn = 0
    const reconnectDelay = () => (retryIn = reconnects.next() ?? this.#options.backoff.max)
    const connection = await client().connect({ ...given.target, reconnectDelay })
    if (this.#closed) {
      void connection.close().catch(() => {})
      throw new NatsError('not_connected', `the connection of ${this.#process} was made too late`)
    }
    this.#connection = connection
    this.#online = true
    connection.changed = (change) => {
      if (this.#connection !== connection) return
      if (change.type === 'disconnect') this.#disconnected()
      else if (change.type === 'reconnecting') this.#reconnecting(retryIn)
      else if (change.type === 'reconnect') {
        reconnects.reset()
        this.#back(connection)
      } else if (this.#online) this.#trouble(change.error)
    }
    void connection.closed.then((error) => this.#gone(connection, error))
    this.#connected()
    return connection
  }

  #connected(): void {
    if (channels.natsConnect.hasSubscribers) {
      const { target, shown } = this.#options.connection
      channels.natsConnect.publish({ process: `${this.#process}`, connection: shown, name: target.name })
    }
  }

  #disconnected(): void {
    if (!this.#online) return
    this.#online = false
    this.#attempts = 0
    const process = this.#process
    process.runtime.logger.warn(
      { process: `${process}` },
      `${process} lost its connection to ${this.#options.connection.shown}; it connects again`,
    )
    this.lost()
  }

  /** The client begins an attempt: the one before, if there was one, has failed. */
  #reconnecting(retryIn: number): void {
    if (!this.#online && this.#attempts++ > 0) void this.#tellWhy(retryIn)
  }

  /** The client does not say why it gets no connection, as when a certificate is not trusted any more: another one does. */
  async #tellWhy(retryIn: number): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    const { client, connection: given } = this.#options
    try {
      const connection = await client().connect({ ...given.target, reconnectDelay: () => retryIn })
      await connection.close()
    } catch (error) {
      if (!this.#online && !this.#closed) this.#tell(error, 'has no connection to', retryIn)
    } finally {
      this.#asking = false
    }
  }

  #back(connection: NatsConnection): void {
    this.#online = true
    for (const [subject, payload] of this.#unsaid.splice(0)) connection.publish(subject, payload)
    this.#connected()
    this.#wake()
  }

  /** What the server or the client say of the connection, and what is not its end. */
  #trouble(error: unknown): void {
    const process = this.#process
    const { text, err } = withoutSecrets(error, this.#options.connection.target)
    process.runtime.logger.warn({ process: `${process}`, err }, `${process}: ${text}`)
  }

  /** The client has given up. */
  #gone(connection: NatsConnection, error: unknown): void {
    if (this.#connection !== connection) return
    this.#connection = undefined
    if (this.#online) this.#disconnected()
    if (this.#unsaid.length > 0) this.#trouble(new Error(`${this.#unsaid.length} answers are lost with the connection`))
    this.#unsaid = []
    this.#wake(error ?? new NatsError('not_connected', 'the connection was closed'))
  }

  #wake(error?: unknown): void {
    for (const waiting of this.#waiting.splice(0)) waiting(error)
  }
}

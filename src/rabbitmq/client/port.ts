/**
 * What the connector needs of an AMQP client: a part of the promises of amqplib, under their names. Another client, or a scripted
 * one in a test, has to do no more than this.
 */

/** Where to connect to, and how; complete. */
export interface ConnectTarget {
  readonly protocol: 'amqp' | 'amqps'
  readonly hostname: string
  readonly port: number
  readonly username: string
  readonly password: string
  readonly virtualHost: string
  readonly authMechanism: AuthMechanism
  readonly channelMax: number | undefined
  readonly frameMax: number | undefined
  /** Seconds; `undefined` as the server says. */
  readonly heartbeat: number | undefined
  /** Milliseconds. */
  readonly connectionTimeout: number
  /** What the server shows as its connection. */
  readonly name: string | undefined
  readonly clientProperties: Readonly<Record<string, unknown>>
  /** Options of `net.connect`, or of `tls.connect`. */
  readonly socketOptions: Readonly<Record<string, unknown>>
}

export type AuthMechanism = 'plain' | 'amqplain' | 'external'

export interface AmqpClient {
  /** Loads what it needs, if there is something: a source does not start without it. */
  load?(): Promise<unknown>
  connect(target: ConnectTarget): Promise<AmqpConnection>
}

export interface AmqpConnection {
  createChannel(): Promise<AmqpChannel>
  createConfirmChannel(): Promise<AmqpConfirmChannel>
  close(): Promise<void>
  /** Lets go of the socket at once. */
  destroy(): void
  on(event: 'error' | 'close' | 'blocked' | 'unblocked', listener: (what?: unknown) => void): unknown
}

/** A message as the client gives it. */
export interface AmqpDelivery {
  readonly content: Buffer
  readonly fields: AmqpFields
  readonly properties: AmqpProperties
}

/** Where a message comes from. */
export interface AmqpFields {
  readonly deliveryTag: number
  readonly redelivered: boolean
  readonly exchange: string
  readonly routingKey: string
  readonly consumerTag: string
}

/** What whoever published a message said about it. */
export interface AmqpProperties {
  readonly contentType?: string | undefined
  readonly contentEncoding?: string | undefined
  readonly headers?: Readonly<Record<string, unknown>> | undefined
  /** 2 for what survives a restart of the server. */
  readonly deliveryMode?: number | undefined
  readonly priority?: number | undefined
  readonly correlationId?: string | undefined
  readonly replyTo?: string | undefined
  /** Milliseconds, as text. */
  readonly expiration?: string | undefined
  readonly messageId?: string | undefined
  /** Seconds since 1970. */
  readonly timestamp?: number | undefined
  readonly type?: string | undefined
  readonly userId?: string | undefined
  readonly appId?: string | undefined
  readonly clusterId?: string | undefined
}

interface Tagged {
  readonly fields: { readonly deliveryTag: number }
}

export interface AmqpChannel {
  prefetch(count: number): Promise<unknown>
  assertQueue(queue?: string, options?: object): Promise<{ readonly queue: string }>
  checkQueue(queue: string): Promise<{ readonly queue: string; readonly messageCount: number }>
  bindQueue(queue: string, exchange: string, pattern: string, args?: object): Promise<unknown>
  assertExchange(exchange: string, type: string, options?: object): Promise<unknown>
  consume(
    queue: string,
    onMessage: (delivery: AmqpDelivery | null) => void,
    options?: object,
  ): Promise<{ readonly consumerTag: string }>
  cancel(consumerTag: string): Promise<unknown>
  /** `allUpTo`: also all that came before. */
  ack(message: Tagged, allUpTo?: boolean): void
  nack(message: Tagged, allUpTo?: boolean, requeue?: boolean): void
  close(): Promise<void>
  on(event: 'error' | 'close' | 'drain' | 'return' | 'ack' | 'nack', listener: (what?: unknown) => void): unknown
  off(event: 'error' | 'close', listener: (what?: unknown) => void): unknown
}

export interface AmqpConfirmChannel extends AmqpChannel {
  /** False when it is better to wait for `drain`. The events `ack` and `nack` tell what the server has. */
  publish(exchange: string, routingKey: string, content: Buffer, options: object): boolean
}

/** Lends channels, of connections that it shares as it likes. */
export interface ChannelPool {
  checkout(): Promise<AmqpChannel> | AmqpChannel
  /** It has the channel again: open when it can be used by somebody else, closed when something had still been going on on it. */
  checkin(channel: AmqpChannel): Promise<void> | void
}

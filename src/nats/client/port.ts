/**
 * What the connector needs of a client of NATS: a connection, the messages on it, and the few requests to JetStream. Another client,
 * or a scripted one in a test, has to do no more than this.
 */

/** Where to connect to, and how; complete. */
export interface NatsTarget {
  /** `host:port`, or URLs with `tls://`. */
  readonly servers: readonly string[]
  readonly username: string | undefined
  readonly password: string | undefined
  readonly token: string | undefined
  /** Options of TLS, as the client has them: `ca`, `cert`, `key`, `caFile` ... */
  readonly tls: Readonly<Record<string, unknown>> | undefined
  /** An authenticator of the client, as for credentials files. */
  readonly authenticator: unknown
  /** What the server shows as its connection. */
  readonly name: string | undefined
  /** Milliseconds until an attempt to connect is given up, and a request to JetStream. */
  readonly timeout: number
  /** Milliseconds between signs of life. */
  readonly pingInterval: number | undefined
  readonly inboxPrefix: string | undefined
  /** The domain of JetStream. */
  readonly domain: string | undefined
  /** Milliseconds to wait before the client connects again; asked before each attempt. */
  readonly reconnectDelay: () => number
}

export interface NatsClient {
  /** Loads what it needs, if there is something: a source does not start without it. */
  load?(): Promise<unknown>
  connect(target: NatsTarget): Promise<NatsConnection>
}

/** A message as it comes from the server: one of a stream, or a word about a request for messages. */
export interface NatsDelivery {
  readonly subject: string
  readonly data: Uint8Array
  /** Where answers go to: it also says which delivery of which message this is. */
  readonly reply: string
  /** 0 for a message of a stream. */
  readonly status: number
  readonly description: string
  readonly headers: NatsHeaders
}

/** Each name has at least one value. */
export type NatsHeaders = Readonly<Record<string, readonly string[]>>

export interface NatsSubscription {
  /** The server sends no more; what is on its way still comes, and then it resolves. */
  drain(): Promise<void>
  /** Nothing comes any more. */
  unsubscribe(): void
}

export interface NatsSending {
  /** By which the server knows a message that it has already. */
  readonly messageId: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly expect: PublishExpectations | undefined
  /** Milliseconds. */
  readonly timeout: number
}

/** What has to be so for a message to be stored. */
export interface PublishExpectations {
  /** The stream that takes it. */
  readonly streamName?: string | undefined
  /** The sequence number of the last message of the stream. */
  readonly lastSequence?: number | undefined
  /** The sequence number of the last message of the same subject; 0 for none. */
  readonly lastSubjectSequence?: number | undefined
  readonly lastMsgID?: string | undefined
}

/** The configuration of a stream or a consumer, with the names that the server has for its fields. */
export type NatsConfig = Readonly<Record<string, unknown>>

export interface NatsConsumerInfo {
  readonly config: NatsConfig
  /** Messages that wait to be delivered for the first time. */
  readonly waiting: number
}

/** What `changed` of a connection is told. */
export type NatsConnectionChange =
  | { readonly type: 'disconnect' }
  /** An attempt to make it again begins. */
  | { readonly type: 'reconnecting' }
  | { readonly type: 'reconnect' }
  | { readonly type: 'error'; readonly error: unknown }

export interface NatsConnection {
  /** Of the server: `2.9.10`. */
  readonly version: string
  /** The API of JetStream: `$JS.API`. */
  readonly apiPrefix: string
  /** Told what happens to the connection, which comes back by itself. */
  changed: (change: NatsConnectionChange) => void
  /** Resolves when it is closed for good; with an error when nobody has asked for that. */
  readonly closed: Promise<unknown>
  inbox(): string
  /** Sent soon; without a connection it is lost. */
  publish(subject: string, payload: string, reply?: string): void
  request(subject: string, payload: string, timeout: number): Promise<unknown>
  subscribe(subject: string, onDelivery: (delivery: NatsDelivery) => void): NatsSubscription
  /** Resolves when a stream has the message. Rejects with `unroutable`, `refused` or `bad_publication`, or when nobody knows. */
  send(subject: string, content: Uint8Array | string, sending: NatsSending): Promise<void>
  /** `undefined` when it is not there. */
  streamConfig(stream: string): Promise<NatsConfig | undefined>
  addStream(config: NatsConfig): Promise<void>
  consumerInfo(stream: string, consumer: string): Promise<NatsConsumerInfo | undefined>
  addConsumer(stream: string, config: NatsConfig): Promise<void>
  /** Resolves when the server has had everything that was sent. */
  flush(): Promise<void>
  close(): Promise<void>
}

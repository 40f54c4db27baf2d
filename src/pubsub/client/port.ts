/**
 * What the connector needs of a client of Pub/Sub: a few requests. There are two, over gRPC with Google's package and over REST
 * without any; a scripted one in a test has to do no more than this.
 */

/** What a request fails with has a `status` of HTTP, or a `code` of gRPC; another error is one of the connection. */
export interface PubSubClient {
  /** Takes some messages, up to `maxMessages`; waits for the first as long as the service likes. */
  pull(subscription: string, maxMessages: number, signal: AbortSignal): Promise<readonly ReceivedMessage[]>
  acknowledge(subscription: string, ackIds: readonly string[]): Promise<void>
  /** They are delivered again after so many seconds from now on; with 0 at once. */
  modifyAckDeadline(subscription: string, ackIds: readonly string[], seconds: number): Promise<void>
  /** Has the service send messages as they come. A client without it can only pull. */
  stream?(request: StreamRequest, listener: StreamListener): MessageStream
  publish(topic: string, messages: readonly OutgoingMessage[], signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** A message as the client gives it. */
export interface ReceivedMessage {
  readonly ackId: string
  /** Times that it was delivered, with this one; `null` when the subscription has no dead-letter policy. */
  readonly deliveryAttempt: number | null
  readonly messageId: string
  /** `null` for a message that has attributes only. */
  readonly data: Buffer | null
  readonly attributes: Readonly<Record<string, string>>
  /** Empty for one without. */
  readonly orderingKey: string
  readonly publishTime: Date | null
}

/** A message for a topic. */
export interface OutgoingMessage {
  readonly data: Uint8Array
  readonly attributes: Readonly<Record<string, string>>
  readonly orderingKey: string
}

export interface StreamRequest {
  readonly subscription: string
  /** Messages sent ahead of their answers at most. */
  readonly maxOutstandingMessages: number
  /** For how long each is lent. */
  readonly ackDeadlineSeconds: number
}

export interface StreamListener {
  received(messages: readonly ReceivedMessage[]): void
  /** Nothing more comes: the service ended it, or an error, or whoever opened it. Called once. */
  ended(error: unknown): void
}

export interface MessageStream {
  /** Takes no more for now. */
  pause(): void
  resume(): void
  /** Says that somebody is still there. */
  ping(): void
  /** Asks the service to end it; what comes until `ended` is still received. */
  end(): void
  /** Ends it at once. */
  cancel(): void
}

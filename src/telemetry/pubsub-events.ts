/** What sources of Pub/Sub tell. */

/** A source asks for messages. */
export interface PubSubPullStart {
  /** The source. */
  readonly process: string
  /** Messages that are asked for. */
  readonly demand: number
}

/** The service has answered. */
export interface PubSubPullStop extends PubSubPullStart {
  /** Messages that came. */
  readonly messages: number
}

/** A pull has failed for good, or a stream has ended. */
export interface PubSubReceiveFailure {
  readonly process: string
  readonly message: string
  /** Milliseconds until the next attempt; `undefined` when there is none. */
  readonly retryIn: number | undefined
}

export interface PubSubAck {
  readonly process: string
  readonly answer: 'ack' | 'nack'
  /** Messages that were answered for at once. */
  readonly messages: number
  /** Why requests failed, when they did: some of the messages are delivered again. */
  readonly failures: readonly string[]
}

/** What sources of SQS tell. */

/** A source asks for messages. */
export interface SqsReceiveStart {
  /** The source. */
  readonly process: string
  /** Messages that are asked for, at most ten. */
  readonly demand: number
}

/** SQS has answered. */
export interface SqsReceiveStop extends SqsReceiveStart {
  /** Messages that came. */
  readonly messages: number
}

export interface SqsReceiveFailure {
  readonly process: string
  readonly message: string
  /** Milliseconds until the next attempt; `undefined` when there is none. */
  readonly retryIn: number | undefined
}

export interface SqsAck {
  readonly process: string
  readonly answer: 'ack' | 'retry'
  /** Messages that were answered for at once. */
  readonly messages: number
  /** Those of them for which that failed, and which are received again. */
  readonly failed: number
}

/** What goes into a queue, what comes out of it, and what it tells about itself. */

/** What may be said about a message when it is enqueued. */
export interface EnqueueOptions {
  /** Milliseconds until it can be received, >= 0. Default 0. */
  readonly delay?: number | undefined
  /** Messages of one key are delivered in order, the next when the one before is done with. Default: no order is kept. */
  readonly key?: string | undefined
  /** Anything that travels with the message. Default `{}`. */
  readonly metadata?: Metadata | undefined
}

export type Metadata = Readonly<Record<string, unknown>>

/** A message on its way into a queue. */
export interface NewMessage<T> extends EnqueueOptions {
  readonly data: T
}

/**
 * Stands for one delivery of a message: acknowledges it, gives it back, extends it. Good until the message is delivered again
 * or given back.
 */
export type Receipt = number

/** A message as it was received. */
export interface Received<T> {
  /** The same at each delivery; counts from 1 in each store. */
  readonly id: number
  /** Another one at each delivery. */
  readonly receipt: Receipt
  readonly data: T
  readonly key: string | undefined
  readonly metadata: Metadata
  /** Deliveries so far, with this one: 1 the first time. */
  readonly attempts: number
  /** Milliseconds since it was enqueued. */
  readonly age: number
}

/** A message that was given up. */
export interface DeadLetter<T> extends Omit<Received<T>, 'receipt'> {
  /** What was said at the last `nack` or `deadLetter`; `'visibility_timeout'` when nobody answered for it. */
  readonly reason: unknown
}

/** A message in the store of a queue. */
export interface StoredMessage<T> extends DeadLetter<T> {
  readonly state: 'ready' | 'delayed' | 'in_flight' | 'dead'
}

/** A queue at one moment, and what it did. */
export interface QueueStats {
  /** Messages that can be received, with those that are behind another of their key. */
  readonly ready: number
  /** Messages that wait for their time. */
  readonly delayed: number
  /** Messages that were received and neither acknowledged nor given back. */
  readonly inFlight: number
  readonly dead: number
  /** How many it holds at most, all of these together. */
  readonly capacity: number
  /** Milliseconds since the oldest message that is not dead was enqueued; 0 when there is none. */
  readonly oldestAge: number
  /** Callers of `receive` that wait for messages. */
  readonly waitingToReceive: number
  /** Messages that wait for room. */
  readonly waitingToEnqueue: number
  readonly closed: boolean
  /** Since the store was made. */
  readonly totals: QueueTotals
}

/** What was done since the store of a queue was made, in messages. */
export interface QueueTotals {
  readonly enqueued: number
  /** Deliveries: a message counts each time. */
  readonly delivered: number
  readonly acknowledged: number
  /** Given back by `nack`. */
  readonly returned: number
  /** Came back because their visibility timeout was over. */
  readonly expired: number
  /** Became dead letters. */
  readonly dead: number
  /** Dead letters that were put into the queue again. */
  readonly redriven: number
  /** Dead letters that were thrown away. */
  readonly discarded: number
}

/** What the example needs of a broker: two queues, each of which keeps what it was given until somebody has answered for it. */

import type { ChildSpec, Emits, Message, RetryOptions } from 'sluice'
import type { PipelineStage } from 'sluice/broadway'
import type { Booking, Confirmation } from '../booking.ts'

export interface Broker {
  /** For people: `RabbitMQ at 127.0.0.1:5672`; `undefined` for the one inside this program. */
  readonly name: string | undefined
  /** It outlives the program: what is left waits for the next run, and others may put something in too. */
  readonly isShared: boolean
  /** Its processes, to be started before everybody who needs them. */
  readonly children: readonly ChildSpec[]
  readonly bookings: BrokerQueue<Booking>
  readonly confirmations: BrokerQueue<Confirmation>
  close(): Promise<void>
}

export interface BrokerQueue<T> {
  readonly name: string
  /** Messages that waited when the program began; `undefined` when the broker cannot say it. */
  readonly waiting: number | undefined
  readonly source: BrokerSource<T>
  /** How the pipeline tries again what has failed; `undefined` when the broker does that. */
  readonly retry: Pick<RetryOptions, 'attempts' | 'backoff'> | undefined
  /**
   * Takes what has failed, before the pipeline answers for it: what was given up becomes a dead letter, the rest comes again. `undefined`
   * when the broker sees to that by itself, where it is told that messages have failed.
   */
  readonly deadLetter:
    | ((failed: readonly Message[], context: unknown, stage: PipelineStage) => Promise<void>)
    | undefined
  /** Resolves when the broker has all of them. */
  publish(data: readonly T[], signal?: AbortSignal): Promise<void>
  /** It is worth to publish more: who is to take it is not far behind. */
  hasRoom(): Promise<boolean>
  /** Nothing is left in the queue, nor does anybody have something of it in hand. */
  isDone(): Promise<boolean>
  stats(): Promise<QueueStats>
  /** When its pipeline has ended. @param patience Milliseconds that its server has to say what is left. */
  account(patience: number): Promise<QueueAccount>
}

/** Where a pipeline gets the messages of a queue from. */
export interface BrokerSource<T> {
  /** A producer, of whatever it emits. */
  readonly module: new () => Emits<unknown>
  /** Messages with the same key stay together by themselves, and the pipeline must not partition them. */
  readonly isPartitioned: boolean
  // A method, because only it knows what the producer emits.
  /** The message of what the producer emits; its data is `undefined` when somebody put something else into the queue. */
  read(event: unknown): Message<T | undefined, string, Delivery>
}

/** What is known of a message beside its data. */
export interface Delivery {
  /** Deliveries so far, with this one; 2 stands for any that came before where the broker does not count. */
  readonly attempts: number
}

export interface QueueStats {
  /** Messages that nobody has; `undefined` while the broker does not say. */
  readonly ready: number | undefined
  readonly inHand: number
  /** To be tried again by the broker. */
  readonly delayed: number
  readonly dead: number
  /** Answered for, those that are dead included. */
  readonly done: number
}

export interface QueueAccount {
  /** Messages that waited at the beginning, as far as the broker can say it, and that this program has published. */
  readonly accepted: number
  /** What is left, and what was given up by this run. */
  readonly stored: readonly Stored[]
  /** Why it is not known what is left; `undefined` when it is. */
  readonly unknown: string | undefined
  /** Deliveries that came to nothing, and were repeated or given up. */
  readonly retried: number
}

export interface Stored {
  /** Of the booking. */
  readonly id: string
  /** A dead letter: it is delivered no more. */
  readonly isDead: boolean
}

/** How fast things are tried again; `chaos` expects a lot of that. */
export interface Patience {
  readonly chaos: boolean
}

/** Deliveries of a message, or attempts with it, until it is given up. */
export const ATTEMPTS = 6
/** Bookings that wait; customers wait for room. */
export const CAPACITY = 500

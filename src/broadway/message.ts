/**
 * Message: what travels through a pipeline: the data, and everything that is needed to acknowledge it at its end. A message
 * does not change; every method gives a new one.
 *
 * It is a flat class on purpose: a pipeline makes one for every event, and some more on the way.
 */

import { declareFreezer, deepFreeze } from '../stage/freeze.ts'
import { show } from '../stage/show.ts'
import type { Acknowledger } from './acknowledger.ts'
import { BroadwayError } from './errors.ts'
import { noopAcknowledger } from './noop-acknowledger.ts'

/** Whether a message waits until its batch is complete, or has the batch leave at once, with all that it holds. */
export type BatchMode = 'bulk' | 'flush'

/** Why a message failed: `failed` by `message.failed(reason)`; otherwise a callback threw, or called a process that ended. */
export interface Failure {
  readonly kind: 'failed' | 'error' | 'throw' | 'exit'
  readonly reason: unknown
}

export type MessageStatus = 'ok' | Failure

/** What a message may have beside its data. */
export interface MessageOptions<Batcher extends string = string, Metadata = unknown> {
  /** Told how the message ended. Default: nobody is. */
  readonly acknowledger?: Acknowledger | undefined
  /** What the acknowledger is given; messages with the same one are acknowledged together. */
  readonly ackRef?: unknown
  /** What only this message needs to be acknowledged, such as its receipt. */
  readonly ackData?: unknown
  /** What is known about the data: headers, a key, when it was sent. Default none. */
  readonly metadata?: Metadata | undefined
  /** Default `default`. */
  readonly batcher?: Batcher | undefined
  /** Only messages with the same key are batched together. Default `default`. */
  readonly batchKey?: unknown
  /** Default `bulk`. */
  readonly batchMode?: BatchMode | undefined
}

type Draft<M> = { -readonly [K in keyof M]: M[K] }

const NO_OPTIONS: MessageOptions<never, never> = Object.freeze({})
const NO_METADATA: object = Object.freeze({})

/**
 * One message. `Batcher` is where it goes after `handleMessage`, as far as the compiler knows.
 *
 * Elixir: `Broadway.Message`.
 */
export class Message<out Data = unknown, out Batcher extends string = string, out Metadata = unknown> {
  readonly data: Data
  readonly acknowledger: Acknowledger
  readonly ackRef: unknown
  readonly ackData: unknown
  readonly metadata: Metadata
  readonly batcher: Batcher
  readonly batchKey: unknown
  readonly batchMode: BatchMode
  readonly status: MessageStatus
  /** Which time it is that the stage it is in handles the message: 1, and more when it is handled again. */
  readonly attempts: number
  /**
   * The message that this one was made from.
   *
   * @internal
   */
  readonly origin: Message | undefined
  /**
   * It was acknowledged before its end; only of messages without an origin.
   *
   * @internal
   */
  acknowledged: boolean

  constructor(data: Data, options: MessageOptions<Batcher, Metadata> = NO_OPTIONS) {
    this.data = data
    this.acknowledger = options.acknowledger ?? noopAcknowledger
    this.ackRef = options.ackRef
    this.ackData = options.ackData
    this.metadata = (options.metadata ?? NO_METADATA) as Metadata
    this.batcher = (options.batcher ?? 'default') as Batcher
    this.batchKey = options.batchKey ?? 'default'
    this.batchMode = options.batchMode ?? 'bulk'
    if (options instanceof Message) {
      this.status = options.status
      this.attempts = options.attempts
      this.origin = options.origin ?? options
    } else {
      this.status = 'ok'
      this.attempts = 1
      this.origin = undefined
    }
    this.acknowledged = false
  }

  /** Other data, made from what is there: `message.updateData(JSON.parse)`. Elixir: `Message.update_data`. */
  updateData<T>(update: (data: Data) => T): Message<T, Batcher, Metadata> {
    return new Message(update(this.data), this)
  }

  /** Other data. Elixir: `Message.put_data`. */
  putData<T>(data: T): Message<T, Batcher, Metadata> {
    return new Message(data, this)
  }

  /** Where it goes after `handleMessage`. Elixir: `Message.put_batcher`. */
  putBatcher<B extends string>(batcher: B): Message<Data, B, Metadata> {
    const copy: Draft<Message<Data, string, Metadata>> = new Message(this.data, this)
    copy.batcher = batcher
    return copy as Message<Data, B, Metadata>
  }

  /** Only messages with the same key are batched together: a string, a number; objects are told apart by identity. */
  putBatchKey(batchKey: unknown): Message<Data, Batcher, Metadata> {
    const copy: Draft<Message<Data, Batcher, Metadata>> = new Message(this.data, this)
    copy.batchKey = batchKey
    return copy
  }

  /**
   * `flush`: its batch leaves at once. Elixir: `Message.put_batch_mode`.
   *
   * @throws `BroadwayError` `bad_message`.
   */
  putBatchMode(batchMode: BatchMode): Message<Data, Batcher, Metadata> {
    const copy: Draft<Message<Data, Batcher, Metadata>> = new Message(this.data, this)
    if (batchMode !== 'bulk' && batchMode !== 'flush') {
      throw new BroadwayError('bad_message', `putBatchMode: expected 'bulk' or 'flush', got ${show(batchMode)}`)
    }
    copy.batchMode = batchMode
    return copy
  }

  /**
   * Marks it as failed: it goes to no batcher, `handleFailed` gets it, and its acknowledger is told. Elixir: `Message.failed`.
   */
  failed(reason: unknown): Message<Data, never, Metadata> {
    return withFailure(this, { kind: 'failed', reason }) as Message<Data, never, Metadata>
  }

  /**
   * Changes how it will be acknowledged; what the options are is the acknowledger's business. Elixir: `Message.configure_ack`.
   *
   * @throws `BroadwayError` `cannot_configure` when its acknowledger has no `configure`.
   */
  configureAck(options: unknown): Message<Data, Batcher, Metadata> {
    const { acknowledger, ackRef, ackData } = this
    if (acknowledger.configure === undefined) {
      const text = `configureAck: the acknowledger of the message, ${show(acknowledger)}, has no configure, so there is nothing to set`
      throw new BroadwayError('cannot_configure', text)
    }
    const copy: Draft<Message<Data, Batcher, Metadata>> = new Message(this.data, this)
    copy.ackData = acknowledger.configure(ackRef, ackData, options)
    return copy
  }
}

/** The message, failed. */
export function withFailure<Data, Batcher extends string, Metadata>(
  message: Message<Data, Batcher, Metadata>,
  failure: Failure,
): Message<Data, Batcher, Metadata> {
  const copy: Draft<Message<Data, Batcher, Metadata>> = new Message(message.data, message)
  copy.status = failure
  return copy
}

/** The message that a message was made from; itself when it was made from none. */
export function originOf(message: Message): Message {
  return message.origin ?? message
}

/** The message, on another attempt. */
export function onAttempt<M extends Message>(message: M, attempts: number): M {
  const copy: Draft<Message> = new Message(message.data, message)
  copy.attempts = attempts
  return copy as M
}

/** The message without its acknowledger, which has been told; nor will it be told about any other copy of the message. */
export function acknowledgedNow<M extends Message>(message: M): M {
  const { origin = message } = message
  origin.acknowledged = true
  const copy: Draft<Message> = new Message(message.data, message)
  copy.acknowledger = noopAcknowledger
  copy.ackRef = copy.ackData = undefined
  return copy as M
}

/** It was acknowledged before its end. */
export function wasAcknowledged(message: Message): boolean {
  // No pattern in the signature: declarations would have it, without the members that are internal.
  const { origin, acknowledged } = message
  return origin === undefined ? acknowledged : origin.acknowledged
}

// Acknowledgers live on, and what they need is theirs.
declareFreezer(Message, ({ data, metadata }) => {
  deepFreeze(data)
  deepFreeze(metadata)
})

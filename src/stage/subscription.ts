/**
 * The bond between one consumer and one producer. Both hold the same object: it names the subscription in every message
 * (Elixir's `{pid, tag}`), and its two tags are the messages' kinds, so that an ask or a batch on its way allocates nothing.
 */

import type { ExitReason } from '../process/exit-reason.ts'
import { FIRST_FREE_KIND, FIRST_UPKEEP_KIND, Tag } from '../process/message.ts'
import type { Process } from '../process/process.ts'
import type { Ref } from '../process/ref.ts'
import { StageError } from './errors.ts'
import type { Inflow, Replaced } from './inlet.ts'
import type { SubscriptionOptions } from './subscription-options.ts'

// To the producer
export const SUBSCRIBE: number = FIRST_UPKEEP_KIND
export const ASK: number = FIRST_UPKEEP_KIND + 1
export const CANCEL: number = FIRST_UPKEEP_KIND + 2
// To the consumer
export const EVENTS: number = FIRST_FREE_KIND
export const CANCELLED: number = FIRST_UPKEEP_KIND + 3

/** A message of the protocol: its tag knows the subscription. */
export type ProtocolTag<Payload = unknown> = Tag<Payload, Subscription>

export function isProtocol(tag: Tag): tag is ProtocolTag {
  return tag.kind >= FIRST_FREE_KIND
}

export function isSubscribe(tag: ProtocolTag): tag is ProtocolTag<Replaced | undefined> {
  return tag.kind === SUBSCRIBE
}

export function isAsk(tag: ProtocolTag): tag is ProtocolTag<number> {
  return tag.kind === ASK
}

export function isCancel(tag: ProtocolTag): tag is ProtocolTag<ExitReason> {
  return tag.kind === CANCEL
}

export function isEvents(tag: ProtocolTag): tag is ProtocolTag<readonly unknown[]> {
  return tag.kind === EVENTS
}

export function isCancelled(tag: ProtocolTag): tag is ProtocolTag<ExitReason> {
  return tag.kind === CANCELLED
}

/** One subscription, as both sides see it. Compare by identity. */
export class Subscription {
  /** Number of the subscription, unique in its runtime. */
  readonly id: number
  readonly options: SubscriptionOptions<never>
  readonly #consumer: Process
  readonly #producer: Process
  readonly #ask: ProtocolTag
  readonly #events: ProtocolTag
  /** The consumer's side; `undefined` when it knows the subscription no more. */
  inflow: Inflow | undefined = undefined
  /** The producer's side: it accepted the subscription and knows it. */
  accepted = false

  constructor(id: number, consumer: Process, producer: Process, options: SubscriptionOptions<never>) {
    this.id = id
    this.options = options
    this.#consumer = consumer
    this.#producer = producer
    this.#ask = new Tag(ASK, this)
    this.#events = new Tag(EVENTS, this)
  }

  get consumer(): Ref {
    return this.#consumer.ref
  }

  get producer(): Ref {
    return this.#producer.ref
  }

  /** The processes, for the layer itself. */
  get ends(): { readonly consumer: Process; readonly producer: Process } {
    return { consumer: this.#consumer, producer: this.#producer }
  }

  /**
   * Asks the producer for `demand` more events; 0 does nothing. For the consumer of a manual subscription only, which keeps
   * its own bounds.
   *
   * @throws `StageError` `bad_options` for anything but a whole number >= 0.
   */
  ask(demand: number): void {
    if (demand > 0 && Number.isInteger(demand)) this.#producer.deliver(this.#ask, demand)
    else if (demand !== 0) {
      throw new StageError('bad_options', `ask of ${this}: expected a whole number >= 0, got ${String(demand)}`)
    }
  }

  /** Ends the subscription. Both sides get `handleCancel`; the consumer then does what its cancel mode says. */
  cancel(reason: ExitReason = 'normal'): void {
    this.#producer.deliver(new Tag(CANCEL, this), reason)
  }

  /** Sends events to the consumer: for dispatchers. */
  deliver(events: readonly unknown[]): void {
    this.#consumer.deliver(this.#events, events)
  }

  toString(): string {
    return `subscription ${this.id} of ${this.#consumer} to ${this.#producer}`
  }
}

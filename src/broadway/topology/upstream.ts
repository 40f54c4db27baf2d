/** Whom a processor is subscribed to: every producer, and again when it comes back. */

import type { Timer } from '../../process/clock.ts'
import { type ExitReason, isOrderly } from '../../process/exit-reason.ts'
import type { Name } from '../../process/name.ts'
import { StageError } from '../../stage/errors.ts'
import type { Subscription } from '../../stage/subscription.ts'
import type { Emits, SubscribeTo } from '../../stage/subscription-options.ts'
import type { Message } from '../message.ts'

/** What a processor asks its producers for. */
export interface UpstreamOptions {
  readonly producers: readonly Name<Emits<Message>>[]
  /** The names of those that have come to their end and do not come back. */
  readonly ended: ReadonlySet<string>
  readonly maxDemand: number
  readonly minDemand: number
  /** Its number, when the producers have partitions. */
  readonly partition: number | undefined
  /** They come to an end, and do not come back from it. */
  readonly finite: boolean
  /** Milliseconds after which it looks again for a producer that has gone. */
  readonly resubscribeInterval: number
}

/** The stage, as far as its producers are concerned. */
export interface Subscriber {
  subscribe(to: SubscribeTo<Message>): Subscription
  sendAfter(message: unknown, ms: number): Timer
}

/** Comes to a processor when it is time to look for a producer again. */
class LookAgain {
  readonly producer: Name<Emits<Message>>

  constructor(producer: Name<Emits<Message>>) {
    this.producer = producer
  }
}

export class Upstream {
  readonly #stage: Subscriber
  readonly #options: UpstreamOptions
  readonly #subscriptions = new Map<Subscription, Name<Emits<Message>>>()
  #leaving = false

  constructor(stage: Subscriber, options: UpstreamOptions) {
    this.#stage = stage
    this.#options = options
  }

  /** It has left all producers for good. */
  get ended(): boolean {
    return this.#leaving && this.#subscriptions.size === 0
  }

  /** Subscribes to all producers. */
  begin(): void {
    for (const producer of this.#options.producers) this.#subscribe(producer)
  }

  /** The pipeline ends: who goes now does not come back. */
  leave(): void {
    this.#leaving = true
  }

  /** Leaves its producers by itself; what they have sent until then still comes. */
  letGo(): void {
    this.#leaving = true
    for (const subscription of this.#subscriptions.keys()) subscription.cancel('shutdown')
  }

  /** A subscription has ended; false when it was none to a producer. */
  gone(subscription: Subscription, reason: ExitReason): boolean {
    const producer = this.#subscriptions.get(subscription)
    if (producer === undefined) return false
    this.#subscriptions.delete(subscription)
    if (!this.#leaving && !(this.#options.finite && isOrderly(reason))) this.#lookAgain(producer)
    return true
  }

  /** Takes a message that it sent to itself; false when it is another one. */
  handleInfo(message: unknown): boolean {
    if (!(message instanceof LookAgain)) return false
    if (!this.#leaving) this.#subscribe(message.producer)
    return true
  }

  #subscribe(producer: Name<Emits<Message>>): void {
    const { maxDemand, minDemand, partition } = this.#options
    try {
      const to = { to: producer, cancel: 'temporary', maxDemand, minDemand, partition } as const
      this.#subscriptions.set(this.#stage.subscribe(to), producer)
    } catch (error) {
      if (!(error instanceof StageError && error.code === 'noproc')) throw error
      if (!this.#options.ended.has(`${producer}`)) this.#lookAgain(producer)
    }
  }

  #lookAgain(producer: Name<Emits<Message>>): void {
    this.#stage.sendAfter(new LookAgain(producer), this.#options.resubscribeInterval)
  }
}

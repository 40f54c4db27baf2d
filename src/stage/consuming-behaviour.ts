/** What a stage with an inlet does with the messages of its producers: subscriptions and their ends. */

import { type ExitReason, isOrderly } from '../process/exit-reason.ts'
import { payloadOf, Tag } from '../process/message.ts'
import type { Cause, Process } from '../process/process.ts'
import type { Down } from '../process/signals.ts'
import { StageError } from './errors.ts'
import { endsConsumer, followsUpstream, type Inflow, Inlet, type Replaced } from './inlet.ts'
import { optionsOf, type Stage } from './stage.ts'
import { manual, StageBehaviour } from './stage-behaviour.ts'
import { CANCEL, isCancelled, isEvents, type ProtocolTag, type Subscription } from './subscription.ts'
import { checkSubscription, type SubscriptionOptions } from './subscription-options.ts'
import { producerBehind, type Subscribing, subscribing } from './subscription-target.ts'

export abstract class ConsumingBehaviour extends StageBehaviour {
  readonly inlet: Inlet = new Inlet(this.process)
  /** The stage drains: it ends, with this reason, when its producers have gone and what they sent is handled. */
  protected draining: ExitReason | undefined = undefined
  #subscribeTo: readonly Subscribing<never>[] = []

  // ---- Start

  override configure(instance: Stage, options: Readonly<Record<string, unknown>>): void {
    const { subscribeTo } = { ...optionsOf(instance), ...options } as {
      readonly subscribeTo?: readonly Subscribing<never>[]
    }
    if (subscribeTo !== undefined && !Array.isArray(subscribeTo)) {
      throw new StageError(
        'bad_options',
        `subscribeTo of ${this.process}: expected an array of subscriptions, got ${String(subscribeTo)}`,
      )
    }
    this.#subscribeTo = subscribeTo ?? []
  }

  protected override initialised(): void {
    for (const given of this.#subscribeTo) {
      const { to, options } = subscribing(given)
      const { cancel } = checkSubscription(options)
      try {
        this.subscribe(producerBehind(this.process, to, options), options)
      } catch (error) {
        if (!(cancel === 'temporary' && error instanceof StageError && error.code === 'noproc')) throw error
      }
      // `handleSubscribe` asked to stop: the start is refused with its reason.
      if (this.stopReason !== undefined) throw this.stopReason
    }
    this.#subscribeTo = []
  }

  // ---- Subscriptions

  override get upstream(): readonly Process[] {
    return this.inlet.producers.map(({ ends }) => ends.producer)
  }

  protected override get consumes(): boolean {
    return true
  }

  protected override get subscriptions(): readonly Subscription[] {
    return this.inlet.producers
  }

  /** Requests a subscription and runs `handleSubscribe`. */
  subscribe(producer: Process, options: SubscriptionOptions<never>, replaced?: Replaced): Subscription {
    return this.inlet.subscribe(producer, options, replaced, (subscription) => {
      const answer = this.instance.handleSubscribe('producer', subscription)
      // Who stops asks for nothing more, it would be lost.
      if (answer === undefined || answer === manual) return answer === undefined && !this.stopRequested
      throw new StageError(
        'bad_return',
        `handleSubscribe of ${this.process} returned ${String(answer)}, expected manual or nothing`,
      )
    })
  }

  protected override receiveProtocol(tag: ProtocolTag, payload: unknown): void {
    const subscription = tag.subject
    if (isEvents(tag)) {
      if (subscription.inflow === undefined) this.#refuse(subscription)
      else this.eventsArrived(subscription, payloadOf(tag, payload))
    } else if (isCancelled(tag)) this.#producerGone(subscription, 'cancel', payloadOf(tag, payload))
    else this.misdirected('a message for producers', subscription)
  }

  /** Events of a subscription that the stage does not know: they are dropped and the producer is told. */
  #refuse(subscription: Subscription): void {
    subscription.ends.producer.deliver(new Tag(CANCEL, subscription), 'unknown_subscription')
  }

  protected abstract eventsArrived(subscription: Subscription, events: readonly unknown[]): void

  protected override peerDown(down: Down): boolean {
    const subscription = this.inlet.watched(down.monitor)
    if (subscription !== undefined) this.#producerGone(subscription, 'down', down.reason)
    return subscription !== undefined
  }

  #producerGone(subscription: Subscription, kind: 'cancel' | 'down', reason: ExitReason): void {
    const inflow = this.inlet.forget(subscription)
    if (inflow !== undefined) this.producerGone({ subscription, inflow, kind, reason })
  }

  /** A producer has gone; a producer-consumer first handles what it sent. */
  protected producerGone(gone: ProducerGone): void {
    const { subscription, kind, reason } = gone
    const returned = this.instance.handleCancel({ kind, reason }, subscription)
    this.callback('handleCancel', returned, (value) => {
      this.handled(value)
      if (this.#follows(gone)) {
        followsUpstream(this.process, subscription, kind, reason)
        this.follow(reason)
      }
      this.settled()
    })
  }

  #follows({ inflow, reason }: ProducerGone): boolean {
    if (this.stopRequested || this.draining !== undefined) return false
    if (this.drainAnnounced && isOrderly(reason)) return false
    return endsConsumer(inflow.mode, reason)
  }

  /** Ends with the producer. */
  protected follow(reason: ExitReason): void {
    this.requestStop(reason, causeOf(reason))
  }

  /** A message is done. */
  protected settled(): void {
    if (this.draining !== undefined && this.inlet.empty) this.requestStop(this.draining)
    this.finish()
  }

  /** What a callback returned. */
  abstract handled(result: unknown): void

  // ---- End

  protected override drain(reason: ExitReason): void {
    this.callback('handleDrain', this.instance.handleDrain(), () => {
      this.draining = reason
      for (const subscription of this.inlet.producers) subscription.cancel('normal')
      this.settled()
    })
  }
}

/** The end of a subscription, seen by the consumer. */
export interface ProducerGone {
  readonly subscription: Subscription
  readonly inflow: Inflow
  readonly kind: 'cancel' | 'down'
  readonly reason: ExitReason
}

/** Who ends in order with its producer has finished; who falls with it is no cause, which has been reported. */
export function causeOf(reason: ExitReason): Cause {
  return isOrderly(reason) ? 'stopped' : 'signalled'
}

/** A dispatcher outside of any producer, and consumers that only note what they are sent. */

import type { Dispatcher, Logger, Subscription, SubscriptionOptions } from 'sluice'
import { simulate } from 'sluice/testing'
import { Subscription as RealSubscription } from '../../src/stage/subscription.ts'
import { RawProcess } from './raw-process.ts'
import { range } from './stages.ts'

export class Bench<D extends Dispatcher> {
  /** What it said to the log. */
  readonly said: string[] = []
  /** What it asked the producer for by itself. */
  readonly demanded: number[] = []
  readonly dispatcher: D
  /** The producer: it notes the asks and cancellations that it is sent. */
  readonly producer = new RawProcess()
  readonly #consumers = new Map<Subscription, RawProcess>()

  constructor(dispatcher: D) {
    this.dispatcher = dispatcher
    const note = (_fields: object, text: string): void => {
      this.said.push(text)
    }
    const logger: Logger = { debug: note, info: note, warn: note, error: note }
    const demand = (count: number): void => {
      this.demanded.push(count)
    }
    dispatcher.attach({ producer: 'the producer', logger, random: this.producer.runtime.random, demand })
  }

  /** A subscription that the dispatcher has not heard of. */
  subscription(options: SubscriptionOptions = {}, consumer: RawProcess = new RawProcess()): Subscription {
    const subscription = new RealSubscription(consumer.runtime.nextId(), consumer, this.producer, options)
    this.#consumers.set(subscription, consumer)
    return subscription
  }

  /** One that the dispatcher has accepted. */
  subscribe(options: SubscriptionOptions = {}): Subscription {
    const subscription = this.subscription(options)
    const answer = this.dispatcher.subscribe(subscription)
    if (answer !== 0) throw new Error(`a subscription was answered with ${String(answer)}`)
    return subscription
  }

  subscribeMany(count: number): Subscription[] {
    return range(1, count).map(() => this.subscribe())
  }

  /** Consumers that have asked for these numbers of events. */
  asking(...demands: readonly number[]): Subscription[] {
    return demands.map((demand) => {
      const subscription = this.subscribe()
      if (demand > 0) this.ask(demand, subscription)
      return subscription
    })
  }

  ask(demand: number, subscription: Subscription | undefined): number {
    return subscription === undefined ? 0 : this.dispatcher.ask(demand, subscription)
  }

  /** The messages that a consumer was sent. */
  sent(subscription: Subscription | undefined): unknown[] {
    return (subscription && this.#consumers.get(subscription)?.of('events')) ?? []
  }

  /** The messages that each was sent since this was called last. */
  news(subscriptions: readonly Subscription[]): unknown[][] {
    return subscriptions.map((subscription) => {
      const sent = this.sent(subscription)
      this.#consumers.get(subscription)?.received.splice(0)
      return sent
    })
  }
}

/** Runs a test with a dispatcher of its own. */
export async function bench<D extends Dispatcher>(make: () => D, test: (bench: Bench<D>) => void): Promise<void> {
  await simulate().run(() => test(new Bench(make())))
}

/**
 * The consuming side of a stage: its subscriptions, the demand of each, and the batches that a message of events becomes.
 */

import { isAnswered } from '../process/answering.ts'
import { describeReason, type ExitReason, isOrderly, isShutdown } from '../process/exit-reason.ts'
import { Tag } from '../process/message.ts'
import type { Process } from '../process/process.ts'
import type { Monitor } from '../process/signals.ts'
import type { Demand } from './batches.ts'
import { SUBSCRIBE, Subscription } from './subscription.ts'
import { type CheckedSubscription, checkSubscription, type SubscriptionOptions } from './subscription-options.ts'

/** The consumer's side of a subscription. */
export interface Inflow extends Demand {
  readonly monitor: Monitor
  readonly mode: CheckedSubscription['cancel']
  /** The stage asks by itself; otherwise its code does, and each message is one batch. */
  readonly automatic: boolean
}

/** Who is replaced by a new subscription, and why. */
export interface Replaced {
  readonly subscription: Subscription
  readonly reason: ExitReason
}

export class Inlet {
  readonly #process: Process
  readonly #subscriptions = new Map<Monitor, Subscription>()

  constructor(process: Process) {
    this.#process = process
  }

  get producers(): readonly Subscription[] {
    return [...this.#subscriptions.values()]
  }

  get empty(): boolean {
    return this.#subscriptions.size === 0
  }

  /**
   * Requests a subscription; `accept` runs `handleSubscribe` and says whether the stage asks by itself.
   *
   * @throws `StageError` `bad_options`.
   */
  subscribe(
    producer: Process,
    options: SubscriptionOptions<never>,
    replaced: Replaced | undefined,
    accept: (subscription: Subscription) => boolean,
  ): Subscription {
    const { cancel, min, max } = checkSubscription(options)
    const subscription = new Subscription(this.#process.runtime.nextId(), this.#process, producer, options)
    const monitor = this.#process.monitor(producer)
    // Another producer does not know it.
    const known = replaced?.subscription.ends.producer === producer
    if (!known) replaced?.subscription.cancel(replaced.reason)
    producer.deliver(new Tag(SUBSCRIBE, subscription), known ? replaced : undefined)
    const automatic = accept(subscription)
    subscription.inflow = { monitor, mode: cancel, automatic, demand: max, min, max }
    this.#subscriptions.set(monitor, subscription)
    if (automatic) subscription.ask(max)
    return subscription
  }

  watched(monitor: Monitor): Subscription | undefined {
    return this.#subscriptions.get(monitor)
  }

  /** Forgets a subscription that has ended. */
  forget(subscription: Subscription): Inflow | undefined {
    const { inflow } = subscription
    if (inflow === undefined) return undefined
    subscription.inflow = undefined
    this.#subscriptions.delete(inflow.monitor)
    this.#process.demonitor(inflow.monitor, true)
    return inflow
  }
}

/** Whether the end of a subscription ends the consumer. */
export function endsConsumer(mode: CheckedSubscription['cancel'], reason: ExitReason): boolean {
  if (reason === ALREADY_SUBSCRIBED || mode === 'temporary') return false
  return mode === 'permanent' || !(reason === 'normal' || isShutdown(reason))
}

/** A dispatcher refused a second subscription of one consumer: the first goes on. */
const ALREADY_SUBSCRIBED = 'already_subscribed'

/** One line for a stage that stops because another ended. */
export function followsUpstream(
  stage: Process,
  subscription: Subscription,
  kind: 'cancel' | 'down',
  reason: ExitReason,
): void {
  if (isOrderly(reason)) return
  const producer = `${subscription.producer}`
  const what = kind === 'down' ? `${producer} ended` : `its subscription to ${producer} was cancelled`
  const text = `${stage} stops, because ${what}: ${describeReason(reason)}`
  stage.runtime.logger[isAnswered(stage, reason) ? 'debug' : 'warn']({ process: `${stage}`, producer }, text)
}

/** One line for events that nobody asked for; they are handled. */
export function reportExcess(stage: Process, subscription: Subscription, excess: number): void {
  const producer = `${subscription.producer}`
  const text = `${stage} got ${excess} events more than it asked ${producer} for`
  stage.runtime.logger.error({ process: `${stage}`, producer, excess }, text)
}

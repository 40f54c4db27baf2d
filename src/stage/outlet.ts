/**
 * The producing side of a stage: who subscribed, what they are owed, and what waits because nobody asked for it yet.
 */

import type { ExitReason } from '../process/exit-reason.ts'
import { Tag } from '../process/message.ts'
import type { Process } from '../process/process.ts'
import type { Runtime } from '../process/runtime.ts'
import type { Monitor } from '../process/signals.ts'
import { channels } from '../telemetry/channels.ts'
import type { EventBuffer, Info } from './buffer.ts'
import { CheckedDispatcher } from './dispatchers/checked-dispatcher.ts'
import { StageError } from './errors.ts'
import { deepFreeze } from './freeze.ts'
import type { CheckedProducerOptions, DemandMode } from './producer-options.ts'
import { CANCELLED, type Subscription } from './subscription.ts'
import type { SubscriptionOptions } from './subscription-options.ts'

/** What the outlet needs of the stage that it belongs to. */
export interface OutletOwner {
  readonly process: Process
  /** Demand that the buffer could not satisfy, > 0. */
  onDemand(demand: number): void
  /** The buffer overflowed; false when the stage says so itself. */
  reportsDiscarded(count: number): boolean
}

/** What happened while demand was accumulated, in order. */
type Logged = { readonly demand: number } | { readonly events: readonly unknown[] }

export class Outlet {
  readonly #owner: OutletOwner
  readonly #runtime: Runtime
  readonly #dispatcher: CheckedDispatcher
  readonly #buffer: EventBuffer<unknown>
  readonly #watches = new Map<Monitor, Subscription>()
  /** While demand accumulates. */
  #log: Logged[] | undefined
  /** No more is produced: the stage drains. */
  #closed = false
  /** Events that the stage was asked for and has not emitted yet. */
  unanswered = 0
  /** Those of them that the dispatcher takes for answered: the buffer gave instead. */
  #surplus = 0

  constructor(owner: OutletOwner, options: CheckedProducerOptions) {
    this.#owner = owner
    this.#runtime = owner.process.runtime
    this.#dispatcher = new CheckedDispatcher(options.dispatcher, owner.process, (count) => this.demand(count))
    this.#buffer = this.#dispatcher.buffer(options.bufferSize, options.bufferKeep)
    this.#log = options.demand === 'accumulate' ? [] : undefined
  }

  /** Name of the dispatcher's class. */
  get dispatcher(): string {
    return this.#dispatcher.name
  }

  /** Events in the buffer, and those that the dispatcher keeps. */
  get buffered(): number {
    return this.#buffer.size + this.#dispatcher.kept
  }

  /** Shows the events that have not been handed out, array by array. */
  each(see: (events: readonly unknown[]) => void): void {
    this.#dispatcher.eachKept(see)
    this.#buffer.each?.(see)
    for (const entry of this.#log ?? []) if ('events' in entry) see(entry.events)
  }

  /** How many events would be taken now if they were emitted. */
  get ready(): number {
    return this.#dispatcher.ready
  }

  get consumers(): readonly Subscription[] {
    return [...this.#watches.values()]
  }

  get mode(): DemandMode {
    return this.#log === undefined ? 'forward' : 'accumulate'
  }

  // ---- Subscriptions

  knows(subscription: Subscription): boolean {
    return subscription.accepted
  }

  /** Watches the consumer of a new subscription; the dispatcher hears of it in `accept`. */
  register(subscription: Subscription): void {
    subscription.accepted = true
    this.#watches.set(this.#owner.process.monitor(subscription.ends.consumer), subscription)
    if (channels.stageSubscribe.hasSubscribers) {
      channels.stageSubscribe.publish({ producer: `${subscription.producer}`, consumer: `${subscription.consumer}` })
    }
  }

  /** What is wrong with the options of a subscription to this stage. */
  problem(options: SubscriptionOptions<never>): string | undefined {
    return this.#dispatcher.problem(options)
  }

  /** Hands a registered subscription to the dispatcher; says why it is refused. */
  accept(subscription: Subscription): ExitReason | undefined {
    // The consumer has asked before, but who speaks the protocol by hand has not.
    const problem = this.problem(subscription.options)
    if (problem !== undefined) return new StageError('bad_options', `${subscription} was refused: ${problem}`)
    const answer = this.#dispatcher.subscribe(subscription)
    if (typeof answer !== 'number') return answer.refused
    this.demand(answer)
    return undefined
  }

  /** The subscription that a watch belongs to. */
  watched(monitor: Monitor): Subscription | undefined {
    return this.#watches.get(monitor)
  }

  /** Forgets a consumer and tells it; the dispatcher hears of it in `release`. */
  unregister(subscription: Subscription, reason: ExitReason): void {
    subscription.accepted = false
    const { process } = this.#owner
    for (const [monitor, known] of this.#watches) {
      if (known !== subscription) continue
      this.#watches.delete(monitor)
      process.demonitor(monitor, true)
    }
    subscription.ends.consumer.deliver(new Tag(CANCELLED, subscription), reason)
    if (channels.stageCancel.hasSubscribers) {
      channels.stageCancel.publish({ producer: `${process}`, consumer: `${subscription.consumer}`, reason })
    }
  }

  /** The dispatcher forgets a consumer; gives the demand that this sets free. */
  release(subscription: Subscription): number {
    return this.#dispatcher.cancel(subscription)
  }

  ask(subscription: Subscription, demand: number): void {
    this.demand(this.#dispatcher.ask(demand, subscription))
  }

  // ---- Events and demand

  /** Sends events to those who asked, and keeps the rest. */
  emit(events: readonly unknown[]): void {
    if (events.length === 0) return
    if (this.#runtime.freezeEvents) deepFreeze(events)
    if (this.#log !== undefined) {
      this.#log.push({ events })
      return
    }
    // Nothing overtakes what waits.
    if (this.#buffer.size > 0) this.#surplus += this.#flush()
    const left = this.#dispatcher.dispatch(this.#buffer.arrange?.(events) ?? events)
    // What nobody wanted yet is emitted too: a stage that is asked no more must not go on filling its buffer.
    this.unanswered = Math.max(0, this.unanswered - events.length)
    this.#surplus = Math.min(this.#surplus, this.unanswered)
    if (left.length > 0) this.#store(left)
  }

  /** New demand, maybe none: first for what is buffered, the rest for the stage. */
  demand(demand: number): void {
    if (this.#log !== undefined) {
      if (demand > 0) this.#log.push({ demand })
      return
    }
    const sent = this.#buffer.size === 0 ? 0 : this.#flush()
    // More than is new was sent when the stage still owes what consumers who left had asked for: that will be a surplus.
    const surplus = this.#surplus + sent - demand
    this.#surplus = Math.min(Math.max(0, surplus), this.unanswered)
    if (surplus < 0) this.#forward(-surplus)
  }

  /** Sends what is buffered, as far as somebody wants it; gives how many events that were. */
  #flush(): number {
    const size = this.#buffer.size
    while (this.#buffer.size > 0) {
      const { ready } = this.#dispatcher
      if (ready === 0) break
      const bounced = this.#dispatcher.dispatch(this.#buffer.take(ready))
      if (bounced.length > 0) throw this.#dispatcher.bounced(ready, bounced)
      this.#releaseInfos()
    }
    return size - this.#buffer.size
  }

  /** Switches between handing demand on at once and keeping it; what was kept is replayed in order, not summed. */
  setMode(mode: DemandMode): void {
    if (mode === 'accumulate') {
      this.#log ??= []
      return
    }
    const log = this.#log
    if (log === undefined) return
    this.#log = undefined
    this.demand(0)
    for (const entry of log) {
      // Both look at the mode: a callback may have asked for accumulation again.
      if ('events' in entry) this.emit(entry.events)
      else this.demand(entry.demand)
    }
  }

  #forward(demand: number): void {
    if (this.#closed) return
    this.unanswered += demand
    if (channels.stageDemand.hasSubscribers) {
      const { process } = this.#owner
      channels.stageDemand.publish({ id: process.id, stage: `${process}`, demand })
    }
    this.#owner.onDemand(demand)
  }

  /** Calls `info` when all events emitted so far have been handed to consumers. */
  info(info: Info): void {
    if (this.#buffer.size === 0) this.#dispatcher.info(info)
    else this.#buffer.attach(info)
  }

  /** Asks the stage for no more, and calls back when what it emitted has gone. */
  close(done: Info): void {
    this.#closed = true
    this.setMode('forward')
    this.whenEmpty(done)
  }

  /** Calls back when all events have gone, also those that are emitted before the last of them has. */
  whenEmpty(done: Info): void {
    this.info(() => (this.buffered === 0 ? done() : this.whenEmpty(done)))
  }

  #store(events: readonly unknown[]): void {
    const dropped = this.#buffer.store(events)
    if (dropped === 0) return
    this.#releaseInfos()
    this.discarded(dropped)
  }

  /** Says that events were dropped, because more came than may wait. */
  protected discarded(dropped: number): void {
    const { process } = this.#owner
    if (channels.stageDiscard.hasSubscribers) {
      channels.stageDiscard.publish({ id: process.id, stage: `${process}`, events: dropped })
    }
    if (!this.#owner.reportsDiscarded(dropped)) return
    const text = `${process} discarded ${dropped} events: its buffer is full; ask for less upstream, add consumers, or raise bufferSize`
    process.runtime.logger.warn({ process: `${process}`, discarded: dropped }, text)
  }

  #releaseInfos(): void {
    for (const info of this.#buffer.releasedInfos()) this.#dispatcher.info(info)
  }
}

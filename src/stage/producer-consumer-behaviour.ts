/**
 * The loop of a producer-consumer. Messages of events wait in a queue until somebody downstream has asked; one message is
 * handled whole. The end of a producer waits behind the events that it sent.
 */

import type { ExitReason } from '../process/exit-reason.ts'
import { isOrderly } from '../process/exit-reason.ts'
import { errand } from '../process/message.ts'
import type { Down } from '../process/signals.ts'
import { BatchingBehaviour } from './batching-behaviour.ts'
import type { Info } from './buffer.ts'
import type { Consumer } from './consumer.ts'
import { causeOf, type ProducerGone } from './consuming-behaviour.ts'
import { Outlet, type OutletOwner } from './outlet.ts'
import type { ProducerConsumer } from './producer-consumer.ts'
import { checkProducerOptions } from './producer-options.ts'
import { consumerGone, emitFor, type ProducingStage, receiveFromConsumer } from './producing.ts'
import { Queue } from './queue.ts'
import { optionsOf } from './stage.ts'
import { isCancelled, isEvents, type ProtocolTag, type Subscription } from './subscription.ts'

/** What waits for demand from downstream, in the order of arrival. */
type Waiting =
  | { readonly subscription: Subscription; readonly events: readonly unknown[] }
  | { readonly gone: ProducerGone }
  | { readonly info: Info }

export class ProducerConsumerBehaviour extends BatchingBehaviour implements ProducingStage, OutletOwner {
  declare instance: ProducerConsumer<unknown, unknown>
  override outlet!: Outlet
  #early: (readonly unknown[])[] = []
  readonly #waiting = new Queue<Waiting>()
  /** The buffer is flushed before the end. */
  #ending = false

  override configure(instance: Consumer<unknown>, options: Readonly<Record<string, unknown>>): void {
    super.configure(instance, options)
    this.outlet = new Outlet(this, checkProducerOptions(`${this.process}`, optionsOf(instance), 'producer_consumer'))
    for (const events of this.#early) this.outlet.emit(events)
    this.#early = []
  }

  emit(events: readonly unknown[]): void {
    if (!this.process.alive) return
    const checked = this.eventsOf('emit', events)
    if (this.outlet === undefined) this.#early.push(checked)
    else emitFor(this, checked)
  }

  // ---- Downstream

  protected override receiveProtocol(tag: ProtocolTag, payload: unknown): void {
    if (isEvents(tag) || isCancelled(tag)) super.receiveProtocol(tag, payload)
    else receiveFromConsumer(this, tag, payload)
  }

  protected override peerDown(down: Down): boolean {
    const subscription = this.outlet.watched(down.monitor)
    if (subscription === undefined) return super.peerDown(down)
    consumerGone(this, subscription, 'down', down.reason)
    return true
  }

  onDemand(_demand: number): void {
    this.#drainQueue()
  }

  reportsDiscarded(count: number): boolean {
    return this.instance.formatDiscarded(count) !== false
  }

  // ---- Upstream

  protected override eventsArrived(subscription: Subscription, events: readonly unknown[]): void {
    if (this.#waiting.size === 0 && this.mayHandle) {
      if (!this.loop.run(subscription, events)) return
    } else this.#waiting.push({ subscription, events })
    this.#drainQueue()
    this.finish()
  }

  protected override producerGone(gone: ProducerGone): void {
    if (this.#waiting.size > 0) this.#waiting.push({ gone })
    else super.producerGone(gone)
  }

  override handled(result: unknown): void {
    this.outlet.emit(Array.isArray(result) ? result : this.eventsOf('handleEvents', result))
  }

  override messageDone(): void {
    this.#drainQueue()
    this.finish()
  }

  /** Events may be handled now: somebody downstream has asked for some. */
  protected get mayHandle(): boolean {
    return this.outlet.unanswered > 0
  }

  /** Handles what waits, as long as somebody has asked. A drain ends when nothing is left to handle. */
  #drainQueue(): void {
    while (!this.process.held && !this.stopRequested && this.process.alive) {
      const next = this.#waiting.peek()
      if (next === undefined) {
        if (this.draining !== undefined && this.inlet.empty) this.endWhenFlushed(this.draining)
        return
      }
      if ('events' in next && !this.mayHandle) return
      this.#waiting.shift()
      if ('events' in next) this.loop.run(next.subscription, next.events)
      else if ('gone' in next) super.producerGone(next.gone)
      else this.outlet.info(next.info)
    }
  }

  protected override info(info: Info): void {
    if (this.#waiting.size > 0) this.#waiting.push({ info })
    else this.outlet.info(info)
  }

  override eachHeld(see: (events: readonly unknown[]) => void): void {
    this.outlet.each(see)
    super.eachHeld(see)
    for (let index = 0; index < this.#waiting.size; index++) {
      const entry = this.#waiting.at(index)
      if (entry !== undefined && 'events' in entry) see(entry.events)
    }
  }

  // ---- End

  /** An orderly end of the producer lets what is buffered reach the consumers first: nothing is dropped silently. */
  protected override follow(reason: ExitReason): void {
    if (isOrderly(reason)) this.endWhenFlushed(reason)
    else super.follow(reason)
  }

  protected override settled(): void {
    this.#drainQueue()
    this.finish()
  }

  /** Nothing more comes: ends when what was emitted has gone. */
  protected endWhenFlushed(reason: ExitReason): void {
    if (this.#ending) return
    this.#ending = true
    // As a message: what the last callbacks sent to this process is handled, and emitted, before.
    const end = (): void => this.outlet.whenEmpty(() => this.requestStop(reason, causeOf(reason)))
    this.process.deliver(errand(end), [])
  }
}

/** The loop of a producer. */

import { isPromise } from '../otp/server-behaviour.ts'
import type { ExitReason } from '../process/exit-reason.ts'
import type { Down } from '../process/signals.ts'
import type { Info } from './buffer.ts'
import { Outlet, type OutletOwner } from './outlet.ts'
import type { Producer } from './producer.ts'
import { type CheckedProducerOptions, checkProducerOptions, type DemandMode } from './producer-options.ts'
import { consumerGone, emitFor, type ProducingStage, receiveFromConsumer } from './producing.ts'
import { Queue } from './queue.ts'
import { optionsOf } from './stage.ts'
import { StageBehaviour } from './stage-behaviour.ts'
import type { ProtocolTag } from './subscription.ts'

export class ProducerBehaviour extends StageBehaviour implements ProducingStage, OutletOwner {
  declare instance: Producer<unknown>
  outlet!: Outlet
  /** Emitted by the constructor, before there was an outlet. */
  #early: (readonly unknown[])[] = []
  /** Demand that came while the answer to an earlier one is awaited: each is handed on by itself. */
  readonly #owed = new Queue<number>()

  override configure(instance: Producer<unknown>): void {
    this.outlet = this.makeOutlet(checkProducerOptions(`${this.process}`, optionsOf(instance), 'producer'))
    for (const events of this.#early) this.outlet.emit(events)
    this.#early = []
  }

  protected makeOutlet(options: CheckedProducerOptions): Outlet {
    return new Outlet(this, options)
  }

  emit(events: readonly unknown[]): void {
    if (!this.process.alive) return
    const checked = this.eventsOf('emit', events)
    if (this.outlet === undefined) this.#early.push(checked)
    else emitFor(this, checked)
  }

  protected override receiveProtocol(tag: ProtocolTag, payload: unknown): void {
    if (!receiveFromConsumer(this, tag, payload)) this.misdirected('a message for consumers', tag.subject)
  }

  protected override peerDown(down: Down): boolean {
    const subscription = this.outlet.watched(down.monitor)
    if (subscription !== undefined) consumerGone(this, subscription, 'down', down.reason)
    return subscription !== undefined
  }

  onDemand(demand: number): void {
    if (this.stopRequested) return
    if (this.process.held) {
      this.#owed.push(demand)
      return
    }
    const returned = this.instance.handleDemand(demand)
    if (Array.isArray(returned)) this.outlet.emit(returned)
    else if (isPromise(returned)) this.callback('handleDemand', returned, this.#demandHandled)
    else this.outlet.emit(this.eventsOf('handleDemand', returned))
  }

  readonly #demandHandled = (returned: unknown): void => {
    this.outlet.emit(this.eventsOf('handleDemand', returned))
    while (this.#owed.size > 0 && !this.process.held && !this.stopRequested) this.onDemand(this.#owed.shift() ?? 0)
    this.finish()
  }

  reportsDiscarded(count: number): boolean {
    return this.instance.formatDiscarded(count) !== false
  }

  override setDemandMode(mode: DemandMode): void {
    this.outlet.setMode(mode)
    this.finish()
  }

  override eachHeld(see: (events: readonly unknown[]) => void): void {
    this.outlet.each(see)
  }

  protected override info(info: Info): void {
    this.outlet.info(info)
  }

  protected override drain(reason: ExitReason): void {
    this.callback('handleDrain', this.instance.handleDrain(), () => {
      this.outlet.close(() => this.requestStop(reason))
      this.finish()
    })
  }
}

/** One partition of a `PartitionDispatcher`: its consumer, and either what that has asked for or what waits for it. */

import { Buffer, type Info } from '../buffer.ts'
import type { Subscription } from '../subscription.ts'

/** What a partition is called. */
export type PartitionName = string | number

export class Partition<Out> {
  readonly name: PartitionName
  subscription: Subscription | undefined = undefined
  /** So many events wait that the dispatcher asks for no more. */
  full = false
  /** Events that its consumer asked for; none as long as events wait. */
  #demand = 0
  readonly #queue = new Buffer<Out>(Infinity, 'last')

  constructor(name: PartitionName) {
    this.name = name
  }

  /** Events that wait. */
  get queued(): number {
    return this.#queue.size
  }

  /** The consumer asks: what waits is sent, the rest is demand. */
  ask(demand: number): void {
    let left = demand
    while (left > 0 && this.#queue.size > 0) {
      const events = this.#queue.take(left)
      this.subscription?.deliver(events)
      left -= events.length
      for (const info of this.#queue.releasedInfos()) info()
    }
    this.#demand += left
  }

  /** Sends a batch, as far as it was asked for; the rest waits. */
  send(batch: readonly Out[]): void {
    const { length } = batch
    if (length === 0) return
    if (length <= this.#demand) {
      this.#demand -= length
      this.subscription?.deliver(batch)
      return
    }
    if (this.#demand > 0) this.subscription?.deliver(batch.slice(0, this.#demand))
    this.#queue.store(this.#demand > 0 ? batch.slice(this.#demand) : batch)
    this.#demand = 0
  }

  /** The consumer has gone; gives what it had asked for. What waits stays. */
  leave(): number {
    const demand = this.#demand
    this.#demand = 0
    this.subscription = undefined
    return demand
  }

  /** Shows what waits, array by array. */
  each(see: (events: readonly Out[]) => void): void {
    this.#queue.each(see)
  }

  /** Takes out all that waits, and the infos that wait for it; nobody may have asked for any of it. */
  clear(): { readonly events: readonly Out[]; readonly infos: readonly Info[] } {
    const events: Out[] = []
    const infos: Info[] = []
    while (this.#queue.size > 0) {
      for (const event of this.#queue.take(this.#queue.size)) events.push(event)
      infos.push(...this.#queue.releasedInfos())
    }
    return { events, infos }
  }

  /** Keeps an info until what waits now has been sent. */
  attach(info: Info): void {
    this.#queue.attach(info)
  }
}

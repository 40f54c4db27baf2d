/**
 * The default dispatcher: events go to the consumer with the largest outstanding demand, whole batches at a time. Consumers
 * that ask for more get more. Source: `GenStage.DemandDispatcher`.
 */

import { type Info, NONE } from '../buffer.ts'
import type { Subscription } from '../subscription.ts'
import type { Dispatcher, DispatcherHost } from './dispatcher.ts'

export interface DemandDispatcherOptions {
  /** The largest demand expected in one ask; more is granted, with a warning. Default: the first ask. */
  readonly maxDemand?: number | undefined
  /**
   * Shuffles the consumers with equal demands once, before the first dispatch, so that the first to ask is not always the first to
   * work.
   */
  readonly shuffleDemandsOnFirstDispatch?: boolean | undefined
}

interface Entry {
  demand: number
  readonly subscription: Subscription
}

export class DemandDispatcher implements Dispatcher {
  /** In descending demand, first come first among equals. */
  #entries: Entry[] = []
  /** The sum of their demand. */
  #ready = 0
  /** Demand of consumers that have gone, which the producer still owes: the next that ask inherit it. */
  #pending = 0
  #maxDemand: number | undefined
  #shuffle: boolean
  #host: DispatcherHost | undefined = undefined

  constructor(options: DemandDispatcherOptions = {}) {
    this.#maxDemand = options.maxDemand
    this.#shuffle = options.shuffleDemandsOnFirstDispatch ?? false
  }

  attach(host: DispatcherHost): void {
    this.#host = host
  }

  /** Demand by consumer, largest first, and what is pending: for inspection. */
  get state(): { readonly demands: readonly (readonly [number, Subscription])[]; readonly pending: number } {
    return { demands: this.#entries.map((entry) => [entry.demand, entry.subscription]), pending: this.#pending }
  }

  get ready(): number {
    return this.#ready
  }

  subscribe(subscription: Subscription): number {
    this.#entries.push({ demand: 0, subscription })
    return 0
  }

  cancel(subscription: Subscription): number {
    const index = this.#entries.findIndex((entry) => entry.subscription === subscription)
    const [entry] = index < 0 ? [] : this.#entries.splice(index, 1)
    if (entry === undefined) return 0
    this.#ready -= entry.demand
    this.#pending += entry.demand
    return 0
  }

  ask(demand: number, subscription: Subscription): number {
    this.#checkDemand(demand, subscription)
    const entries = this.#entries
    const only = entries[0]
    this.#ready += demand
    if (entries.length === 1 && only !== undefined) only.demand += demand
    else {
      const index = entries.findIndex((entry) => entry.subscription === subscription)
      const [entry] = entries.splice(index, 1)
      if (entry === undefined) throw new Error(`${subscription} asked, but is unknown`)
      entry.demand += demand
      this.#insert(entry)
    }
    if (this.#pending === 0) return demand
    const already = Math.min(this.#pending, demand)
    this.#pending -= already
    return demand - already
  }

  dispatch(events: readonly unknown[]): readonly unknown[] {
    if (this.#shuffle && this.#host !== undefined) this.#shuffleOnce(this.#host)
    const entries = this.#entries
    const only = entries[0]
    if (entries.length === 1 && only !== undefined && only.demand >= events.length) {
      only.demand -= events.length
      this.#ready -= events.length
      only.subscription.deliver(events)
      return NONE
    }
    return this.#dispatchByDemand(events)
  }

  #dispatchByDemand(events: readonly unknown[]): readonly unknown[] {
    let sent = 0
    while (sent < events.length) {
      const largest = this.#entries[0]
      if (largest === undefined || largest.demand === 0) break
      const count = Math.min(largest.demand, events.length - sent)
      largest.subscription.deliver(count === events.length ? events : events.slice(sent, sent + count))
      sent += count
      this.#entries.shift()
      largest.demand -= count
      this.#insert(largest)
    }
    this.#ready -= sent
    if (sent === events.length) return NONE
    const left = sent === 0 ? events : events.slice(sent)
    this.#pending = Math.max(0, this.#pending - left.length)
    return left
  }

  info(info: Info): void {
    info()
  }

  /** Before the first with a smaller demand, so after its equals. */
  #insert(entry: Entry): void {
    const entries = this.#entries
    let low = 0
    let high = entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((entries[middle]?.demand ?? 0) >= entry.demand) low = middle + 1
      else high = middle
    }
    entries.splice(low, 0, entry)
  }

  #checkDemand(demand: number, subscription: Subscription): void {
    this.#maxDemand ??= demand
    if (demand <= this.#maxDemand) return
    const text = `${this.#host?.producer} expects demands of at most ${this.#maxDemand}, ${subscription.consumer} asked for ${demand}: give all consumers the same maxDemand, or the dispatcher the largest`
    this.#host?.logger.warn({ producer: this.#host.producer, consumer: `${subscription.consumer}`, demand }, text)
  }

  #shuffleOnce({ random }: DispatcherHost): void {
    this.#shuffle = false
    for (let last = this.#entries.length - 1; last > 0; last--) {
      const other = Math.floor(random() * (last + 1))
      const [a, b] = [this.#entries[last], this.#entries[other]]
      if (a !== undefined && b !== undefined) {
        this.#entries[last] = b
        this.#entries[other] = a
      }
    }
    // Among equals only: who has not asked must not stand in front of who has.
    this.#entries.sort((a, b) => b.demand - a.demand)
  }
}

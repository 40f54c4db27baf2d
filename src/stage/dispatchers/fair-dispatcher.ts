/**
 * Events are shared out evenly: of what is emitted at once all consumers that have asked get the same, as far as their
 * demands allow, and what does not divide goes round.
 */

import { type Info, NONE } from '../buffer.ts'
import type { Subscription } from '../subscription.ts'
import type { DispatcherOption, SubscriptionOptions } from '../subscription-options.ts'
import type { Dispatcher } from './dispatcher.ts'

interface Entry {
  readonly subscription: Subscription
  readonly weight: number
  demand: number
  /** Single events that it takes before it is the next one's turn. */
  turn: number
  /** Its part of what is being dispatched. */
  share: number
}

/**
 * Shares events out evenly, so that consumers are equally busy whatever their `maxDemand` is. A consumer that subscribes with
 * `weight: 3` gets three times as much as one without. Each consumer gets its part of a dispatch in one piece:
 *
 * ```text
 * emitted: 1 2 3 4 5 6 7 8 9 10     asked for: A 8   B 2   C 8
 *
 * DemandDispatcher                  A 1 2 3 4 5 6 7 8      C 9 10
 * FairDispatcher                    A 1 2 3 4    B 5 6     C 7 8 9 10
 * ```
 * What is emitted one by one goes to A, B, C, A ... A dispatch costs no more visits than there are events, nor many more than
 * there are consumers. Elixir has none; the nearest is `GenStage.DemandDispatcher`, which gives whole batches.
 */
export class FairDispatcher implements Dispatcher {
  readonly #entries = new Map<Subscription, Entry>()
  /** Those who have asked, in the order of their turns. */
  readonly #waiting = new Set<Entry>()
  /** The weights of those who have asked, and what they have asked for. */
  #weights = 0
  #demand = 0
  /** Demand of consumers that have gone, which the producer still owes: the next that ask inherit it. */
  #pending = 0
  /** Those who get something of what is being dispatched. */
  readonly #served: Entry[] = []

  readonly options: readonly DispatcherOption[] = ['weight']

  check({ weight = 1 }: SubscriptionOptions<never>): string | undefined {
    if (Number.isInteger(weight) && weight >= 1) return undefined
    return `weight: expected a whole number >= 1, got ${String(weight)}`
  }

  attach(): void {}

  get ready(): number {
    return this.#demand
  }

  /** Demand by consumer, in the order of their turns, and what is pending: for inspection. */
  get state(): { readonly demands: readonly (readonly [number, Subscription])[]; readonly pending: number } {
    const demands = [...this.#waiting].map(({ demand, subscription }) => [demand, subscription] as const)
    return { demands, pending: this.#pending }
  }

  subscribe(subscription: Subscription): number {
    const { weight = 1 } = subscription.options
    this.#entries.set(subscription, { subscription, weight, demand: 0, turn: weight, share: 0 })
    return 0
  }

  cancel(subscription: Subscription): number {
    const entry = this.#entries.get(subscription)
    if (entry === undefined) return 0
    this.#entries.delete(subscription)
    this.#pending += entry.demand
    this.#lower(entry, entry.demand)
    return 0
  }

  ask(demand: number, subscription: Subscription): number {
    const entry = this.#entries.get(subscription)
    if (entry === undefined) return 0
    if (entry.demand === 0) {
      entry.turn = entry.weight
      this.#waiting.add(entry)
      this.#weights += entry.weight
    }
    entry.demand += demand
    this.#demand += demand
    const already = Math.min(this.#pending, demand)
    this.#pending -= already
    return demand - already
  }

  dispatch(events: readonly unknown[]): readonly unknown[] {
    const count = Math.min(events.length, this.#demand)
    this.#takeTurns(this.#shareOut(count))
    let sent = 0
    for (const entry of this.#served) {
      const { share, subscription } = entry
      entry.share = 0
      this.#lower(entry, share)
      subscription.deliver(share === events.length ? events : events.slice(sent, sent + share))
      sent += share
    }
    this.#served.length = 0
    if (sent === events.length) return NONE
    const left = sent === 0 ? events : events.slice(sent)
    this.#pending = Math.max(0, this.#pending - left.length)
    return left
  }

  info(info: Info): void {
    info()
  }

  /** Gives everyone the same, as often as there is enough for all; says what is left. Those who have enough drop out. */
  #shareOut(count: number): number {
    let left = count
    let weights = this.#weights
    while (left >= weights && left > 0) {
      const unit = Math.floor(left / weights)
      for (const entry of this.#waiting) {
        const open = entry.demand - entry.share
        if (open === 0) continue
        const part = Math.min(open, unit * entry.weight)
        this.#give(entry, part)
        left -= part
        if (part === open) weights -= entry.weight
      }
    }
    return left
  }

  /** Gives what does not divide to those whose turn it is; whoever has taken its turn goes to the end. */
  #takeTurns(count: number): void {
    let left = count
    for (const entry of this.#waiting) {
      if (left === 0) return
      const part = Math.min(left, entry.turn, entry.demand - entry.share)
      if (part === 0) continue
      this.#give(entry, part)
      left -= part
      entry.turn -= part
      if (entry.turn > 0) continue
      entry.turn = entry.weight
      // The loop meets it again at the end.
      this.#waiting.delete(entry)
      this.#waiting.add(entry)
    }
  }

  #give(entry: Entry, count: number): void {
    if (entry.share === 0) this.#served.push(entry)
    entry.share += count
  }

  /** Less is asked for by a consumer. */
  #lower(entry: Entry, count: number): void {
    entry.demand -= count
    this.#demand -= count
    if (entry.demand > 0 || !this.#waiting.delete(entry)) return
    this.#weights -= entry.weight
  }
}

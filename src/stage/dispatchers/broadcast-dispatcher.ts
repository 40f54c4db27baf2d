/**
 * Every event goes to every consumer, as the same array: the slowest sets the pace. Source: `GenStage.BroadcastDispatcher`,
 * with its three holes closed: events that outlive a consumer are delivered first, a consumer cannot subscribe twice at the
 * third attempt, and a late subscriber does not change the order.
 */

import { type Info, NONE } from '../buffer.ts'
import { StageError } from '../errors.ts'
import { show } from '../show.ts'
import type { Subscription } from '../subscription.ts'
import type { Selector, SubscriptionOptions } from '../subscription-options.ts'
import type { Dispatcher, DispatcherHost } from './dispatcher.ts'

interface Entry<Out> {
  readonly subscription: Subscription
  readonly selector: Selector<Out> | undefined
  /** Demand beyond what all consumers have in common. */
  extra: number
  /** Its selector threw: it is sent nothing more, until its cancellation comes. */
  failed: boolean
}

/**
 * Sends all events to all consumers. Nothing is sent until everyone has asked, so a consumer that comes later pauses the
 * others until it asks too. A consumer subscribes once. With `selector: (event) => boolean` in its subscription it is sent
 * only the events that it selects.
 *
 * Consumers get one and the same array; whoever changes it, or an event in it, changes it for all.
 * `configure({ freezeEvents: true })` makes such a consumer fail at once.
 *
 * @example
 * ```ts
 * import { BroadcastDispatcher, Consumer, Producer, setDemand, start } from 'sluice'
 *
 * class Ticker extends Producer<number> {
 *   constructor() { super({ dispatcher: new BroadcastDispatcher(), demand: 'accumulate' }) }
 *   override handleDemand(demand: number) { return Array.from({ length: demand }, (_, n) => n) }
 * }
 * class Printer extends Consumer<number> {
 *   override handleEvents(numbers: readonly number[]) { console.log(numbers) }
 * }
 * const ticker = await start(Ticker)
 * const all = await start(Printer, { subscribeTo: [{ to: ticker, maxDemand: 4 }] })
 * const even = await start(Printer, { subscribeTo: [{ to: ticker, maxDemand: 4, selector: (n) => n % 2 === 0 }] })
 * setDemand(ticker, 'forward') // all have subscribed
 * await Promise.all([all.stop(), even.stop()])
 * await ticker.stop()
 * ```
 * Elixir: `GenStage.BroadcastDispatcher`.
 */
export class BroadcastDispatcher<Out = unknown> implements Dispatcher<Out> {
  readonly options: readonly ['selector'] = ['selector']
  /** The newest first. */
  #entries: Entry<Out>[] = []
  /** Events that every consumer has asked for. */
  #waiting = 0
  /** Demand that was handed to the producer, of which nothing has come yet. */
  #requested = 0
  #host: DispatcherHost | undefined = undefined

  attach(host: DispatcherHost): void {
    this.#host = host
  }

  get ready(): number {
    return this.#waiting
  }

  /** Demand beyond the common one by consumer, newest first; the common demand; what the producer owes: for inspection. */
  get state(): {
    readonly demands: readonly (readonly [number, Subscription])[]
    readonly waiting: number
    readonly requested: number
  } {
    const demands = this.#entries.map(({ extra, subscription }) => [extra, subscription] as const)
    return { demands, waiting: this.#waiting, requested: this.#requested }
  }

  check({ selector }: SubscriptionOptions<never>): string | undefined {
    if (selector === undefined) return undefined
    if (typeof selector !== 'function') return `selector: expected a function of an event, got ${show(selector)}`
    if (selector.length <= 1) return undefined
    return `selector: expected a function of one event, got one of ${selector.length} arguments`
  }

  subscribe(subscription: Subscription): number | { readonly refused: string } {
    const { consumer } = subscription
    if (this.#entries.some((entry) => entry.subscription.consumer === consumer)) {
      const text = `${consumer} is subscribed to ${this.#host?.producer} already, which broadcasts: one subscription gets everything, the second was cancelled`
      this.#host?.logger.error({ producer: this.#host.producer, consumer: `${consumer}` }, text)
      return { refused: 'already_subscribed' }
    }
    // Nobody is sent more until the newcomer asks.
    for (const entry of this.#entries) entry.extra += this.#waiting
    this.#waiting = 0
    const selector = subscription.options.selector as Selector<Out> | undefined
    this.#entries.unshift({ subscription, selector, extra: 0, failed: false })
    return 0
  }

  cancel(subscription: Subscription): number {
    this.#entries = this.#entries.filter((entry) => entry.subscription !== subscription)
    if (this.#entries.length > 0) return this.#common()
    // What the producer owes still comes, and is for whoever subscribes next.
    this.#waiting = 0
    return 0
  }

  ask(demand: number, subscription: Subscription): number {
    for (const entry of this.#entries) if (entry.subscription === subscription) entry.extra += demand
    return this.#common()
  }

  dispatch(events: readonly Out[]): readonly unknown[] {
    const { length } = events
    const count = Math.min(this.#waiting, length)
    this.#waiting -= count
    // What is given back waits in the buffer: it has come, whoever asked for it.
    this.#requested = Math.max(0, this.#requested - length)
    if (count === 0) return events
    const sent = count === length ? events : events.slice(0, count)
    for (const entry of this.#entries) {
      if (entry.selector === undefined) entry.subscription.deliver(sent)
      else if (!entry.failed) this.#deliverSelected(entry, entry.selector, sent)
    }
    return count === length ? NONE : events.slice(count)
  }

  info(info: Info): void {
    info()
  }

  /** Moves what all have asked for to the common demand; gives what the producer does not owe yet. */
  #common(): number {
    const entries = this.#entries
    let least = Infinity
    for (const { extra } of entries) if (extra < least) least = extra
    if (least > 0) {
      for (const entry of entries) entry.extra -= least
      this.#waiting += least
    }
    const granted = Math.max(0, this.#waiting - this.#requested)
    this.#requested += granted
    return granted
  }

  #deliverSelected(entry: Entry<Out>, selector: Selector<Out>, events: readonly Out[]): void {
    let selected: readonly Out[]
    try {
      selected = select(events, selector)
    } catch (thrown) {
      return this.#fail(entry, thrown)
    }
    if (selected.length > 0) entry.subscription.deliver(selected)
    // The consumer will not ask for what it never sees. As a message, so that others get their turn in between.
    if (selected.length < events.length) entry.subscription.ask(events.length - selected.length)
  }

  /** The selector is the consumer's: its failure ends the subscription, not the producer. */
  #fail(entry: Entry<Out>, thrown: unknown): void {
    entry.failed = true
    const { subscription } = entry
    const cause = thrown instanceof Error ? thrown : new Error(String(thrown))
    const text = `the selector of ${subscription} failed, so it was cancelled: ${cause.message}`
    const producer = this.#host?.producer
    this.#host?.logger.error({ producer, consumer: `${subscription.consumer}`, error: cause }, text)
    subscription.cancel(new StageError('bad_selector', text, cause))
  }
}

/** The events that are selected: the same array when all are. */
function select<Event>(events: readonly Event[], selector: Selector<Event>): readonly Event[] {
  const selected = events.filter((event) => {
    const accepted: unknown = selector(event)
    if (accepted === true || accepted === false) return accepted
    throw new TypeError(`it returned ${show(accepted)}, expected true or false`)
  })
  return selected.length === events.length ? events : selected
}

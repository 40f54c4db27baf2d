/** The stages of random pipelines. They write everything into a ledger. */

import {
  BroadcastDispatcher,
  Consumer,
  DemandDispatcher,
  type Dispatcher,
  FairDispatcher,
  type Name,
  PartitionDispatcher,
  PriorityDispatcher,
  Producer,
  ProducerConsumer,
  type SubscribeTo,
  type Subscription,
} from 'sluice'
import type { Delivery, Item, Ledger } from './pipeline-ledger.ts'

export type DispatcherKind = 'demand' | 'fair' | 'broadcast' | 'partition' | 'priority' | 'patient'
export type SourceKind = 'pull' | 'slow' | 'trickle' | 'push'
export type Transform = 'pass' | 'filter' | 'expand'
export type Pace = 'sync' | 'async' | 'later'

export interface Limits {
  readonly maxDemand: number
  readonly minDemand: number
}

/** What decides who gets the events of a stage. */
export interface Dispatching {
  readonly kind: DispatcherKind
  /** How many subscribe to it. */
  readonly consumers: number
  /** What takes the place of `DemandDispatcher`: to plant a mistake. */
  readonly planted?: (() => Dispatcher) | undefined
}

const LANES = 3

function lanesOf(kind: DispatcherKind): number {
  return kind === 'priority' || kind === 'patient' ? LANES : 1
}

function deliveryOf(kind: DispatcherKind): Delivery {
  return kind === 'broadcast' ? 'to_all' : 'once'
}

function dispatcherOf({ kind, consumers, planted }: Dispatching): Dispatcher<Item> {
  const levels = { levels: LANES, priority: ({ lane }: Item): number => lane }
  switch (kind) {
    case 'demand':
      return planted?.() ?? new DemandDispatcher({ maxDemand: 100 })
    case 'fair':
      return new FairDispatcher()
    case 'broadcast':
      return new BroadcastDispatcher()
    case 'partition':
      return new PartitionDispatcher({ partitions: consumers, hash: ({ nth }: Item) => nth % consumers })
    case 'priority':
      return new PriorityDispatcher({ ...levels, dispatcher: new DemandDispatcher({ maxDemand: 100 }) })
    case 'patient':
      return new PriorityDispatcher({ ...levels, patience: 3, dispatcher: new FairDispatcher() })
  }
}

interface Common {
  readonly ledger: () => Ledger
  readonly id: string
}

export interface SourceArg extends Common {
  readonly kind: SourceKind
  readonly values: readonly number[]
  readonly dispatching: Dispatching
  /** All stages have been started. */
  readonly opened: () => boolean
}

export class TestSource extends Producer<Item> {
  readonly #arg: SourceArg
  readonly #ledger: Ledger
  readonly #by: string
  readonly #values: number[]
  #wanted = 0
  #ticking = false

  constructor(arg: SourceArg) {
    super({
      bufferSize: Infinity,
      dispatcher: dispatcherOf(arg.dispatching),
      demand: arg.opened() ? 'forward' : 'accumulate',
    })
    this.#arg = arg
    this.#ledger = arg.ledger()
    this.#by = this.#ledger.born(arg.id)
    this.#ledger.opens(this.#by, this.self, deliveryOf(arg.dispatching.kind))
    this.#values = [...arg.values]
    if (arg.kind === 'push') this.emit(this.#take(this.#values.length))
  }

  /** Values that it has not emitted. */
  left(): number {
    return this.#values.length
  }

  fail(): void {
    throw new Error('on purpose')
  }

  override handleSubscribe(_peer: 'producer' | 'consumer', subscription: Subscription): undefined {
    this.#ledger.joins(subscription, this.#by)
    return undefined
  }

  override handleDemand(demand: number): readonly Item[] | undefined | Promise<readonly Item[]> {
    if (this.#arg.kind === 'pull') return this.#take(demand)
    if (this.#arg.kind === 'slow') return this.sleep(demand % 4).then(() => this.#take(demand))
    this.#wanted += demand
    if (!this.#ticking && this.#arg.kind === 'trickle') this.#tick()
    return undefined
  }

  override handleInfo(): void {
    this.#ticking = false
    const events = this.#take(Math.min(this.#wanted, 3))
    this.#wanted -= events.length
    this.emit(events)
    if (this.#wanted > 0 && this.#values.length > 0) this.#tick()
  }

  #tick(): void {
    this.#ticking = true
    this.sendAfter('tick', 1)
  }

  #take(count: number): Item[] {
    return this.#ledger.stamp(this.#by, this.#values.splice(0, count), lanesOf(this.#arg.dispatching.kind))
  }
}

const transforms: Record<Transform, (value: number) => readonly number[]> = {
  pass: (value) => [value],
  filter: (value) => (value % 3 === 0 ? [] : [value]),
  expand: (value) => [value * 2, value * 2 + 1],
}

export interface MiddleArg extends Common {
  readonly transform: Transform
  readonly pace: Pace
  readonly dispatching: Dispatching
}

export class TestMiddle extends ProducerConsumer<Item, Item> {
  readonly #arg: MiddleArg
  readonly #ledger: Ledger
  readonly #by: string

  constructor(arg: MiddleArg) {
    super({ dispatcher: dispatcherOf(arg.dispatching) })
    this.#arg = arg
    this.#ledger = arg.ledger()
    this.#by = this.#ledger.born(arg.id)
    this.#ledger.opens(this.#by, this.self, deliveryOf(arg.dispatching.kind), transforms[arg.transform])
  }

  fail(): void {
    throw new Error('on purpose')
  }

  override handleSubscribe(peer: 'producer' | 'consumer', subscription: Subscription): undefined {
    if (peer === 'producer') this.#ledger.watch(subscription, this.#by)
    else this.#ledger.joins(subscription, this.#by)
    return undefined
  }

  override handleEvents(events: readonly Item[], subscription: Subscription) {
    this.#ledger.handle(events, subscription)
    const values = events.flatMap(({ value }) => transforms[this.#arg.transform](value))
    const stamped = (): Item[] => this.#ledger.stamp(this.#by, values, lanesOf(this.#arg.dispatching.kind))
    if (this.#arg.pace === 'sync') return stamped()
    if (this.#arg.pace === 'async') return this.sleep(events.length % 3).then(stamped)
    this.self.send(stamped)
    return undefined
  }

  override handleInfo(stamped: () => Item[]): void {
    this.emit(stamped())
  }
}

/** For the compiler sources and stages in the middle are the same: they emit items. */
export type Emitter = Name<TestMiddle> | Name<TestSource>

export interface EndArg extends Common {
  readonly pace: Pace
  /** The stages above, by what their subscriptions have as `data`. */
  readonly above: (place: unknown) => Emitter | undefined
}

export class TestEnd extends Consumer<Item> {
  readonly #arg: EndArg
  readonly #ledger: Ledger
  readonly #life: string
  readonly #subscriptions: Subscription[] = []

  constructor(arg: EndArg) {
    super()
    this.#arg = arg
    this.#ledger = arg.ledger()
    this.#life = this.#ledger.born(arg.id)
  }

  fail(): void {
    throw new Error('on purpose')
  }

  override handleSubscribe(_peer: 'producer' | 'consumer', subscription: Subscription): undefined {
    this.#ledger.watch(subscription, this.#life)
    this.#subscriptions.push(subscription)
    return undefined
  }

  override handleEvents(events: readonly Item[], subscription: Subscription): void | Promise<void> {
    this.#ledger.handle(events, subscription)
    if (this.#arg.pace !== 'sync') return this.sleep(1 + (events.length % 3))
  }

  /** Leaves one producer and comes back, with other limits; with a permanent subscription it ends, and its supervisor brings it back. */
  rejoin(limits: Limits): void {
    const subscription = this.#subscriptions.shift()
    if (subscription === undefined) return
    subscription.cancel('normal')
    this.#ledger.leaves(subscription)
    const { options } = subscription
    const to = this.#arg.above(options.data)
    if (options.cancel === 'permanent' || to?.holder() === undefined) return
    this.subscribe({ ...options, ...limits, to } as SubscribeTo<Item>)
  }
}

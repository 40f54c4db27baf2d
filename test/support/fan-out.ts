/** Random stages with one dispatcher and consumers that come, go and die, for the laws of dispatchers. */

import fc from 'fast-check'
import {
  BroadcastDispatcher,
  Consumer,
  DemandDispatcher,
  type Dispatcher,
  none,
  PartitionDispatcher,
  type Ref,
  type SubscribeTo,
  type Subscription,
  setDemand,
  start,
} from 'sluice'
import type { Simulation } from 'sluice/testing'
import {
  type Item,
  Ledger,
  type Limits,
  limits,
  type Pace,
  pace,
  type SourceKind,
  TestMiddle,
  TestSource,
  type Transform,
} from './topology.ts'

export type DispatcherKind = 'demand' | 'broadcast' | 'partition'

export const selectors: readonly (((item: Item) => boolean) | undefined)[] = [
  undefined,
  undefined,
  ({ value }) => value % 2 === 0,
  ({ value }) => value % 5 === 4,
  () => false,
  () => true,
]

/** The partition of a value, of so many; `undefined` for those that are dropped. */
export function partitionOf(value: number, { hash, slots }: FanOut): number | undefined {
  if (hash === 'dropping' && value % 3 !== 0) return undefined
  if (hash === 'skewed') return value % 10 === 0 ? (value / 10) % slots.length : 0
  return value % slots.length
}

/** A place for a consumer, and how the consumers are that take it. */
const slot = fc.record({ pace, limits, selector: fc.nat(selectors.length - 1) })
const move = fc.record({
  after: fc.nat(4),
  who: fc.nat(3),
  what: fc.constantFrom('leave' as const, 'join' as const, 'kill' as const, 'accumulate' as const, 'forward' as const),
  limits,
})

export const fanOut = fc.record({
  seed: fc.nat(),
  kind: fc.constantFrom<DispatcherKind>('demand', 'broadcast', 'partition'),
  source: fc.constantFrom<SourceKind>('pull', 'slow', 'trickle', 'push'),
  count: fc.nat(60),
  /** The dispatcher is that of a producer-consumer. */
  middle: fc.option(fc.record({ transform: fc.constantFrom<Transform>('pass', 'filter', 'expand'), pace, limits })),
  hash: fc.constantFrom('even' as const, 'skewed' as const, 'dropping' as const),
  maxQueued: fc.constantFrom(1, 3, Infinity),
  slots: fc.array(slot, { minLength: 1, maxLength: 4 }),
})

export type FanOut = typeof fanOut extends fc.Arbitrary<infer T> ? T : never
export const moves: fc.Arbitrary<readonly Move[]> = fc.array(move, { maxLength: 16 })
export type Move = typeof move extends fc.Arbitrary<infer T> ? T : never

interface ListenerArg {
  readonly ledger: () => Ledger
  readonly pace: Pace
  readonly joined: (subscription: Subscription) => void
}

class Listener extends Consumer<Item> {
  readonly #arg: ListenerArg
  readonly #ledger: Ledger
  #subscription: Subscription | undefined

  constructor(arg: ListenerArg) {
    super()
    this.#arg = arg
    this.#ledger = arg.ledger()
  }

  override handleSubscribe(_peer: 'producer' | 'consumer', subscription: Subscription): undefined {
    this.#ledger.watch(subscription)
    this.#subscription = subscription
    this.#arg.joined(subscription)
    return undefined
  }

  override handleEvents(events: readonly Item[], subscription: Subscription): void | Promise<void> {
    this.#ledger.handle(events, subscription)
    if (this.#arg.pace !== 'sync') return this.sleep(1 + (events.length % 3))
  }

  join(to: SubscribeTo<Item>): void {
    this.subscribe(to)
  }

  leave(): void {
    this.#subscription?.cancel()
    this.#subscription = undefined
  }
}

/** One of the places: who sits there now, and all subscriptions that were made there. */
interface Seat {
  listener: Ref<Listener> | undefined
  subscribed: boolean
  readonly subscriptions: Subscription[]
}

export class Stand {
  readonly ledger: Ledger = new Ledger()
  readonly seats: readonly Seat[]
  readonly #plan: FanOut
  #source!: Ref<TestSource>
  #outlet!: Ref<TestSource> | Ref<TestMiddle>
  readonly stages: Ref[] = []

  constructor(plan: FanOut) {
    this.#plan = plan
    this.seats = plan.slots.map(() => ({ listener: undefined, subscribed: false, subscriptions: [] }))
  }

  /** What the stage with the dispatcher emitted, in order. */
  get emitted(): readonly Item[] {
    return this.ledger.stampedBy('outlet')
  }

  /** Starts the stages, with a consumer in each place; nothing flows until `forward`. */
  async start(): Promise<void> {
    const { count, middle, source: kind } = this.#plan
    const ledger = (): Ledger => this.ledger
    const dispatcher = (): Dispatcher<Item> => this.#dispatcher()
    const values = Array.from({ length: count }, (_, index) => index)
    const arg = { ledger, kind, values, accumulates: true }
    if (middle === null)
      this.#source = this.#outlet = await start(TestSource, { arg: { ...arg, by: 'outlet', dispatcher } })
    else {
      this.#source = await start(TestSource, { arg: { ...arg, by: 'source' } })
      this.stages.push(this.#source)
      const subscribeTo = [{ to: this.#source, cancel: 'temporary' as const, ...middle.limits }]
      this.#outlet = await start(TestMiddle, { arg: { ledger, ...middle, by: 'outlet', dispatcher }, subscribeTo })
    }
    this.stages.push(this.#outlet)
    for (const index of this.#plan.slots.keys()) await this.join(index)
  }

  forward(): void {
    setDemand(this.#source, 'forward')
  }

  /** Makes a move; one that is not possible now is skipped. */
  async move({ what, who, limits }: Move): Promise<void> {
    const index = who % this.seats.length
    const seat = this.seats[index]
    if (what === 'accumulate' || what === 'forward') setDemand(this.#source, what)
    else if (what === 'join') await this.join(index, limits)
    else if (seat?.listener !== undefined && what === 'kill') {
      seat.listener.kill()
      seat.listener = undefined
      seat.subscribed = false
    } else if (seat?.subscribed === true && what === 'leave') {
      seat.listener?.cast.leave()
      seat.subscribed = false
    }
  }

  /** Fills a place that is empty. */
  async join(index: number, limits?: Limits): Promise<void> {
    const seat = this.seats[index]
    const slot = this.#plan.slots[index]
    if (seat === undefined || slot === undefined || seat.subscribed) return
    const joined = (subscription: Subscription): void => {
      seat.subscriptions.push(subscription)
    }
    if (seat.listener === undefined) {
      seat.listener = await start(Listener, { arg: { ledger: () => this.ledger, pace: slot.pace, joined } })
      this.stages.push(seat.listener)
    }
    seat.subscribed = true
    const selector = this.#plan.kind === 'broadcast' ? selectors[slot.selector] : undefined
    const partition = this.#plan.kind === 'partition' ? index : undefined
    // For the compiler the two kinds of stages are the same: they emit items.
    const to = this.#outlet as Ref<TestSource>
    seat.listener.cast.join({ to, cancel: 'temporary', ...(limits ?? slot.limits), selector, partition })
  }

  /** Somebody sits in every place, and everything that can flow has flown. */
  async finish(sim: Simulation): Promise<void> {
    for (const index of this.seats.keys()) await this.join(index)
    this.forward()
    await sim.advance(100_000)
  }

  /** What those in a place were sent, one after another. */
  sentTo(seat: Seat): Item[] {
    return seat.subscriptions.flatMap((subscription) => this.ledger.deliveries.get(subscription) ?? [])
  }

  #dispatcher(): Dispatcher<Item> {
    const { kind, maxQueued, slots } = this.#plan
    if (kind === 'demand') return new DemandDispatcher({ maxDemand: 12 })
    if (kind === 'broadcast') return new BroadcastDispatcher()
    return new PartitionDispatcher<Item>({
      partitions: slots.length,
      maxQueued,
      hash: (item) => {
        const partition = partitionOf(item.value, this.#plan)
        if (partition === undefined) return none
        return item.value % 4 === 0 ? { event: { ...item }, partition } : partition
      },
    })
  }
}

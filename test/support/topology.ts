/** Random pipelines of stages that keep a ledger of everything that passes between them. */

import fc from 'fast-check'
import {
  Consumer,
  type Dispatcher,
  Producer,
  ProducerConsumer,
  type Ref,
  type SubscribeTo,
  type Subscription,
  start,
} from 'sluice'
import { currentRuntime } from '../../src/process/runtime.ts'

/** An event: what it is worth, who emitted it, and as which of its events. */
export interface Item {
  readonly value: number
  readonly by: string
  readonly nth: number
}

interface Account {
  asked: number
  delivered: number
  handled: number
  lastHandled: number
  readonly max: number
}

/** Counts, for each subscription, what was asked for, delivered and handled, and notes what breaks the laws. */
export class Ledger {
  readonly violations: string[] = []
  /** The values that reached the end, in the order of their arrival. */
  readonly arrived: number[] = []
  /** Values that sources have emitted. */
  readonly emitted: number[] = []
  /** How many events sources were asked for, and how many at most they had not emitted yet. */
  demanded = 0
  mostOwed = 0
  /** What was sent to each subscription, whether it was handled or not. */
  readonly deliveries = new Map<Subscription, Item[]>()
  readonly #accounts = new Map<Subscription, Account>()
  readonly #stamped = new Map<string, Item[]>()

  /** Called by the consumer, before it asks. */
  watch(subscription: Subscription): void {
    const max = subscription.options.maxDemand ?? 1000
    const account: Account = { asked: 0, delivered: 0, handled: 0, lastHandled: -1, max }
    this.#accounts.set(subscription, account)
    this.deliveries.set(subscription, [])
    const ask = subscription.ask.bind(subscription)
    subscription.ask = (demand) => {
      // A dispatcher that asks in the name of a consumer may send no more for it.
      if (currentRuntime().current !== subscription.ends.producer) account.asked += demand
      ask(demand)
    }
    const deliver = subscription.deliver.bind(subscription)
    subscription.deliver = (events) => {
      account.delivered += events.length
      this.deliveries.get(subscription)?.push(...(events as readonly Item[]))
      if (events.length === 0) this.#violated(subscription, 'was sent no events')
      if (account.delivered > account.asked) this.#violated(subscription, 'got more than was asked for')
      if (account.delivered - account.handled > max) this.#violated(subscription, 'has more than maxDemand in flight')
      deliver(events)
    }
  }

  handle(events: readonly Item[], subscription: Subscription): void {
    const account = this.#accounts.get(subscription)
    if (account === undefined) return this.#violated(subscription, 'is unknown')
    if (events.length === 0) this.#violated(subscription, 'handled no events')
    const { minDemand: min = 0 } = subscription.options
    // What a producer sent before it went comes whole.
    if (subscription.inflow !== undefined && events.length > account.max - min)
      this.#violated(subscription, 'has too long a batch')
    account.handled += events.length
    for (const { nth } of events) {
      if (nth <= account.lastHandled) this.#violated(subscription, `is out of order at ${nth}`)
      account.lastHandled = nth
    }
  }

  /** New events of a stage, in the order in which it emits them. */
  stamp(by: string, values: readonly number[]): Item[] {
    const stamped = this.stampedBy(by)
    const items = values.map((value, index) => ({ value, by, nth: stamped.length + index }))
    stamped.push(...items)
    return items
  }

  /** All that a stage has emitted. */
  stampedBy(by: string): Item[] {
    const stamped = this.#stamped.get(by) ?? []
    this.#stamped.set(by, stamped)
    return stamped
  }

  /** Events that one subscription was sent and has not handled. */
  unhandled(subscription: Subscription): number {
    const { delivered = 0, handled = 0 } = this.#accounts.get(subscription) ?? {}
    return delivered - handled
  }

  /** Events that were delivered and not handled. */
  get inFlight(): number {
    return [...this.#accounts.values()].reduce((sum, { delivered, handled }) => sum + delivered - handled, 0)
  }

  #violated(subscription: Subscription, what: string): void {
    this.violations.push(`${subscription} ${what}`)
  }
}

export type SourceKind = 'pull' | 'slow' | 'trickle' | 'push'

interface SourceArg {
  readonly ledger: () => Ledger
  readonly by: string
  readonly kind: SourceKind
  readonly values: readonly number[]
  /** Default: by demand. */
  readonly dispatcher?: () => Dispatcher<Item>
  /** Keeps demand until it is set to forward. */
  readonly accumulates?: boolean
}

export class TestSource extends Producer<Item> {
  readonly #arg: SourceArg
  readonly #ledger: Ledger
  readonly #values: number[]
  #wanted = 0
  #ticking = false

  constructor(arg: SourceArg) {
    const demand = arg.accumulates === true ? 'accumulate' : 'forward'
    super({ bufferSize: Infinity, dispatcher: arg.dispatcher?.(), demand })
    this.#arg = arg
    this.#ledger = arg.ledger()
    this.#values = [...arg.values]
    if (arg.kind === 'push') this.emit(this.#take(this.#values.length))
  }

  override handleDemand(demand: number): readonly Item[] | undefined | Promise<readonly Item[]> {
    const ledger = this.#ledger
    ledger.demanded += demand
    ledger.mostOwed = Math.max(ledger.mostOwed, ledger.demanded - ledger.emitted.length)
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
    const values = this.#values.splice(0, count)
    this.#ledger.emitted.push(...values)
    return this.#ledger.stamp(this.#arg.by, values)
  }
}

export type Transform = 'pass' | 'filter' | 'expand'

const transforms: Record<Transform, (value: number) => readonly number[]> = {
  pass: (value) => [value],
  filter: (value) => (value % 3 === 0 ? [] : [value]),
  expand: (value) => [value * 3, value * 3 + 1, value * 3 + 2],
}

export type Pace = 'sync' | 'async' | 'later'

interface MiddleArg {
  readonly ledger: () => Ledger
  readonly by: string
  readonly transform: Transform
  readonly pace: Pace
  /** Default: by demand. */
  readonly dispatcher?: () => Dispatcher<Item>
}

export class TestMiddle extends ProducerConsumer<Item, Item> {
  readonly #arg: MiddleArg
  readonly #ledger: Ledger

  constructor(arg: MiddleArg) {
    super({ dispatcher: arg.dispatcher?.() })
    this.#arg = arg
    this.#ledger = arg.ledger()
  }

  override handleSubscribe(peer: 'producer' | 'consumer', subscription: Subscription): undefined {
    if (peer === 'producer') this.#ledger.watch(subscription)
    return undefined
  }

  override handleEvents(events: readonly Item[], subscription: Subscription) {
    this.#ledger.handle(events, subscription)
    const values = events.flatMap(({ value }) => transforms[this.#arg.transform](value))
    const stamped = (): Item[] => this.#ledger.stamp(this.#arg.by, values)
    if (this.#arg.pace === 'sync') return stamped()
    if (this.#arg.pace === 'async') return this.sleep(events.length % 3).then(stamped)
    this.self.send(values)
    return undefined
  }

  override handleInfo(values: readonly number[]): void {
    this.emit(this.#ledger.stamp(this.#arg.by, values))
  }
}

interface EndArg {
  readonly ledger: () => Ledger
  readonly pace: Pace
}

export class TestEnd extends Consumer<Item> {
  readonly #arg: EndArg
  readonly #ledger: Ledger
  readonly #subscriptions: Subscription[] = []

  constructor(arg: EndArg) {
    super()
    this.#arg = arg
    this.#ledger = arg.ledger()
  }

  override handleSubscribe(_peer: 'producer' | 'consumer', subscription: Subscription): undefined {
    this.#ledger.watch(subscription)
    this.#subscriptions.push(subscription)
    return undefined
  }

  override handleEvents(events: readonly Item[], subscription: Subscription): void | Promise<void> {
    this.#ledger.handle(events, subscription)
    this.#ledger.arrived.push(...events.map(({ value }) => value))
    if (this.#arg.pace !== 'sync') return this.sleep(1 + (events.length % 3))
  }

  join(to: Emitter, limits: Limits): void {
    this.subscribe({ to, cancel: 'temporary', ...limits })
  }

  /** Leaves one producer and comes back, with other limits. */
  rejoin(limits: Limits): void {
    const subscription = this.#subscriptions.shift()
    if (subscription === undefined) return
    subscription.cancel('normal')
    this.join(subscription.producer as Emitter, limits)
  }
}

/** For the compiler sources and stages in the middle are the same: they emit items. */
export type Emitter = Ref<TestMiddle>

export interface Limits {
  readonly maxDemand: number
  readonly minDemand: number
}

export const limits: fc.Arbitrary<Limits> = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.nat(11))
  .map(([maxDemand, min]) => ({ maxDemand, minDemand: min % maxDemand }))

export const pace: fc.Arbitrary<Pace> = fc.constantFrom<Pace>('sync', 'async', 'later')

/** Whom a stage subscribes to: each bit of the mask is one stage above. */
const links = fc.record({ mask: fc.nat(15), limits })

export const plan = fc.record({
  seed: fc.nat(),
  sources: fc.array(
    fc.record({ kind: fc.constantFrom<SourceKind>('pull', 'slow', 'trickle', 'push'), count: fc.nat(30) }),
    { minLength: 1, maxLength: 3 },
  ),
  layers: fc.array(
    fc.record({
      transform: fc.constantFrom<Transform>('pass', 'filter', 'expand'),
      stages: fc.array(fc.record({ pace, links }), { minLength: 1, maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
  ends: fc.array(fc.record({ pace, links }), { minLength: 1, maxLength: 3 }),
})

export type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never

export interface Pipeline {
  readonly ledger: Ledger
  /** Producers first. */
  readonly stages: readonly Ref[]
  /** What the consumers subscribed to. */
  readonly outlets: readonly Emitter[]
  readonly ends: readonly Ref<TestEnd>[]
}

/** Starts the stages of a plan. Every stage has somebody below it. */
export async function build({ sources, layers, ends }: Plan): Promise<Pipeline> {
  const record = new Ledger()
  const ledger = (): Ledger => record
  const stages: Ref[] = []
  let above: Emitter[] = []
  for (const [index, { kind, count }] of sources.entries()) {
    const values = Array.from({ length: count }, (_, nth) => 1000 * (index + 1) + nth)
    above.push(
      (await start(TestSource, { arg: { ledger, by: `source ${index}`, kind, values } })) as Ref<unknown> as Emitter,
    )
  }
  stages.push(...above)
  for (const [depth, layer] of layers.entries()) {
    const below: Emitter[] = []
    for (const [index, { pace, links }] of layer.stages.entries()) {
      const arg = { ledger, by: `middle ${depth}.${index}`, transform: layer.transform, pace }
      const subscribeTo = subscriptions(above, links, index, layer.stages.length)
      below.push(await start(TestMiddle, { arg, subscribeTo }))
    }
    stages.push(...below)
    above = below
  }
  const last: Ref<TestEnd>[] = []
  for (const [index, { pace, links }] of ends.entries()) {
    const subscribeTo = subscriptions(above, links, index, ends.length)
    last.push(await start(TestEnd, { arg: { ledger, pace }, subscribeTo }))
  }
  return { ledger: record, stages: [...stages, ...last], outlets: above, ends: last }
}

function subscriptions(
  above: readonly Emitter[],
  { mask, limits }: { readonly mask: number; readonly limits: Limits },
  index: number,
  siblings: number,
): SubscribeTo<Item>[] {
  return above
    .filter((_, bit) => ((mask >> bit) & 1) === 1 || bit % siblings === index)
    .map((to) => ({ to, cancel: 'temporary', ...limits }))
}

/** The values that must arrive, sorted. */
export function expected({ layers }: Plan, emitted: readonly number[]): number[] {
  let values: readonly number[] = emitted
  for (const { transform } of layers) values = values.flatMap((value) => transforms[transform](value))
  return [...values].sort((a, b) => a - b)
}

export function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b)
}

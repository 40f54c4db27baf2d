/**
 * Each event goes to the consumer of its partition, which a function of the event names. Source: `GenStage.PartitionDispatcher`;
 * here a partition keeps its events when its consumer leaves, and no more than a bound may wait for one partition.
 */

import { stablePartition } from '../../otp/stable-hash.ts'
import { type Info, NONE } from '../buffer.ts'
import { StageError } from '../errors.ts'
import { show } from '../show.ts'
import type { Subscription } from '../subscription.ts'
import type { SubscriptionOptions } from '../subscription-options.ts'
import type { Dispatcher, DispatcherHost } from './dispatcher.ts'
import type { None } from './none.ts'
import { Partition, type PartitionName } from './partition.ts'
import { Splitter } from './splitter.ts'

export { none } from './none.ts'
export type { PartitionName } from './partition.ts'

/** Where an event goes: a partition, a partition and what it gets instead of the event, or `none`. */
export type Hashed<Out, Name> = Name | { readonly event: Out; readonly partition: Name } | None

interface Common {
  /**
   * Events that may wait for one partition beyond what its consumer asked for, >= 1 or `Infinity`. When so many wait, nothing
   * more is asked of the producer until half of them are gone; what it was asked for before still comes. Default 10000.
   */
  readonly maxQueued?: number | undefined
}

/** Partitions with numbers. */
export interface NumberedPartitions<Out> extends Common {
  /** How many, called 0, 1, 2 ...; or their numbers. */
  readonly partitions: number | readonly number[]
  /** The partition of an event. Default: spread evenly by what the event says (`stableHash`), for plain data. */
  readonly hash?: ((event: Out) => Hashed<NoInfer<Out>, number>) | undefined
}

/** Partitions with names. */
export interface NamedPartitions<Out, Name extends PartitionName> extends Common {
  readonly partitions: readonly Name[]
  /** The partition of an event. */
  readonly hash: (event: Out) => Hashed<NoInfer<Out>, NoInfer<Name>>
}

export type PartitionDispatcherOptions<Out, Name extends PartitionName> =
  | NumberedPartitions<Out>
  | NamedPartitions<Out, Name>

const DEFAULT_MAX_QUEUED = 10_000

/**
 * Sends each event to the consumer of its partition, one consumer a partition, which names it in its subscription:
 * `subscribeTo: [{ to: Orders, partition: 'eu' }]`.
 *
 * Demand is pooled: who asks, asks for events of whatever partition. What comes for a partition that has not asked, or has no
 * consumer yet, waits for it; so a partition that nobody serves sooner or later holds up the others. When a consumer leaves, what
 * waits is for the next consumer of that partition.
 *
 * @example
 * ```ts
 * import { Consumer, PartitionDispatcher, Producer, start } from 'sluice'
 *
 * class Numbers extends Producer<number> {
 *   #next = 0
 *   constructor() {
 *     const hash = (n: number) => n % 2 === 0 ? 'even' : 'odd'
 *     super({ dispatcher: new PartitionDispatcher({ partitions: ['odd', 'even'], hash }) })
 *   }
 *   override handleDemand(demand: number) { return Array.from({ length: demand }, () => this.#next++) }
 * }
 * class Printer extends Consumer<number> {
 *   override handleEvents(numbers: readonly number[]) { console.log(numbers) }
 * }
 * const numbers = await start(Numbers)
 * const odd = await start(Printer, { subscribeTo: [{ to: numbers, partition: 'odd', maxDemand: 4 }] })
 * const even = await start(Printer, { subscribeTo: [{ to: numbers, partition: 'even', maxDemand: 4 }] })
 * await Promise.all([odd.stop(), even.stop()])
 * await numbers.stop()
 * ```
 * @throws `StageError` `bad_options`. A hash that throws, or names no partition, ends the producer with `bad_partition`.
 *
 * Elixir: `GenStage.PartitionDispatcher`.
 */
export class PartitionDispatcher<Out = unknown, const Name extends PartitionName = PartitionName>
  implements Dispatcher<Out>
{
  readonly options: readonly ['partition'] = ['partition']
  #partitions: readonly Partition<Out>[]
  #byName: ReadonlyMap<unknown, Partition<Out>>
  readonly #bySubscription = new Map<Subscription, Partition<Out>>()
  #splitter: Splitter<Out>
  /** Events that are taken, for whatever partition. */
  #waiting = 0
  /** Demand of consumers that have gone, which the producer still owes. */
  #pending = 0
  /** Demand that is withheld from the producer while a partition is full. */
  #withheld = 0
  #full = 0
  #maxQueued: number
  #host: DispatcherHost | undefined = undefined

  constructor(options: PartitionDispatcherOptions<Out, Name>) {
    const { partitions, hash, maxQueued = DEFAULT_MAX_QUEUED } = options
    const names = namesOf(partitions)
    this.#partitions = names.map((name) => new Partition<Out>(name))
    this.#byName = new Map(this.#partitions.map((partition) => [partition.name, partition]))
    this.#maxQueued = maxQueued
    const hashed: (event: Out) => unknown = hash ?? evenly(names)
    if (typeof hashed !== 'function') throw bad('hash', hash, 'a function of an event')
    this.#splitter = new Splitter({ names, hash: hashed, failed: (event, thrown) => this.#failed(event, thrown) })
    if (!(maxQueued === Infinity || Number.isInteger(maxQueued)) || maxQueued < 1) {
      throw bad('maxQueued', maxQueued, 'a whole number >= 1 or Infinity')
    }
  }

  attach(host: DispatcherHost): void {
    this.#host = host
  }

  get ready(): number {
    return this.#waiting
  }

  get kept(): number {
    return this.#partitions.reduce((sum, { queued }) => sum + queued, 0)
  }

  eachKept(see: (events: readonly unknown[]) => void): void {
    for (const partition of this.#partitions) partition.each(see)
  }

  /** What is taken for whatever partition, what the producer owes consumers that have gone, and events kept: for inspection. */
  get state(): { readonly waiting: number; readonly pending: number; readonly kept: Readonly<Record<string, number>> } {
    const kept = Object.fromEntries(this.#partitions.map(({ name, queued }) => [name, queued]))
    return { waiting: this.#waiting, pending: this.#pending, kept }
  }

  /**
   * Goes on with other partitions, and maybe another hash, while nobody is subscribed. What waits is for the new partitions: in the
   * order of emission, as far as it waited for one partition before.
   *
   * @throws `StageError` `bad_options`, also when somebody is subscribed.
   */
  repartition(options: PartitionDispatcherOptions<Out, Name>): void {
    const [subscription] = this.#bySubscription.keys()
    if (subscription !== undefined) {
      const text = `${this.#host?.producer} cannot have other partitions while somebody is subscribed: ${subscription}`
      throw new StageError('bad_options', text)
    }
    const next = new PartitionDispatcher<Out, Name>(options)
    next.#host = this.#host
    const kept = this.#partitions.map((partition) => partition.clear())
    this.#partitions = next.#partitions
    this.#byName = next.#byName
    this.#splitter = next.#splitter
    this.#maxQueued = next.#maxQueued
    this.#full = 0
    for (const { events } of kept) {
      this.#send(events, events.length)
      this.#waiting += this.#splitter.dropped
    }
    for (const { infos } of kept) for (const info of infos) this.info(info)
  }

  check({ partition }: SubscriptionOptions<never>): string | undefined {
    if (partition !== undefined && this.#byName.has(partition)) return undefined
    const got = partition === undefined ? 'none' : show(partition)
    return `partition: expected one of ${this.#names}, got ${got}`
  }

  subscribe(subscription: Subscription): number | { readonly refused: StageError } {
    const partition = this.#byName.get(subscription.options.partition)
    if (partition === undefined) throw new Error(`there is no partition of ${subscription}`)
    if (partition.subscription !== undefined) {
      const { consumer } = partition.subscription
      const text = `${subscription} was refused: partition ${show(partition.name)} belongs to ${consumer}, and a partition has one consumer`
      return { refused: new StageError('bad_options', text) }
    }
    partition.subscription = subscription
    this.#bySubscription.set(subscription, partition)
    return 0
  }

  cancel(subscription: Subscription): number {
    const partition = this.#bySubscription.get(subscription)
    if (partition === undefined) return 0
    this.#bySubscription.delete(subscription)
    // What it was sent of others' demand waits for the next consumer; of its own, nothing waits.
    this.#pending += partition.leave()
    return 0
  }

  ask(demand: number, subscription: Subscription): number {
    const partition = this.#bySubscription.get(subscription)
    if (partition === undefined) return 0
    partition.ask(demand)
    if (partition.full && partition.queued <= this.#maxQueued / 2) {
      partition.full = false
      this.#full--
    }
    const already = Math.min(this.#pending, demand)
    this.#pending -= already
    this.#withheld += demand - already
    if (this.#full > 0) return 0
    const granted = this.#withheld
    this.#withheld = 0
    this.#waiting += granted
    return granted
  }

  dispatch(events: readonly Out[]): readonly unknown[] {
    const taken = this.#send(events, this.#waiting)
    this.#waiting -= taken - this.#splitter.dropped
    if (taken === events.length) return NONE
    return taken === 0 ? events : events.slice(taken)
  }

  /** Sends events to their partitions, or has them wait there; says how many it took. */
  #send(events: readonly Out[], wanted: number): number {
    const { batches } = this.#splitter
    const taken = this.#splitter.split(events, wanted)
    const { dropped } = this.#splitter
    // The producer has done its part, and nobody got anything: without this nobody would ever ask again.
    if (dropped > 0) this.#host?.demand(dropped)
    for (const [place, partition] of this.#partitions.entries()) {
      partition.send(batches[place] ?? NONE)
      batches[place] = NONE
      if (!partition.full && partition.queued >= this.#maxQueued) this.#filled(partition)
    }
    return taken
  }

  info(info: Info): void {
    const behind = this.#partitions.filter(({ queued }) => queued > 0)
    if (behind.length === 0) return info()
    let left = behind.length
    const passed = (): void => {
      if (--left === 0) info()
    }
    for (const partition of behind) partition.attach(passed)
  }

  get #names(): string {
    return this.#partitions.map(({ name }) => show(name)).join(', ')
  }

  #failed(event: unknown, thrown: unknown): StageError {
    const cause = thrown instanceof Error ? thrown : new Error(show(thrown))
    const text = `the hash of the partitions of ${this.#host?.producer} failed on event ${show(event)}: ${cause.message}`
    return new StageError('bad_partition', text, cause)
  }

  #filled(partition: Partition<Out>): void {
    partition.full = true
    this.#full++
    const producer = this.#host?.producer
    const whose = partition.subscription === undefined ? 'nobody' : `${partition.subscription.consumer}`
    const text = `${partition.queued} events wait for partition ${show(partition.name)} of ${producer}, which ${whose} serves: nothing more is asked for until half of them are gone`
    this.#host?.logger.warn({ producer, partition: partition.name, queued: partition.queued }, text)
  }
}

function namesOf(partitions: number | readonly PartitionName[]): readonly PartitionName[] {
  if (typeof partitions === 'number' && Number.isInteger(partitions) && partitions > 0) {
    return Array.from({ length: partitions }, (_, index) => index)
  }
  if (Array.isArray(partitions) && partitions.length > 0) {
    const names: readonly unknown[] = partitions
    const wrong = names.find((name) => typeof name !== 'string' && !Number.isInteger(name))
    if (wrong !== undefined) throw bad('partitions', wrong, 'names that are strings or whole numbers')
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) throw bad('partitions', twice, 'names that differ')
    return partitions
  }
  throw bad('partitions', partitions, 'a number >= 1, or an array of names')
}

/** The default hash. */
function evenly(names: readonly PartitionName[]): (event: unknown) => PartitionName | undefined {
  if (names.every((name) => typeof name === 'number')) return (event) => names[stablePartition(event, names.length)]
  throw bad('hash', undefined, 'a function from an event to the name of its partition, because partitions have names')
}

function bad(option: string, value: unknown, expected: string): StageError {
  return new StageError('bad_options', `${option} of a PartitionDispatcher: expected ${expected}, got ${show(value)}`)
}

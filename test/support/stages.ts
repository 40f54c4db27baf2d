/** Stages for tests. They write what happens to them into a journal, which the test hands in with `arg`. */

import {
  type Cancellation,
  Consumer,
  type ConsumerOptions,
  type ExitReason,
  manual,
  Producer,
  ProducerConsumer,
  type ProducerConsumerOptions,
  type ProducerOptions,
  type Subscription,
} from 'sluice'

/** What happened, in order. */
export type Entry = readonly [what: string, ...details: unknown[]]

export class Journal {
  readonly entries: Entry[] = []
  readonly subscriptions: Subscription[] = []
  /** To be handed to stages: a function, because an argument is copied. */
  readonly note = (what: string, ...details: unknown[]): void => {
    this.entries.push([what, ...details])
    for (const detail of details) if (isSubscription(detail)) this.subscriptions.push(detail)
  }

  /** The details of the entries of one kind: one detail as it is, several as an array. */
  of(what: string): unknown[] {
    return this.entries.filter((entry) => entry[0] === what).map(([, ...details]) => unwrap(details))
  }

  /** All events handled, in order. */
  get events(): unknown[] {
    return this.of('events').flat(1)
  }

  clear(): void {
    this.entries.length = 0
  }
}

function unwrap(details: readonly unknown[]): unknown {
  return details.length === 1 ? details[0] : details
}

function isSubscription(value: unknown): value is Subscription {
  return typeof value === 'object' && value !== null && 'ends' in value
}

export type Note = Journal['note']

const nothing: Note = () => {}

export interface SourceArg {
  readonly note?: Note
  readonly options?: ProducerOptions<unknown>
  /** What `formatDiscarded` answers. */
  readonly reportsDiscarded?: boolean
}

/** A producer that emits what it is given. */
export class Source extends Producer<unknown> {
  protected readonly note: Note
  readonly #reportsDiscarded: boolean

  constructor(arg: SourceArg = {}) {
    super(arg.options)
    this.note = arg.note ?? nothing
    this.#reportsDiscarded = arg.reportsDiscarded ?? true
  }

  override handleDemand(demand: number): readonly unknown[] | undefined {
    this.note('demand', demand)
    return undefined
  }

  override handleSubscribe(peer: 'producer' | 'consumer', subscription: Subscription): undefined {
    this.note('subscribe', peer, subscription)
    return undefined
  }

  override handleCancel({ kind, reason }: Cancellation, _subscription: Subscription): undefined {
    this.note('cancel', kind, reason)
    return undefined
  }

  override handleInfo(message: unknown): void {
    this.note('info', message)
  }

  override formatDiscarded(count: number): boolean {
    this.note('discarded', count)
    return this.#reportsDiscarded
  }

  override terminate(reason: ExitReason): void {
    this.note('terminate', reason)
  }

  give(...events: readonly unknown[]): void {
    this.emit(events)
  }

  end(reason: ExitReason): void {
    this.stop(reason)
  }
}

/** A producer that counts up as it is asked, and goes silent at `until`. */
export class Counter extends Producer<number> {
  readonly #note: Note
  readonly #until: number
  #next = 0

  constructor(arg: { readonly note?: Note; readonly until: number; readonly options?: ProducerOptions<number> }) {
    super(arg.options)
    this.#note = arg.note ?? nothing
    this.#until = arg.until
  }

  override handleDemand(demand: number): readonly number[] {
    this.#note('demand', demand)
    const count = Math.min(demand, this.#until - this.#next)
    return Array.from({ length: count }, () => this.#next++)
  }

  override handleCancel({ kind, reason }: Cancellation): undefined {
    this.#note('cancel', kind, reason)
    return undefined
  }
}

export interface SinkArg {
  readonly note?: Note
  readonly options?: ConsumerOptions<unknown>
  /** Chooses manual demand. */
  readonly manual?: boolean
  /** Runs in `handleEvents`, inside the stage. */
  readonly work?: (events: readonly unknown[], stage: Sink) => void | Promise<void>
}

/** A consumer that notes what it gets. */
export class Sink extends Consumer<unknown> {
  protected readonly note: Note
  readonly #arg: SinkArg

  constructor(arg: SinkArg = {}) {
    super(arg.options)
    this.note = arg.note ?? nothing
    this.#arg = arg
    this.note('started')
  }

  override handleEvents(events: readonly unknown[]): void | Promise<void> {
    this.note('events', events)
    return this.#arg.work?.(events, this)
  }

  override handleSubscribe(peer: 'producer' | 'consumer', subscription: Subscription): typeof manual | undefined {
    this.note('subscribe', peer, subscription)
    return this.#arg.manual === true ? manual : undefined
  }

  override handleCancel({ kind, reason }: Cancellation, _subscription: Subscription): void {
    this.note('cancel', kind, reason)
  }

  override handleInfo(message: unknown): void {
    this.note('info', message)
  }

  override terminate(reason: ExitReason): void {
    this.note('terminate', reason)
  }

  end(reason: ExitReason): void {
    this.stop(reason)
  }
}

export interface MiddleArg {
  readonly note?: Note
  readonly options?: ProducerConsumerOptions<unknown, unknown>
  /** What it makes of events. Default: the same. */
  readonly map?: (
    events: readonly unknown[],
    stage: Middle,
  ) => readonly unknown[] | undefined | Promise<readonly unknown[]>
  /** Runs in `handleCancel`, inside the stage. */
  readonly cancelled?: (stage: Middle) => void | Promise<void>
}

/** A producer-consumer that notes what it gets. */
export class Middle extends ProducerConsumer<unknown, unknown> {
  readonly #note: Note
  readonly #arg: MiddleArg

  constructor(arg: MiddleArg = {}) {
    super(arg.options)
    this.#note = arg.note ?? nothing
    this.#arg = arg
    this.#note('started')
  }

  override handleEvents(events: readonly unknown[]): readonly unknown[] | undefined | Promise<readonly unknown[]> {
    this.#note('events', events)
    return this.#arg.map === undefined ? events : this.#arg.map(events, this)
  }

  override handleCancel({ kind, reason }: Cancellation): void | Promise<void> {
    this.#note('cancel', kind, reason)
    return this.#arg.cancelled?.(this)
  }

  override handleInfo(message: unknown): void {
    this.#note('info', message)
  }

  override terminate(reason: ExitReason): void {
    this.#note('terminate', reason)
  }

  give(...events: readonly unknown[]): void {
    this.emit(events)
  }
}

/** From `first` to `last`, both included. */
export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

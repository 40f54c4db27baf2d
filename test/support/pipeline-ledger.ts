/** Keeps account of everything that passes between the stages of a pipeline, and notes what breaks the laws. */

import type { Ref, Subscription } from 'sluice'

/** An event: what it is worth, which stage emitted it, and as which of its events. */
export interface Item {
  readonly value: number
  readonly by: string
  readonly nth: number
  /** Only items of one lane stay in order. */
  readonly lane: number
}

/** Who is to get the events of a stage: one consumer each, or all that want them. */
export type Delivery = 'once' | 'to_all'

/** One life of a stage that emits. */
interface Flow {
  readonly by: string
  readonly stage: Ref
  readonly delivery: Delivery
  /** What comes of a value that the stage handles; `undefined` for a source. */
  readonly transform: ((value: number) => readonly number[]) | undefined
  readonly emitted: Item[]
  /** How often each item was delivered. */
  readonly delivered: number[]
}

/** One subscription, as its consumer sees it. */
interface Account {
  readonly subscription: Subscription
  /** The life of the stage that consumes. */
  readonly life: string
  readonly max: number
  readonly min: number
  asked: number
  readonly delivered: Item[]
  handled: number
  left: boolean
  /** Number of the next event of its producer when that accepted it; infinite until then. */
  from: number
  readonly latest: Map<number, number>
}

export class Ledger {
  readonly violations: string[] = []
  readonly #flows = new Map<string, Flow>()
  readonly #accounts = new Map<Subscription, Account>()
  readonly #lives = new Map<string, number>()
  /** The values that each life of a stage has handled. */
  readonly #valuesOf = new Map<string, number[]>()

  // ---- Stages tell

  /** A stage begins a life; gives what to call it. */
  born(stage: string): string {
    const life = (this.#lives.get(stage) ?? 0) + 1
    this.#lives.set(stage, life)
    return life === 1 ? stage : `${stage}, life ${life}`
  }

  /** A stage is about to emit. */
  opens(by: string, stage: Ref, delivery: Delivery, transform?: (value: number) => readonly number[]): void {
    this.#flows.set(by, { by, stage, delivery, transform, emitted: [], delivered: [] })
  }

  /** New events of a stage, in the order in which it emits them. */
  stamp(by: string, values: readonly number[], lanes = 1): Item[] {
    const { emitted, delivered } = this.#flow(by)
    const items = values.map((value, index) => {
      const nth = emitted.length + index
      return { value, by, nth, lane: (nth * 7) % lanes }
    })
    emitted.push(...items)
    for (const _ of items) delivered.push(0)
    return items
  }

  /** A consumer subscribes, and is about to ask. */
  watch(subscription: Subscription, life: string): void {
    const { maxDemand: max = 1000, minDemand: min = 0 } = subscription.options
    const account: Account = {
      subscription,
      life,
      max,
      min,
      asked: 0,
      delivered: [],
      handled: 0,
      left: false,
      from: Infinity,
      latest: new Map(),
    }
    this.#accounts.set(subscription, account)
    const ask = subscription.ask.bind(subscription)
    subscription.ask = (demand) => {
      account.asked += demand
      ask(demand)
    }
    const deliver = subscription.deliver.bind(subscription)
    subscription.deliver = (events) => {
      this.#deliver(account, events as readonly Item[])
      deliver(events)
    }
  }

  handle(events: readonly Item[], subscription: Subscription): void {
    const account = this.#accounts.get(subscription)
    if (account === undefined) return this.#violated(subscription, 'is unknown')
    if (events.length === 0) this.#violated(subscription, 'handled no events')
    // What a producer sent before it went comes whole.
    if (subscription.inflow !== undefined && events.length > account.max - account.min)
      this.#violated(subscription, 'has too long a batch')
    for (const item of events) {
      if (account.delivered[account.handled] !== item) this.#violated(subscription, `handled ${show(item)} out of turn`)
      account.handled++
    }
    const values = this.#valuesOf.get(account.life) ?? []
    values.push(...events.map(({ value }) => value))
    this.#valuesOf.set(account.life, values)
  }

  /** A stage that emits has got a consumer. */
  joins(subscription: Subscription, by: string): void {
    const account = this.#accounts.get(subscription)
    if (account !== undefined) account.from = this.#flow(by).emitted.length
  }

  /** A consumer leaves: of what a broadcast sends from now on it need not get anything. */
  leaves(subscription: Subscription): void {
    const account = this.#accounts.get(subscription)
    if (account !== undefined) account.left = true
  }

  // ---- Judgement

  /** Events that stages have handled. */
  get handled(): number {
    return [...this.#accounts.values()].reduce((sum, { handled }) => sum + handled, 0)
  }

  /** What the living still owe each other, when nothing is on its way any more. */
  owed(): readonly string[] {
    const living = [...this.#accounts.values()].filter(({ subscription }) => subscription.consumer.alive)
    return [
      ...[...this.#flows.values()].filter(({ stage }) => stage.alive).flatMap((flow) => this.#undelivered(flow)),
      ...living.flatMap(unhandled),
      ...this.#wronglyTransformed(),
    ]
  }

  /** What has not arrived of all that was ever emitted, when no stage has ended before its time. */
  lost(): readonly string[] {
    return [
      ...[...this.#flows.values()].flatMap((flow) => this.#undelivered(flow)),
      ...[...this.#accounts.values()].flatMap(unhandled),
    ]
  }

  #undelivered({ by, stage, delivery, delivered, emitted }: Flow): string[] {
    if (delivery === 'once') {
      const missing = emitted.filter((_, nth) => delivered[nth] === 0)
      return missing.length === 0 ? [] : [`${list(missing)} reached nobody`]
    }
    const readers = [...this.#accounts.values()].filter(
      ({ subscription, left }) => !left && subscription.producer === stage && (!stage.alive || subscription.accepted),
    )
    return readers.flatMap((account) => {
      // Before the last that it got nothing is missing, that was checked when it came.
      const next = (account.delivered.at(-1)?.nth ?? -1) + 1
      const missing = emitted.slice(Math.max(account.from, next)).filter((item) => wants(account, item))
      return missing.length === 0 ? [] : [`${account.subscription} to ${by} was not sent ${list(missing)}`]
    })
  }

  #wronglyTransformed(): string[] {
    return [...this.#flows.values()].flatMap(({ by, stage, transform, emitted }) => {
      if (transform === undefined || !stage.alive) return []
      const expected = sorted((this.#valuesOf.get(by) ?? []).flatMap(transform))
      const made = sorted(emitted.map(({ value }) => value))
      return `${expected}` === `${made}` ? [] : [`${by} made ${made} and should have made ${expected}`]
    })
  }

  // ---- On the way

  #deliver(account: Account, events: readonly Item[]): void {
    const { subscription, delivered } = account
    if (events.length === 0) this.#violated(subscription, 'was sent no events')
    for (const item of events) {
      this.#deliverOne(account, item)
      delivered.push(item)
    }
    if (delivered.length > account.asked) this.#violated(subscription, 'got more than was asked for')
    if (delivered.length - account.handled > account.max)
      this.#violated(subscription, 'has more than maxDemand in flight')
  }

  #deliverOne(account: Account, item: Item): void {
    const { subscription, latest } = account
    const { by, delivery, emitted, delivered } = this.#flow(item.by)
    if (emitted[item.nth] !== item) return this.#violated(subscription, `got ${show(item)}, which ${by} did not emit`)
    if (!wants(account, item)) this.#violated(subscription, `got ${show(item)}, which it does not want`)
    const before = latest.get(item.lane)
    latest.set(item.lane, item.nth)
    if (before !== undefined && item.nth <= before)
      this.#violated(subscription, `got ${show(item)} behind number ${before}`)
    delivered[item.nth] = (delivered[item.nth] ?? 0) + 1
    if (delivery === 'once') {
      if (delivered[item.nth] !== 1) this.#violated(subscription, `got ${show(item)}, which another one had got`)
    } else if (before !== undefined) {
      const skipped = emitted.slice(before + 1, item.nth).filter((other) => wants(account, other))
      if (skipped.length > 0) this.#violated(subscription, `was not sent ${list(skipped)}`)
    }
  }

  #flow(by: string): Flow {
    const flow = this.#flows.get(by)
    if (flow === undefined) throw new Error(`${by} has not been opened`)
    return flow
  }

  #violated(subscription: Subscription, what: string): void {
    this.violations.push(`${subscription} ${what}`)
  }
}

function wants({ subscription: { options } }: Account, item: Item): boolean {
  return options.selector === undefined || Reflect.apply(options.selector, undefined, [item]) === true
}

function show({ by, nth }: Item): string {
  return `event ${nth} of ${by}`
}

function list(items: readonly Item[]): string {
  return items.map(show).join(', ')
}

/** What was delivered to a consumer that it has not handled. */
function unhandled({ subscription, delivered, handled }: Account): string[] {
  return handled === delivered.length ? [] : [`${subscription} handled ${handled} of ${delivered.length} events`]
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b)
}

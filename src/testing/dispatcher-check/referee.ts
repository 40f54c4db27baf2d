/**
 * Watches one dispatcher: what it is told, what it says and whom it sends what. It notes the first breach of a rule, and
 * writes down what happened.
 */

import type { Dispatcher } from '../../stage/dispatchers/dispatcher.ts'
import type { Subscription } from '../../stage/subscription.ts'
import type { SubscriptionOptions } from '../../stage/subscription-options.ts'
import type { Breach, DispatcherRule } from './rules.ts'

/** What kind of dispatcher it is, as far as the rules depend on it. */
export interface DispatcherKind {
  readonly toAll: boolean
  readonly keeps: boolean
  wants(event: unknown, options: SubscriptionOptions<never>): boolean
  drops(event: unknown): boolean
  lane(event: unknown): unknown
}

interface Customer {
  readonly name: string
  readonly options: SubscriptionOptions<never>
  /** It was accepted and has not gone. */
  present: boolean
  /** What it asked for; not what the dispatcher asked for in its stead, for events that it does not want. */
  asked: number
  got: number
  /** The latest event, by what has to stay in order. */
  readonly latest: Map<unknown, number>
}

interface Emitted {
  readonly nth: number
  /** `waiting` to be taken by the dispatcher, `taken`, or `sent` to all that must have it. */
  state: 'waiting' | 'taken' | 'sent'
  readonly sentTo: Set<Customer>
}

interface Info {
  readonly nth: number
  /** Events emitted before it. */
  readonly behind: number
  passed: boolean
}

export class Referee {
  breach: Breach | undefined = undefined
  readonly trace: string[] = []
  readonly #dispatcher: Dispatcher
  readonly #kind: DispatcherKind
  readonly #customers = new Map<Subscription, Customer>()
  readonly #events = new Map<unknown, Emitted>()
  readonly #infos: Info[] = []
  /** Events that were emitted and that not everybody has who must. */
  readonly #open = new Set<Emitted>()
  /** Events that the producer was asked for and has not emitted. */
  #debt = 0
  /** Events that were for nobody. */
  #dropped = 0
  /** What consumers that have gone had asked for and not got. */
  #leftBehind = 0
  #dispatching = false

  constructor(dispatcher: Dispatcher, kind: DispatcherKind) {
    this.#dispatcher = dispatcher
    this.#kind = kind
    this.#watch(dispatcher)
  }

  /** What the producer still has to emit. */
  get debt(): number {
    return this.#debt
  }

  get emitted(): number {
    return this.#events.size
  }

  /** Events that have not reached everybody who must have them. */
  get open(): number {
    return this.#open.size
  }

  /** The options of those who are there. */
  get present(): readonly SubscriptionOptions<never>[] {
    return this.#present.map(({ options }) => options)
  }

  // ---- What the producer tells

  /** The producer was asked for events. */
  demanded(count: number): void {
    this.#add(`the producer is asked for ${count}`)
    this.#debt += count
    const wanted = this.#wanted
    // Others are asked for in the place of those that were for nobody, a message later: who wanted them may have gone.
    const late = this.#dropped === 0 ? 0 : this.#dropped + this.#leftBehind
    if (this.#debt <= wanted + late) return
    this.#breaks(
      'asked_again',
      `it asks the producer for ${count}, which then owes ${this.#debt}, and consumers want ${wanted}`,
    )
  }

  /** The producer emits events, in this order. */
  emits(events: readonly unknown[]): void {
    this.#line(`the producer emits ${list(events)}`)
    this.#debt = Math.max(0, this.#debt - events.length)
    for (const event of events) {
      const emitted: Emitted = { nth: this.#events.size, state: 'waiting', sentTo: new Set() }
      this.#events.set(event, emitted)
      this.#open.add(emitted)
    }
  }

  /** An info comes; the answer is to be called when it is passed on. */
  infoComes(): () => void {
    const info: Info = { nth: this.#infos.length + 1, behind: this.#events.size, passed: false }
    this.#infos.push(info)
    this.#line(`info ${info.nth} comes`)
    return () => {
      this.#add(`info ${info.nth} is passed on`)
      if (info.passed) this.#breaks('info_twice', `info ${info.nth} was passed on twice`)
      info.passed = true
      const ahead = this.#ahead(info)
      if (ahead > 0)
        this.#breaks(
          'info_early',
          `info ${info.nth} was passed on ahead of ${count(ahead, 'event')} that came before it`,
        )
    }
  }

  /** Nothing is on its way: everything that can be done must have been done. */
  rests(): void {
    const wanted = this.#wanted
    const { ready, kept: says = 0 } = this.#dispatcher
    if (!this.#kind.keeps && ready !== wanted) {
      this.#breaks('ready', `ready is ${ready}, and consumers want ${wanted}`)
    }
    const kept = this.#kept
    if (kept !== says)
      this.#breaks('lost', `it says that it keeps ${count(says, 'event')}, and ${kept} have gone nowhere else`)
    const missing = wanted - kept
    if (missing > this.#debt) {
      this.#breaks(
        'stalled',
        `consumers want ${count(missing, 'event')}, and the producer was asked for ${this.#debt} only`,
      )
    }
    // One may wait for what is kept, too, also when that came later and overtook what came before it.
    const forgotten = kept > 0 ? undefined : this.#infos.find((info) => !info.passed && this.#ahead(info) === 0)
    if (forgotten !== undefined) {
      this.#breaks(
        'info_forgotten',
        `info ${forgotten.nth} was not passed on, and nothing that came before it waits any more`,
      )
    }
  }

  /** Nothing more comes, and all that could be asked for was asked for. */
  ends(): void {
    if (this.#open.size > 0) {
      this.#breaks('lost', `${count(this.#open.size, 'event')} never arrived, though all consumers asked for more`)
    }
  }

  /** The producer found something wrong, and ended. */
  threw(thrown: unknown): void {
    const text = thrown instanceof Error ? thrown.message : String(thrown)
    this.#breaks('contract', text.replace(/^.*breaks the contract of dispatchers: /, ''))
  }

  // ---- What the dispatcher does

  /** Listens to what the producer calls; the dispatcher stays the object that it is. */
  #watch(dispatcher: Dispatcher): void {
    const subscribe = dispatcher.subscribe.bind(dispatcher)
    const cancel = dispatcher.cancel.bind(dispatcher)
    const ask = dispatcher.ask.bind(dispatcher)
    const dispatch = dispatcher.dispatch.bind(dispatcher)
    dispatcher.subscribe = (subscription) => {
      const customer = this.#enters(subscription)
      const answer = subscribe(subscription)
      customer.present = typeof answer === 'number'
      if (typeof answer !== 'number') this.#add('it is refused')
      return answer
    }
    dispatcher.cancel = (subscription) => {
      const customer = this.#customers.get(subscription)
      if (customer !== undefined) {
        this.#line(`${customer.name} goes`)
        customer.present = false
        this.#leftBehind += customer.asked - customer.got
      }
      return cancel(subscription)
    }
    dispatcher.ask = (demand, subscription) => {
      const customer = this.#customers.get(subscription)
      if (customer !== undefined) {
        this.#line(`${customer.name} asks for ${demand}`)
        customer.asked += demand
      }
      return ask(demand, subscription)
    }
    dispatcher.dispatch = (events) => {
      for (const event of events) this.#take(event)
      this.#dispatching = true
      const left = dispatch(events)
      this.#dispatching = false
      this.#check(events, left)
      return left
    }
  }

  #enters(subscription: Subscription): Customer {
    const name = `consumer ${this.#customers.size + 1}`
    const customer: Customer = {
      name,
      options: subscription.options,
      present: true,
      asked: 0,
      got: 0,
      latest: new Map(),
    }
    this.#customers.set(subscription, customer)
    this.#line(`${name} subscribes`)
    const deliver = subscription.deliver.bind(subscription)
    subscription.deliver = (events) => {
      this.#add(`${name} is sent ${list(events)}`)
      this.#sent(customer, events)
      deliver(events)
    }
    const ask = subscription.ask.bind(subscription)
    subscription.ask = (demand) => {
      if (this.#dispatching) customer.asked -= demand
      ask(demand)
    }
    return customer
  }

  #take(event: unknown): void {
    const emitted = this.#events.get(event)
    if (emitted !== undefined) emitted.state = 'taken'
  }

  #sent(customer: Customer, events: readonly unknown[]): void {
    const { name } = customer
    customer.got += events.length
    if (!customer.present) this.#breaks('stranger', `${name} was sent events and is no consumer any more`)
    if (events.length === 0) this.#breaks('empty', `${name} was sent a message without events`)
    if (customer.got > customer.asked) {
      this.#breaks('unasked', `${name} was sent ${count(customer.got, 'event')} and had asked for ${customer.asked}`)
    }
    for (const event of events) this.#sentOne(customer, event)
  }

  #sentOne(customer: Customer, event: unknown): void {
    const { name } = customer
    const emitted = this.#events.get(event)
    if (emitted === undefined) return this.#breaks('invented', `${name} was sent ${show(event)}, which nobody emitted`)
    if (emitted.state === 'waiting') {
      return this.#breaks('invented', `${name} was sent ${show(event)}, which was not there to be dispatched`)
    }
    if (!this.#kind.wants(event, customer.options))
      this.#breaks('unwanted', `${name} was sent ${show(event)}, which is not for it`)
    if (emitted.sentTo.has(customer)) this.#breaks('twice', `${name} was sent ${show(event)} twice`)
    else if (!this.#kind.toAll && emitted.sentTo.size > 0)
      this.#breaks('twice', `${show(event)} was sent to two consumers`)
    emitted.sentTo.add(customer)
    if (!this.#kind.toAll) this.#arrived(emitted)
    const lane = this.#kind.lane(event)
    if (emitted.nth < (customer.latest.get(lane) ?? -1)) {
      this.#breaks('order', `${name} was sent ${show(event)} behind an event that was emitted later`)
    }
    customer.latest.set(lane, emitted.nth)
  }

  /** Each event of a dispatch was sent to those who must have it, is kept, or came back. */
  #check(events: readonly unknown[], left: readonly unknown[]): void {
    // What is no array is the producer's to refuse.
    const back = Array.isArray(left) ? left.length : 0
    if (back > 0) this.#add(`${list(left)} ${back === 1 ? 'comes' : 'come'} back`)
    const from = events.length - back
    for (const [index, event] of events.entries()) {
      const emitted = this.#events.get(event)
      if (emitted === undefined) continue
      if (index < from) this.#checkTaken(event, emitted)
      else {
        emitted.state = 'waiting'
        const given = left[index - from]
        if (emitted.sentTo.size > 0) this.#breaks('twice', `${show(event)} was sent and given back as well`)
        else if (!Object.is(given, event)) {
          this.#breaks(
            'leftover',
            `it gave back ${show(given)} where ${show(event)} was expected: the events for which there is no demand, as they came`,
          )
        }
      }
    }
  }

  #checkTaken(event: unknown, emitted: Emitted): void {
    const drops = this.#kind.drops(event)
    if (drops) this.#dropped++
    const missing = drops ? undefined : this.#missing(event, emitted)
    if (missing === undefined) return this.#arrived(emitted)
    if (!this.#kind.keeps) this.#breaks('lost', `${show(event)} was neither sent${missing} nor given back`)
  }

  /** Who should have an event and does not, in words; `undefined` when it is where it belongs. */
  #missing(event: unknown, { sentTo }: Emitted): string | undefined {
    const wanting = this.#present.filter(({ options }) => this.#kind.wants(event, options))
    if (this.#kind.toAll) {
      const without = wanting.find((customer) => !sentTo.has(customer))
      return without === undefined ? undefined : ` to ${without.name}`
    }
    return sentTo.size > 0 ? undefined : ''
  }

  #arrived(emitted: Emitted): void {
    emitted.state = 'sent'
    this.#open.delete(emitted)
  }

  // ---- Sums

  get #present(): readonly Customer[] {
    return [...this.#customers.values()].filter(({ present }) => present)
  }

  /** Events that could be sent to consumers now. */
  get #wanted(): number {
    const open = this.#present.map(({ asked, got }) => asked - got)
    if (this.#kind.toAll) return open.length === 0 ? 0 : Math.min(...open)
    return open.reduce((sum, each) => sum + each, 0)
  }

  /** Events that it took, and that have not reached anybody. */
  get #kept(): number {
    return this.#kind.keeps ? [...this.#open].filter(({ state }) => state === 'taken').length : 0
  }

  /** Events that came before an info and have not been sent. */
  #ahead({ behind }: Info): number {
    return [...this.#open].filter(({ nth }) => nth < behind).length
  }

  #breaks(rule: DispatcherRule, text: string): void {
    this.breach ??= { rule, text }
  }

  #line(text: string): void {
    if (this.breach === undefined) this.trace.push(text)
  }

  #add(text: string): void {
    if (this.breach !== undefined) return
    const last = this.trace.pop()
    this.trace.push(last === undefined ? text : last.includes(': ') ? `${last}, ${text}` : `${last}: ${text}`)
  }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}

function list(events: readonly unknown[]): string {
  if (!Array.isArray(events)) return show(events)
  if (events.length === 0) return 'nothing'
  return events.map(show).join(' ')
}

function show(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  return JSON.stringify(value)
}

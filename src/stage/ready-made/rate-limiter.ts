/** A stage that lets no more than so many events through in any interval. */

import { serverOf } from '../../otp/gen-server.ts'
import type { Later } from '../../process/later.ts'
import { StageError } from '../errors.ts'
import type { ProducerConsumerOptions } from '../producer-consumer.ts'
import { refuseUnknownOptions } from '../producer-options.ts'
import type { Cancellation } from '../stage.ts'
import { manual } from '../stage-behaviour.ts'
import type { Subscription } from '../subscription.ts'
import { Alarm } from './alarm.ts'
import { EventQueue } from './event-queue.ts'
import { Gate } from './gate.ts'
import { SlidingWindow } from './sliding-window.ts'
import { Supply } from './supply.ts'

export interface RateLimiterOptions<T> extends Pick<ProducerConsumerOptions<T, T>, 'subscribeTo' | 'dispatcher'> {
  /** Events that may go on in any interval, >= 1; `Infinity` for no limit. */
  readonly limit: number
  /** Milliseconds, > 0. */
  readonly interval: number
}

const KNOWN = ['limit', 'interval', 'subscribeTo', 'dispatcher']

/** What one producer sent and that has not gone on. */
interface Line<T> {
  readonly supply: Supply
  readonly events: EventQueue<T>
  /** It may send more. */
  open: boolean
}

/**
 * A stage in the middle that lets events through as they are, but never more than `limit` in any `interval` milliseconds,
 * wherever the interval begins. It is one budget for all its producers and consumers: producers take turns, and consumers get
 * what they ask for as long as there is some of it left.
 *
 * While the budget lasts events go on at once. Then a timer waits for the moment when more may go, one however many events
 * wait. It asks its producers for what its consumers asked for, and at most for `limit` events each.
 *
 * @example
 * ```ts
 * import { Consumer, fromIterable, RateLimiter, startLink } from 'sluice'
 *
 * class Caller extends Consumer<number> {
 *   override async handleEvents(ids: readonly number[]) { console.log('fetch', ids) }
 * }
 * const ids = await fromIterable([1, 2, 3, 4, 5])
 * const limiter = await startLink(RateLimiter<number>, { arg: { limit: 2, interval: 100 }, subscribeTo: [ids] })
 * const callers = await startLink(Caller, { subscribeTo: [{ to: limiter, maxDemand: 10 }] })
 * await callers.done // two at once, two after 100 ms, one after 200
 * ```
 * For events that go evenly take a short interval: `{ limit: 1, interval: 100 }` instead of `{ limit: 10, interval: 1000 }`.
 *
 * Not in Elixir, whose documentation has a consumer that asks by hand for one producer.
 */
export class RateLimiter<T> extends Gate<T, T> {
  readonly #window: SlidingWindow
  readonly #alarm: Alarm | undefined
  /** By producer, in the order in which they take turns. */
  readonly #lines = new Map<Subscription, Line<T>>()
  #held = 0
  #ending = false

  /** @throws `StageError` `bad_options`. */
  constructor(options: RateLimiterOptions<T>) {
    const { limit, interval, ...stage } = options ?? {}
    refuseUnknownOptions(new.target.name, options ?? {}, KNOWN)
    checkRate(new.target.name, limit, interval)
    super(stage)
    this.#window = new SlidingWindow(limit, interval)
    const behaviour = serverOf(this)
    if (behaviour !== undefined) this.#alarm = new Alarm(behaviour.process)
  }

  // ---- Messages

  /**
   * Changes the limit, and the interval if it is given, from now on; what has gone in the interval before counts.
   *
   * @throws `CallError` `failed`, whose cause is a `StageError` `bad_options`.
   */
  setLimit(limit: number, interval: number = this.#window.interval): Later<void> {
    return this.later(() => {
      checkRate(`${this}`, limit, interval)
      this.#window.change(limit, interval)
    })
  }

  // ---- Callbacks

  override handleSubscribe(peer: 'producer' | 'consumer', subscription: Subscription): typeof manual | undefined {
    if (peer === 'consumer') return undefined
    const line: Line<T> = { supply: new Supply(subscription), events: new EventQueue(), open: true }
    this.#lines.set(subscription, line)
    return manual
  }

  override handleCancel(_cancellation: Cancellation, subscription: Subscription): undefined {
    const line = this.#lines.get(subscription)
    if (line === undefined) return
    // What it sent still has its turn.
    line.open = false
    if (line.events.size === 0) this.#lines.delete(subscription)
  }

  override handleEvents(events: readonly T[], subscription: Subscription): void {
    const line = this.#lines.get(subscription)
    if (line === undefined) return
    line.supply.arrived(events.length)
    line.events.pushAll(events)
    this.#held += events.length
  }

  override get holding(): number {
    return this.#held
  }

  override handlePass(ready: number, wanted: number): void {
    const gone = this.#pass(ready)
    if (this.#ending) return
    const ahead = Math.min(wanted - gone, this.#window.limit)
    for (const { supply, events, open } of this.#lines.values()) if (open) supply.want(ahead, events.size)
  }

  override handleEnding(): void {
    this.#ending = true
  }

  // ----

  /** Lets through what consumers wait for, as far as the budget goes; says how many that were. */
  #pass(ready: number): number {
    const due = Math.min(ready, this.#held)
    const behaviour = serverOf(this)
    if (due === 0 || behaviour === undefined) {
      // Nobody waits.
      this.#alarm?.cancel()
      return 0
    }
    const now = behaviour.process.runtime.clock.now()
    const count = Math.min(due, this.#window.free(now))
    if (count > 0) {
      this.#window.spend(count, now)
      this.emit(this.#draw(count))
    }
    if (count < due) this.#alarm?.wakeBy(this.#window.nextAt)
    return count
  }

  /** Takes events of all producers, the same number of each as far as they have them. */
  #draw(count: number): readonly T[] {
    const drawn: T[] = []
    while (drawn.length < count) {
      const waiting = [...this.#lines].filter(([, { events }]) => events.size > 0)
      const share = Math.max(1, Math.floor((count - drawn.length) / waiting.length))
      for (const [subscription, line] of waiting) {
        if (drawn.length === count) break
        for (const event of line.events.take(share)) drawn.push(event)
        // Who had its turn is the last of the next round.
        this.#lines.delete(subscription)
        if (line.open || line.events.size > 0) this.#lines.set(subscription, line)
      }
    }
    this.#held -= count
    return drawn
  }
}

function checkRate(stage: string, limit: unknown, interval: unknown): void {
  const bad = (option: string, value: unknown, expected: string): StageError =>
    new StageError('bad_options', `${option} of ${stage}: expected ${expected}, got ${String(value)}`)
  if (limit !== Infinity && !(Number.isInteger(limit) && Number(limit) >= 1)) {
    throw bad('limit', limit, 'an integer >= 1 or Infinity')
  }
  if (!(typeof interval === 'number' && interval > 0 && interval < Infinity)) {
    throw bad('interval', interval, 'milliseconds > 0')
  }
}

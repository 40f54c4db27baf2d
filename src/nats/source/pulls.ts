/**
 * Requests for messages of one consumer, on one connection: so many messages are asked for as are wanted and not on their way
 * already. They come one by one, and go on as soon as they are there. Source: ADR-13 of nats-architecture-and-design, "Pull
 * subscribe internals".
 */

import type { Timer } from '../../process/clock.ts'
import type { Process } from '../../process/process.ts'
import type { NatsConnection, NatsDelivery, NatsSubscription } from '../client/port.ts'
import { NatsError } from '../errors.ts'

export interface PullOptions {
  readonly stream: string
  readonly consumer: string
  /** Milliseconds that a request waits at the server. */
  readonly expires: number
  /** Gives a delivery back that came when nobody wanted it any more. */
  readonly giveBack: (delivery: NatsDelivery) => void
}

const NANOS = 1_000_000
/** The server says so often at least that it still knows a request, in milliseconds. */
const LONGEST_SILENCE = 5000
/** A request is taken for lost after so many silences. */
const SILENCES = 3
const HEARTBEAT = 100
const TIME_IS_OVER = 408

export class Pulls {
  readonly #process: Process
  readonly #connection: NatsConnection
  readonly #options: PullOptions
  readonly #inbox: string
  readonly #subscription: NatsSubscription
  #arrived: NatsDelivery[] = []
  /** Messages that were asked for, and are still to come. */
  #underWay = 0
  #wake: (() => void) | undefined = undefined
  #failure: NatsError | undefined = undefined
  /** Nothing more comes. */
  #over = false
  #leaving = false
  #silence: Timer | undefined = undefined

  constructor(process: Process, connection: NatsConnection, options: PullOptions) {
    this.#process = process
    this.#connection = connection
    this.#options = options
    this.#inbox = connection.inbox()
    this.#subscription = connection.subscribe(this.#inbox, (delivery) => this.#came(delivery))
  }

  /** Nothing has arrived that nobody has taken, and nothing more comes. */
  get isOver(): boolean {
    return this.#over && this.#arrived.length === 0
  }

  /** Resolves with up to `max` messages as soon as there are some; with none when the requests have ended. */
  async receive(max: number, signal: AbortSignal): Promise<readonly NatsDelivery[]> {
    if (this.#arrived.length === 0 && !this.#over) {
      if (max > this.#underWay) this.#pull(max - this.#underWay)
      await this.#somethingCame(signal)
    }
    if (this.#arrived.length > 0) return this.#arrived.splice(0, max)
    if (this.#failure !== undefined) throw this.#failure
    return []
  }

  /** The connection is lost, and the requests with it. */
  lost(): void {
    this.#end()
    this.#subscription.unsubscribe()
  }

  /** Pulls no more; what comes late is given back. */
  async stop(): Promise<void> {
    this.#leaving = true
    this.#silence?.cancel()
    for (const delivery of this.#arrived.splice(0)) this.#options.giveBack(delivery)
    if (this.#over) return
    this.#over = true
    await this.#subscription.drain().catch(() => {})
  }

  #pull(batch: number): void {
    const { stream, consumer, expires } = this.#options
    this.#underWay += batch
    const silence = Math.min(LONGEST_SILENCE, expires / 2)
    const request = { batch, expires: Math.round(expires * NANOS), idle_heartbeat: Math.round(silence * NANOS) }
    const subject = `${this.#connection.apiPrefix}.CONSUMER.MSG.NEXT.${stream}.${consumer}`
    this.#connection.publish(subject, JSON.stringify(request), this.#inbox)
  }

  #somethingCame(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#wake = undefined
        this.#silence?.cancel()
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#wake = done
      signal.addEventListener('abort', done)
      this.#listen()
    })
  }

  /** A server that has forgotten a request says nothing of it. */
  #listen(): void {
    const ms = Math.min(LONGEST_SILENCE, this.#options.expires / 2) * SILENCES
    this.#silence?.cancel()
    this.#silence = this.#process.setTimer(ms, () => {
      this.#fail(`nothing is heard of a request for messages since ${ms} ms: maybe the consumer was deleted`)
    })
  }

  #came(delivery: NatsDelivery): void {
    const { status, headers } = delivery
    if (status === 0) {
      if (this.#leaving) return this.#options.giveBack(delivery)
      this.#underWay = Math.max(0, this.#underWay - 1)
      this.#arrived.push(delivery)
      // What comes in the same turn goes with it.
      if (this.#wake !== undefined && this.#arrived.length === 1) void Promise.resolve().then(() => this.#wake?.())
      return
    }
    if (this.#leaving) return
    if (status === HEARTBEAT) {
      if (this.#wake !== undefined) this.#listen()
      return
    }
    const [left] = headers['Nats-Pending-Messages'] ?? []
    if (left !== undefined) this.#underWay = Math.max(0, this.#underWay - Number(left))
    if (status === TIME_IS_OVER && left !== undefined) this.#wake?.()
    else if (status !== TIME_IS_OVER || left === undefined)
      this.#fail(`the server ended a request for messages: ${status} ${delivery.description}`)
  }

  #fail(text: string): void {
    const { stream, consumer } = this.#options
    this.#failure = new NatsError('pull_failed', `${text} (consumer '${consumer}' of stream '${stream}')`)
    this.#subscription.unsubscribe()
    this.#end()
  }

  #end(): void {
    this.#over = true
    this.#silence?.cancel()
    this.#wake?.()
  }
}

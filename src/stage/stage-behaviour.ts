/**
 * The loop of a stage: a server that also speaks the protocol between producers and consumers. A stage has an outlet, an
 * inlet, or both; this file has what the three kinds share.
 */

import { isPromise, ServerBehaviour } from '../otp/server-behaviour.ts'
import { DOWN, INFO, payloadOf, type Tag } from '../process/message.ts'
import { Down } from '../process/signals.ts'
import { type Info, NONE } from './buffer.ts'
import { StageError } from './errors.ts'
import type { Outlet } from './outlet.ts'
import type { DemandMode } from './producer-options.ts'
import type { Stage } from './stage.ts'
import type { StageInfo } from './stage-info.ts'
import { isEvents, isProtocol, type ProtocolTag, type Subscription } from './subscription.ts'

/** The type of `manual`. A class, because the compiler widens a returned symbol. */
class Manual {
  readonly #choice = 'manual'

  toString(): string {
    return this.#choice
  }
}

/** What `handleSubscribe` of a consumer returns to ask by hand, with `subscription.ask`. */
export const manual: Manual = new Manual()

export abstract class StageBehaviour extends ServerBehaviour {
  declare instance: Stage
  /** The producing side; `undefined` for consumers. */
  abstract readonly outlet: Outlet | undefined

  override get flows(): boolean {
    return true
  }

  override receive(tag: Tag, payload: unknown): void {
    if (isProtocol(tag)) {
      this.disarmIdle()
      this.receiveProtocol(tag, payload)
    } else if (tag === DOWN && payload instanceof Down && this.peerDown(payload)) return
    else super.receive(tag, payload)
  }

  protected abstract receiveProtocol(tag: ProtocolTag, payload: unknown): void

  /** True when the process that ended was a producer or consumer of this stage. */
  protected abstract peerDown(down: Down): boolean

  /** Calls `info` when the events emitted so far have gone, and those that wait to be handled. */
  protected abstract info(info: Info): void

  /** Delivers a message to `handleInfo` behind the events that wait. */
  queueInfo(message: unknown): void {
    this.info(() => this.process.deliver(INFO, message))
  }

  describe(): StageInfo {
    const { outlet, process } = this
    const producers = this.subscriptions.map((subscription) => subscription.producer)
    return {
      kind: outlet === undefined ? 'consumer' : this.consumes ? 'producer_consumer' : 'producer',
      dispatcher: outlet?.dispatcher,
      demandMode: this.demandMode,
      producers,
      consumers: outlet?.consumers.map((subscription) => subscription.consumer) ?? [],
      buffered: (outlet?.buffered ?? 0) + this.held(),
      demand: outlet?.unanswered ?? 0,
      mailbox: process.mailbox.size,
    }
  }

  /** It handles events. */
  protected get consumes(): boolean {
    return false
  }

  /** Its subscriptions to producers. */
  protected get subscriptions(): readonly Subscription[] {
    return NONE
  }

  /** Events that the stage holds in a store of its own. */
  held: () => number = none

  /**
   * Shows the events that the stage has, in its mailbox, in hand and in its buffer, array by array; without its own store. It runs no
   * callback, so it may be asked from outside.
   */
  eachHeld(see: (events: readonly unknown[]) => void): void {
    const { mailbox } = this.process
    if (mailbox.size === 0) return
    for (const [tag, payload] of mailbox.entries().slice(mailbox.inHand ? 1 : 0)) {
      if (isProtocol(tag) && isEvents(tag)) see(payloadOf(tag, payload))
    }
  }

  /** Events in the buffer, and in the stage's own store. */
  bufferedCount(): number {
    if (this.outlet !== undefined) return this.outlet.buffered + this.held()
    this.#complain(`${this.process} is a consumer and has no buffer`)
    return 0
  }

  get demandMode(): DemandMode {
    return this.outlet?.mode ?? 'forward'
  }

  setDemandMode(mode: DemandMode): void {
    if (mode !== this.demandMode)
      this.#complain(`the demand mode can only be set for producers, ${this.process} is none`)
  }

  #complain(text: string): void {
    this.process.runtime.logger.error({ process: `${this.process}` }, text)
  }

  /** Runs a callback and gives what it returns to `then`, at once or when its promise settles. */
  callback(name: string, result: unknown, then: (value: unknown) => void): void {
    if (isPromise(result)) {
      this.process.awaiting = name
      this.process.await(result, then)
    } else then(result)
  }

  /** What the callbacks of any server return is emitted too: `handleInfo`, `handleContinue`. */
  protected override afterCallback(callback: string, result: unknown): void {
    this.callback(callback, result, (value) => {
      this.returned(callback, value)
      this.finish()
    })
  }

  /** A callback returned something: events, in a stage that emits. */
  protected returned(callback: string, value: unknown): void {
    this.outlet?.emit(this.eventsOf(callback, value))
  }

  /** The events that a callback returned. */
  eventsOf(callback: string, value: unknown): readonly unknown[] {
    if (value === undefined) return NONE
    if (Array.isArray(value)) return value
    throw new StageError(
      'bad_return',
      `${callback} of ${this.process} gave ${describe(value)}, expected an array of events or nothing`,
    )
  }

  /** A message of the protocol came to a stage of the wrong kind. */
  misdirected(what: string, subscription: Subscription): void {
    this.#complain(`${this.process} got ${what} of ${subscription}, which is not for its kind of stage; it was ignored`)
  }
}

function none(): number {
  return 0
}

function describe(value: unknown): string {
  if (typeof value === 'object' && value !== null) return `a ${value.constructor?.name ?? 'object'}`
  return `${typeof value} ${String(value)}`
}

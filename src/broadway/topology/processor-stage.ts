/**
 * Processors: they take messages from every producer and call `handleMessage`. Where the pipeline has no batchers they are the end,
 * and acknowledge; otherwise they are in the middle, and forward what succeeded.
 */

import type { Later } from '../../process/later.ts'
import { Exit } from '../../process/signals.ts'
import { Consumer } from '../../stage/consumer.ts'
import type { Dispatcher } from '../../stage/dispatchers/dispatcher.ts'
import type { Emitted } from '../../stage/producer.ts'
import { ProducerConsumer } from '../../stage/producer-consumer.ts'
import type { Cancellation } from '../../stage/stage.ts'
import type { manual } from '../../stage/stage-behaviour.ts'
import type { Subscription } from '../../stage/subscription.ts'
import type { Message } from '../message.ts'
import { behindAll, Passed } from './barrier.ts'
import { Ending } from './ending.ts'
import { cancelConsumers, LEAVE, leaveSoon } from './leaving.ts'
import { type Handled, Processing, type ProcessorArgument } from './processing.ts'

/** A processor that is the end of its pipeline. */
export class Processor extends Consumer<Message> {
  readonly pipeline: string
  readonly key: string
  readonly index: number
  readonly #processing: Processing
  readonly #ending: Ending

  constructor(argument: () => ProcessorArgument) {
    super()
    const given = argument()
    this.pipeline = given.place.pipeline
    this.key = given.place.key
    this.index = given.place.index
    this.#ending = new Ending(this)
    this.#processing = new Processing(this, given, undefined, () => this.#ending.reach())
  }

  override init(): void | Promise<void> {
    this.trapExits(true)
    return this.#processing.begin()
  }

  override terminate(): void | Promise<void> {
    return this.#processing.end()
  }

  override handleSubscribe(_peer: 'producer' | 'consumer', subscription: Subscription): typeof manual | undefined {
    return this.#processing.subscribed(subscription)
  }

  override handleEvents(messages: readonly Message[], from: Subscription): void | Promise<void> {
    return whenDone(this.#processing.handle(messages, from))
  }

  override handleCancel({ reason }: Cancellation, subscription: Subscription): undefined {
    this.#processing.cancelled(subscription, reason)
  }

  override handleInfo(message: unknown): void | Promise<void> {
    const handled = this.#processing.handleInfo(message)
    if (handled !== undefined) return whenDone(handled)
    if (!(message instanceof Exit)) return super.handleInfo(message)
    this.#processing.here.trapped(message)
  }

  /** The pipeline ends: producers that go do not come back. */
  willTerminate(): void {
    this.#processing.leave()
  }

  /** Replies when what it has now has been handled. */
  passed(): Later<void> {
    const later = this.later<void>()
    this.#processing.whenHandled(() => later.reply(undefined))
    return later
  }

  /** Others take its place: it leaves its producers, and finishes what it has. */
  letGo(): void {
    this.#processing.letGo()
  }

  /** Replies when all messages have been handled. */
  drained(): Later<void> {
    return this.#ending.reached()
  }
}

export interface ForwardingProcessorArgument extends ProcessorArgument {
  readonly batchers: ReadonlySet<string>
  readonly dispatcher: () => Dispatcher<Message>
}

/** A processor in front of batchers. */
export class ForwardingProcessor extends ProducerConsumer<Message, Message> {
  readonly pipeline: string
  readonly key: string
  readonly index: number
  readonly #processing: Processing
  /** All that it had is taken, and there will be no more. */
  #left = false

  constructor(argument: () => ForwardingProcessorArgument) {
    const given = argument()
    super({ dispatcher: given.dispatcher() })
    this.pipeline = given.place.pipeline
    this.key = given.place.key
    this.index = given.place.index
    this.#processing = new Processing(this, given, given.batchers, () => leaveSoon(this))
  }

  override init(): void | Promise<void> {
    this.trapExits(true)
    return this.#processing.begin()
  }

  override terminate(): void | Promise<void> {
    return this.#processing.end()
  }

  override handleSubscribe(peer: 'producer' | 'consumer', subscription: Subscription): typeof manual | undefined {
    if (peer === 'producer') return this.#processing.subscribed(subscription)
    // It comes in the place of one that has died meanwhile, and is not to wait for more.
    if (this.#left) leaveSoon(this)
    return undefined
  }

  override handleEvents(messages: readonly Message[], from: Subscription): Handled {
    return this.#processing.handle(messages, from)
  }

  override handleCancel({ reason }: Cancellation, subscription: Subscription): undefined {
    this.#processing.cancelled(subscription, reason)
  }

  override handleInfo(message: unknown): Emitted<Message> {
    const handled = this.#processing.handleInfo(message)
    if (handled !== undefined) return handled
    if (message === LEAVE) this.#leave()
    else if (message instanceof Passed) message.later.reply(undefined)
    else if (message instanceof Exit) this.#processing.here.trapped(message)
    else return super.handleInfo(message)
  }

  /** The pipeline ends: producers that go do not come back. */
  willTerminate(): void {
    this.#processing.leave()
  }

  /** Replies when what it has now has been handled, and batchers have taken it. */
  passed(): Later<void> {
    const passed = new Passed(this.later<void>())
    this.#processing.whenHandled(() => behindAll(this, passed))
    return passed.later
  }

  /** Others take its place: it leaves its producers, and finishes what it has. */
  letGo(): void {
    this.#processing.letGo()
  }

  #leave(): void {
    this.#left = true
    cancelConsumers(this)
  }
}

/** Nothing goes on from the end. */
function whenDone(handled: Handled): void | Promise<void> {
  return handled instanceof Promise ? handled.then(nothing) : undefined
}

function nothing(): void {}

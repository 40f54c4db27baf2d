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
import type { CheckedProcessors } from '../options/checked-options.ts'
import { behindAll, Passed } from './barrier.ts'
import { Ending } from './ending.ts'
import { cancelConsumers, LEAVE, leaveSoon } from './leaving.ts'
import { MessageWork } from './message-work.ts'
import { Here, type Place } from './place.ts'
import { Retries, type RetryingStage } from './retries.ts'
import { RETRY } from './retry-policy.ts'
import { Upstream, type UpstreamOptions } from './upstream.ts'

type Handled = readonly Message[] | Promise<readonly Message[]>

/** What a processor does with messages that came together; gives those that go on. */
interface ProcessorWork {
  handle(messages: readonly Message[], from: Subscription): Handled
}

export interface ProcessorArgument {
  readonly place: Place
  readonly upstream: UpstreamOptions
  readonly processors: CheckedProcessors
}

/** A processor that is the end of its pipeline. */
export class Processor extends Consumer<Message> {
  readonly pipeline: string
  readonly key: string
  readonly index: number
  readonly #here: Here
  readonly #work: ProcessorWork
  readonly #retries: Retries | undefined
  readonly #upstream: Upstream
  readonly #ending: Ending

  constructor(argument: () => ProcessorArgument) {
    const { place, upstream, processors } = argument()
    super()
    this.pipeline = place.pipeline
    this.key = place.key
    this.index = place.index
    this.#here = new Here(this, place)
    this.#retries = retriesOf(this, this.#here, processors, undefined)
    this.#work = this.#retries ?? new MessageWork(this.#here, processors, undefined)
    this.#upstream = new Upstream(this, upstream)
    this.#ending = new Ending(this)
  }

  override init(): void {
    this.trapExits(true)
    this.#upstream.begin()
  }

  override handleSubscribe(_peer: 'producer' | 'consumer', subscription: Subscription): typeof manual | undefined {
    return this.#retries?.begin(subscription)
  }

  override handleEvents(messages: readonly Message[], from: Subscription): void | Promise<void> {
    const handled = this.#work.handle(messages, from)
    return handled instanceof Promise ? handled.then(nothing) : undefined
  }

  override handleCancel({ reason }: Cancellation, subscription: Subscription): undefined {
    if (!this.#upstream.gone(subscription, reason)) return undefined
    this.#retries?.forget(subscription)
    this.#endIfAlone()
    return undefined
  }

  override handleInfo(message: unknown): void | Promise<void> {
    if (this.#upstream.handleInfo(message)) return
    if (message === RETRY) return this.#retry()
    if (!(message instanceof Exit)) return super.handleInfo(message)
    this.#here.trapped(message)
  }

  /** The pipeline ends: producers that go do not come back. */
  willTerminate(): void {
    this.#upstream.leave()
    this.#retries?.end()
    this.#endIfAlone()
  }

  /** Replies when what it has now has been handled: its mailbox is its queue, and only what is to be handled again is left. */
  passed(): Later<void> {
    const later = this.later<void>()
    const go = () => later.reply(undefined)
    if (this.#retries === undefined) go()
    else this.#retries.whenLeft(go)
    return later
  }

  /** Others take its place: it leaves its producers, and finishes what it has. */
  letGo(): void {
    this.#upstream.letGo()
    this.#endIfAlone()
  }

  /** Replies when all messages have been handled. */
  drained(): Later<void> {
    return this.#ending.reached()
  }

  #retry(): void | Promise<void> {
    const handled = this.#retries?.retry()
    if (handled instanceof Promise) return handled.then(() => this.#endIfAlone())
    this.#endIfAlone()
  }

  #endIfAlone(): void {
    if (this.#upstream.ended && this.#retries?.empty !== false) this.#ending.reach()
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
  readonly #here: Here
  readonly #work: ProcessorWork
  readonly #retries: Retries | undefined
  readonly #upstream: Upstream

  constructor(argument: () => ForwardingProcessorArgument) {
    const { place, upstream, processors, batchers, dispatcher } = argument()
    super({ dispatcher: dispatcher() })
    this.pipeline = place.pipeline
    this.key = place.key
    this.index = place.index
    this.#here = new Here(this, place)
    this.#retries = retriesOf(this, this.#here, processors, batchers)
    this.#work = this.#retries ?? new MessageWork(this.#here, processors, batchers)
    this.#upstream = new Upstream(this, upstream)
  }

  override init(): void {
    this.trapExits(true)
    this.#upstream.begin()
  }

  override handleSubscribe(peer: 'producer' | 'consumer', subscription: Subscription): typeof manual | undefined {
    return peer === 'producer' ? this.#retries?.begin(subscription) : undefined
  }

  override handleEvents(messages: readonly Message[], from: Subscription): Handled {
    return this.#work.handle(messages, from)
  }

  override handleCancel({ reason }: Cancellation, subscription: Subscription): undefined {
    if (!this.#upstream.gone(subscription, reason)) return undefined
    this.#retries?.forget(subscription)
    this.#leaveIfAlone()
    return undefined
  }

  override handleInfo(message: unknown): Emitted<Message> {
    if (this.#upstream.handleInfo(message)) return
    if (message === RETRY) return this.#retry()
    if (message === LEAVE) cancelConsumers(this)
    else if (message instanceof Passed) message.later.reply(undefined)
    else if (message instanceof Exit) this.#here.trapped(message)
    else return super.handleInfo(message)
  }

  /** The pipeline ends: producers that go do not come back. */
  willTerminate(): void {
    this.#upstream.leave()
    this.#retries?.end()
    this.#leaveIfAlone()
  }

  /** Replies when what it has now has been handled, and batchers have taken it. */
  passed(): Later<void> {
    const passed = new Passed(this.later<void>())
    const go = () => behindAll(this, passed)
    if (this.#retries === undefined) go()
    else this.#retries.whenLeft(go)
    return passed.later
  }

  /** Others take its place: it leaves its producers, and finishes what it has. */
  letGo(): void {
    this.#upstream.letGo()
    this.#leaveIfAlone()
  }

  #retry(): Emitted<Message> {
    const handled = this.#retries?.retry()
    if (handled instanceof Promise) return handled.then((goOn) => this.#retried(goOn))
    return handled && this.#retried(handled)
  }

  #retried(goOn: readonly Message[]): readonly Message[] {
    this.#leaveIfAlone()
    return goOn
  }

  #leaveIfAlone(): void {
    if (this.#upstream.ended && this.#retries?.empty !== false) leaveSoon(this)
  }
}

/** Retries, when there are any: then they do the work. */
function retriesOf(
  stage: RetryingStage,
  here: Here,
  processors: CheckedProcessors,
  batchers: ReadonlySet<string> | undefined,
): Retries | undefined {
  const { retry } = processors
  return retry && new Retries(stage, here, processors, batchers, retry)
}

function nothing(): void {}

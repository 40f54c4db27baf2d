/** A stage, or several, as an `AsyncIterable`. */

import { isPromise } from '../../otp/server-behaviour.ts'
import { launch, planStart } from '../../otp/start.ts'
import type { ExitReason } from '../../process/exit-reason.ts'
import { type Ref, typedRef } from '../../process/ref.ts'
import { currentRuntime } from '../../process/runtime.ts'
import { Batcher } from '../batches.ts'
import { Consumer } from '../consumer.ts'
import { StageError } from '../errors.ts'
import { endsConsumer } from '../inlet.ts'
import { Queue } from '../queue.ts'
import type { Cancellation } from '../stage.ts'
import { manual } from '../stage-behaviour.ts'
import { setDemand } from '../subscribe.ts'
import type { Subscription } from '../subscription.ts'
import {
  type CheckedSubscription,
  checkSubscription,
  type Emits,
  type ProducerTarget,
  type SubscriptionOptions,
} from '../subscription-options.ts'
import { producerBehind, type Subscribing, subscribing } from '../subscription-target.ts'

/** Events to be handed out, and what to ask for when the reader comes back for more. */
interface Batch<T> {
  readonly events: readonly T[]
  readonly ask: number
  readonly subscription: Subscription
}

/** What lies between the stage that receives and the loop that reads. */
class Reading<T> {
  readonly batches = new Queue<Batch<T>>()
  failure: StageError | undefined = undefined
  open = 0
  #wake: (() => void) | undefined = undefined

  /** Waits until there is a batch, a failure, or an end. */
  async arrival(): Promise<void> {
    if (this.batches.size > 0 || this.failure !== undefined || this.open === 0) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  arrived(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}

interface Following {
  readonly mode: CheckedSubscription['cancel']
  readonly demand: { demand: number; readonly min: number; readonly max: number }
}

/** The consumer behind a stream: it keeps what it gets until the loop comes for it. */
class StreamReader<T> extends Consumer<T> {
  readonly #reading: Reading<T>
  readonly #batcher = new Batcher()
  readonly #following = new Map<Subscription, Following>()

  constructor(reading: () => Reading<T>) {
    super()
    this.#reading = reading()
  }

  /** Subscribes, and asks for the first events. */
  follow(to: Ref<Emits<T>>, options: SubscriptionOptions<T>): void {
    const { cancel: mode, min, max } = checkSubscription(options)
    // The loop decides what the end of a subscription means, so the stage itself stays.
    const subscription = this.subscribe({ ...options, to, cancel: 'temporary' })
    this.#following.set(subscription, { mode, demand: { demand: max, min, max } })
    subscription.ask(max)
  }

  override handleSubscribe(): typeof manual {
    return manual
  }

  override handleEvents(events: readonly T[], subscription: Subscription): void {
    const following = this.#following.get(subscription)
    if (following === undefined) return
    this.#batcher.begin(following.demand, events.length)
    for (let from = 0; this.#batcher.next(); from += this.#batcher.size) {
      const batch = events.slice(from, from + this.#batcher.size)
      this.#reading.batches.push({ events: batch, ask: this.#batcher.ask, subscription })
    }
    this.#reading.arrived()
  }

  override handleCancel({ reason }: Cancellation, subscription: Subscription): void {
    const following = this.#following.get(subscription)
    if (following === undefined) return
    this.#following.delete(subscription)
    this.#reading.open--
    if (endsConsumer(following.mode, reason)) this.#reading.failure ??= ended(subscription, reason)
    // While others go on, the loop goes on waiting for them.
    if (this.#reading.open === 0 || this.#reading.failure !== undefined) this.#reading.arrived()
  }

  /** The loop was left: upstream is told. */
  leave(): void {
    for (const subscription of this.#following.keys()) subscription.cancel('normal')
    this.stop('normal')
  }
}

/** What to read from: a producer, or a producer with options. The cancel mode is `transient` unless given. */
export type Streamed<T> = Subscribing<T>

export interface StreamOptions {
  /** Leaves the stages when it fires, also while the loop waits for them: the loop throws its reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The events of one stage, or of several, as an async iterable: `for await (const event of stream(stage)) ...`. Nothing is
 * subscribed before the iteration starts; what was received is asked for anew as the loop goes on; leaving it cancels
 * upstream, and the stages live on. It ends when all stages have ended orderly.
 *
 * By default a subscription is `transient`: a stage that ends abnormally makes the loop throw. With `cancel: 'permanent'`
 * every end does, with `temporary` none.
 *
 * @throws `StageError` `bad_options` when it is built; in the loop `noproc`, `not_a_producer`, or `upstream_ended` with the
 * reason.
 *
 * Elixir: `GenStage.stream`.
 */
export function stream<T>(
  from: Streamed<T> | readonly Streamed<T>[],
  { signal }: StreamOptions = {},
): AsyncIterable<T> {
  const given: readonly Streamed<T>[] = isList(from) ? from : [from]
  if (given.length === 0) throw new StageError('bad_options', 'stream: expected at least one stage to read from')
  const targets = given.map((each) => {
    const { to, options } = subscribing(each)
    const withDefault: SubscriptionOptions<T> = { ...options, cancel: options.cancel ?? 'transient' }
    checkSubscription(withDefault)
    return { to, options: withDefault }
  })
  return { [Symbol.asyncIterator]: () => new StreamIterator({ open: () => targets }, signal) }
}

function isList<T>(from: Streamed<T> | readonly Streamed<T>[]): from is readonly Streamed<T>[] {
  return Array.isArray(from)
}

interface Target<T> {
  readonly to: ProducerTarget<T>
  readonly options: SubscriptionOptions<T>
}

/** What is read, for layers that start the stages themselves. */
export interface StreamSource<T> {
  /** The stages, when the iteration begins. */
  open(): readonly Target<T>[] | Promise<readonly Target<T>[]>
  /** All stages are subscribed to. Default: their demand is let go. */
  subscribed?(): void
  /** All stages have ended orderly; rejects when that is not the end of the story. */
  ended?(): Promise<void>
  /** What the loop is to throw, for what made it fail. */
  failure?(error: StageError): Error
  /** The iteration has ended, or was left. */
  close?(): Promise<void>
}

/** The events of stages, one after another. */
export function readStages<T>(source: StreamSource<T>, signal?: AbortSignal): AsyncIterator<T, undefined, undefined> {
  return new StreamIterator(source, signal)
}

/** No generator: that could not be left while it waits, as a stream does that is destroyed. */
class StreamIterator<T> implements AsyncIterator<T, undefined, undefined> {
  readonly #source: StreamSource<T>
  readonly #signal: AbortSignal | undefined
  readonly #reading = new Reading<T>()
  #reader: Ref<StreamReader<T>> | undefined = undefined
  #started = false
  #over = false
  #batch: Batch<T> | undefined = undefined
  #next = 0
  /** The signal fired, which the loop is told once. */
  #aborted = false
  /** Somebody waits for an event; who comes later waits behind. */
  #waiting: Promise<unknown> | undefined = undefined

  constructor(source: StreamSource<T>, signal: AbortSignal | undefined) {
    this.#source = source
    this.#signal = signal
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting !== undefined) {
      const again = (): Promise<IteratorResult<T, undefined>> => this.next()
      return this.#waiting.then(again, again)
    }
    const events = this.#batch?.events
    if (events !== undefined && this.#next < events.length) return Promise.resolve(this.#take(events))
    if (this.#over && !this.#aborted) return Promise.resolve(DONE)
    const waiting = this.#receive().finally(() => {
      this.#waiting = undefined
    })
    this.#waiting = waiting
    return waiting
  }

  /** The loop was left: upstream is told at once, also when the next event is still waited for. */
  return(): Promise<IteratorResult<T, undefined>> {
    const closing = this.#end()
    this.#reading.arrived()
    return closing === undefined ? Promise.resolve(DONE) : closing.then(() => DONE)
  }

  #take(events: readonly T[]): IteratorResult<T, undefined> {
    // The index is within the array.
    return { done: false, value: events[this.#next++] as T }
  }

  /** Asks anew for what was read, and waits for the next batch. */
  async #receive(): Promise<IteratorResult<T, undefined>> {
    try {
      if (!this.#started) await this.#start()
      this.#batch?.subscription.ask(this.#batch.ask)
      this.#batch = undefined
      if (!this.#over) await this.#reading.arrival()
      const batch = this.#over ? undefined : this.#reading.batches.shift()
      if (batch !== undefined) {
        this.#batch = batch
        this.#next = 0
        return this.#take(batch.events)
      }
      if (this.#aborted) throw this.#signal?.reason
      const { failure } = this.#reading
      if (!this.#over && failure !== undefined) throw this.#source.failure?.(failure) ?? failure
      if (!this.#over && this.#source.ended !== undefined) await this.#source.ended()
      return DONE
    } finally {
      const closing = this.#batch === undefined ? this.#end() : undefined
      if (closing !== undefined) await closing
    }
  }

  async #start(): Promise<void> {
    this.#started = true
    if (this.#signal?.aborted) return this.#abort()
    this.#signal?.addEventListener('abort', this.#abort)
    const { main } = currentRuntime()
    const opening = this.#source.open()
    const targets = isPromise(opening) ? await opening : opening
    // It was left meanwhile: what was opened since is closed as well.
    if (this.#over) return await this.#source.close?.()
    const producers = targets.flatMap(({ to, options }) => {
      try {
        return [{ ref: typedRef<Emits<T>>(producerBehind(main, to, options).ref), options }]
      } catch (error) {
        if (options.cancel === 'temporary' && error instanceof StageError && error.code === 'noproc') return []
        throw error
      }
    })
    this.#reading.open = producers.length
    const plan = planStart(StreamReader, { arg: () => this.#reading })
    const reader = typedRef<StreamReader<T>>(await launch(plan, main, false, 0))
    this.#reader = reader
    for (const { ref, options } of producers) if (!this.#over) await reader.call.follow(ref, options)
    if (this.#source.subscribed !== undefined) this.#source.subscribed()
    else for (const { ref } of producers) if (!this.#over) setDemand(ref, 'forward')
    // It was left meanwhile.
    if (this.#over) reader.cast.leave()
  }

  readonly #abort = (): void => {
    if (this.#over) return
    void this.#end()
    this.#aborted = true
    this.#reading.arrived()
  }

  #end(): Promise<void> | undefined {
    this.#aborted = false
    if (this.#over) return undefined
    this.#over = true
    this.#batch = undefined
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#reader?.cast.leave()
    return this.#source.close?.()
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

function ended(subscription: Subscription, reason: ExitReason): StageError {
  return new StageError(
    'upstream_ended',
    `${subscription.producer} ended while it was being iterated: ${String(reason)}`,
    reason,
  )
}

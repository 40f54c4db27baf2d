/** The stages of a layer: one that hands its events on, and one that ends the flow. Both do the work of a step. */

import { serverOf } from '../otp/gen-server.ts'
import { isPromise } from '../otp/server-behaviour.ts'
import { isOrderly } from '../process/exit-reason.ts'
import { INFO } from '../process/message.ts'
import { Consumer } from '../stage/consumer.ts'
import type { Dispatcher } from '../stage/dispatchers/dispatcher.ts'
import { ProducerConsumer } from '../stage/producer-consumer.ts'
import type { Cancellation, Stage } from '../stage/stage.ts'
import { asyncInfo } from '../stage/subscribe.ts'
import type { Subscription } from '../stage/subscription.ts'
import type { SubscribeTo } from '../stage/subscription-options.ts'
import { COMBINED_FOR, type Combiner, makeCombiner } from './combine/combiner.ts'
import type { Combining } from './combine/combining.ts'
import { LateEvents } from './late-events.ts'
import type { Eventually, FlowStage } from './operation.ts'
import type { StageCounts } from './progress/run-counts.ts'
import { StageOfCallbacks, stageContext } from './stage-context.ts'
import { StepWork, type StepWorkOptions } from './step-work.ts'

type Events = readonly unknown[]

/** What a stage of a layer is made of. */
export interface LayerStageOptions {
  /** What it is called in logs. */
  readonly label: string
  /** Which of the stages of its layer it is. */
  readonly stage: Pick<FlowStage, 'index' | 'total'>
  readonly onInit: ((stage: FlowStage) => void) | undefined
  /** Counts what goes in and out, when somebody wants to know. */
  readonly counts: StageCounts | undefined
  /** What becomes of the events that it emits. */
  readonly combining: Combining | undefined
  readonly work: Omit<StepWorkOptions, 'after' | 'soon' | 'stage' | 'late'>
  readonly subscribeTo: readonly SubscribeTo<unknown>[]
}

export interface ProducingOptions extends LayerStageOptions {
  readonly dispatcher: Dispatcher
  readonly bufferSize: number | undefined
  readonly bufferKeep: 'first' | 'last' | undefined
}

/** Where the events of the last stages go; a promise holds the stage. A method, because only the flow knows their type. */
export type Sink = { take(events: Events, stage: FlowStage): Eventually<void> }['take']

export interface ConsumingOptions extends LayerStageOptions {
  readonly sink: Sink
}

/** The end of a stage that has emitted everything, behind what is buffered. */
const FINISHED = Symbol('finished')

/** Something of its window is due. */
class Due {
  readonly run: () => Eventually<Events>

  constructor(run: () => Eventually<Events>) {
    this.run = run
  }
}

/** The part that both kinds share: which producers there still are, and what becomes of the work when they go. */
class LayerWork {
  readonly #work: StepWork
  readonly #producers = new Set<Subscription>()
  readonly #counts: StageCounts | undefined
  readonly #combiner: Combiner | undefined
  /** Has what waits in the combiner sent on. */
  readonly #sendCombined: () => void
  #combinedSoon = false
  /** For callbacks. */
  readonly stage: FlowStage
  finished = false

  constructor(stage: Stage, { label, stage: place, onInit, counts, combining, work }: LayerStageOptions) {
    this.#counts = counts
    this.stage = new StageOfCallbacks(stage, place)
    const process = serverOf(stage)?.process
    if (process !== undefined) process.label = label
    const late = process && new LateEvents(process, work.window)
    this.#work = new StepWork({
      ...work,
      stage: this.stage,
      after: (ms, run) => stage.sendAfter(new Due(() => this.#out(run())), ms),
      late: (count) => late?.add(count),
      soon: (run) => process?.deliver(INFO, new Due(() => this.#out(run()))),
    })
    process?.onEnd(() => this.#work.cancel())
    // Accumulators that were begun here are in no window that could fire.
    const nothing = { now: () => {}, after: () => {} }
    this.#combiner = combining && makeCombiner(combining, stageContext(this.stage, nothing))
    this.#sendCombined = () => void stage.sendAfter(new Due(() => this.#flushed()), COMBINED_FOR)
    onInit?.(this.stage)
  }

  batch(events: Events, from: Subscription): Eventually<Events> {
    const counts = this.#counts
    if (counts !== undefined) counts.in += events.length
    return this.#out(this.#work.batch(events, from))
  }

  joined(from: Subscription): void {
    if (this.finished) {
      from.cancel('normal')
      return
    }
    this.#producers.add(from)
    this.#work.joined(from)
  }

  /** A producer has gone; without an orderly end of all there is no `done`. */
  left(from: Subscription, { reason }: Cancellation): Eventually<Events> {
    this.#producers.delete(from)
    if (!isOrderly(reason) || this.finished) return []
    if (this.#producers.size > 0) return this.#out(this.#work.left(from))
    this.finished = true
    const last = this.#out(this.#work.end())
    if (this.#combiner === undefined) return last
    return isPromise(last) ? last.then((events) => this.#withRest(events)) : this.#withRest(last)
  }

  /** The events of a message for its window; `undefined` when it is none. */
  due(message: unknown): Eventually<Events> | undefined {
    return message instanceof Due ? message.run() : undefined
  }

  /** What goes on of the events that the step emits. */
  #out(events: Eventually<Events>): Eventually<Events> {
    const counts = this.#counts
    const combiner = this.#combiner
    if (counts === undefined && combiner === undefined) return events
    if (isPromise(events)) return events.then((later) => this.#out(later))
    if (counts !== undefined) counts.out += events.length
    return combiner === undefined ? events : this.#combined(combiner, events)
  }

  #combined(combiner: Combiner, events: Events): Events {
    const combined = combiner.take(events)
    if (combiner.pending && !this.#combinedSoon) {
      this.#combinedSoon = true
      this.#sendCombined()
    }
    return combined
  }

  #flushed(): Events {
    this.#combinedSoon = false
    return this.#combiner?.flush() ?? []
  }

  /** Nothing comes any more. */
  #withRest(events: Events): Events {
    return [...events, ...this.#flushed()]
  }
}

/** A stage of a layer that others take their events from. */
export class LayerStage extends ProducerConsumer<unknown, unknown> {
  readonly #layer: LayerWork
  #consumers = 0

  constructor(options: () => ProducingOptions) {
    const given = options()
    const { dispatcher, bufferSize, bufferKeep, subscribeTo } = given
    super({ dispatcher, bufferSize, bufferKeep, subscribeTo })
    this.#layer = new LayerWork(this, given)
  }

  override handleSubscribe(peer: 'producer' | 'consumer', subscription: Subscription): undefined {
    if (peer === 'producer') this.#layer.joined(subscription)
    else this.#consumers++
    return undefined
  }

  override handleEvents(events: Events, from: Subscription): readonly unknown[] | Promise<readonly unknown[]> {
    return settled(this.#layer.batch(events, from))
  }

  override handleCancel(
    cancellation: Cancellation,
    subscription: Subscription,
  ): readonly unknown[] | Promise<readonly unknown[]> | undefined {
    if (subscription.producer === this.self) {
      // Nobody wants the events any more: there is no end to be told of.
      if (--this.#consumers === 0) this.stop('normal')
      return undefined
    }
    const events = this.#layer.left(subscription, cancellation)
    if (this.#layer.finished) asyncInfo(this.self, FINISHED)
    return settled(events)
  }

  override handleInfo(message: unknown): readonly unknown[] | Promise<readonly unknown[]> | undefined {
    if (message === FINISHED) {
      this.stop('normal')
      return undefined
    }
    const events = this.#layer.due(message)
    return events === undefined ? undefined : settled(events)
  }
}

/** A stage of the last layer of a flow that runs by itself: what comes out goes to a function, or nowhere. */
export class LastStage extends Consumer<unknown> {
  readonly #layer: LayerWork
  readonly #sink: Sink

  constructor(options: () => ConsumingOptions) {
    const given = options()
    super({ subscribeTo: given.subscribeTo })
    this.#sink = given.sink
    this.#layer = new LayerWork(this, given)
  }

  override handleSubscribe(_peer: 'producer' | 'consumer', subscription: Subscription): undefined {
    this.#layer.joined(subscription)
    return undefined
  }

  override handleEvents(events: Events, from: Subscription): void | Promise<void> {
    return this.#give(this.#layer.batch(events, from))
  }

  override handleCancel(cancellation: Cancellation, subscription: Subscription): void | Promise<void> {
    const given = this.#give(this.#layer.left(subscription, cancellation))
    if (this.#layer.finished) asyncInfo(this.self, FINISHED)
    return given
  }

  override handleInfo(message: unknown): void | Promise<void> {
    if (message === FINISHED) this.stop('normal')
    const events = this.#layer.due(message)
    if (events !== undefined) return this.#give(events)
  }

  #give(events: Eventually<Events>): void | Promise<void> {
    if (isPromise(events))
      return settled(events.then((later) => (later.length > 0 ? this.#sink(later, this.#layer.stage) : undefined)))
    if (events.length > 0) return settled(this.#sink(events, this.#layer.stage))
  }
}

function settled<T>(value: Eventually<T>): T | Promise<T> {
  return isPromise(value) ? Promise.resolve(value) : value
}

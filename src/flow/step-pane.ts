/** One window of a stage at work: the operations of its step, its accumulator, and what becomes of that when it fires. */

import { isPromise } from '../otp/server-behaviour.ts'
import { NONE } from '../stage/chunks.ts'
import { show } from '../stage/show.ts'
import { batchersOf } from './batchers.ts'
import { isIterable, type Push } from './compose.ts'
import { FlowError } from './errors.ts'
import { HotLoop } from './hot-loop.ts'
import { JoinPane } from './join/join-pane.ts'
import type { Sides } from './join/sides.ts'
import {
  type EmitAndReduceOperation,
  type FlowStage,
  isReducer,
  type Operation,
  type ReduceOperation,
  type SortOperation,
  type StageContext,
  type TriggerOperation,
} from './operation.ts'
import type { Firing, Pane, WindowId, WindowInfo } from './window/window.ts'
import type { WindowEvents } from './window-events.ts'

/** A step as one stage carries it out. */
export interface StepInStage {
  readonly operations: readonly Operation[]
  readonly stage: FlowStage
  /** The type of its window. */
  readonly window: string
  /** Its windows have nothing in common with those of other stages. */
  readonly alone: boolean
  /** What becomes of the events: they go on, nobody wants them, or they go on in envelopes that say of which window they are. */
  readonly output: 'events' | 'none' | 'windows'
  /** The step begins with a join. */
  readonly join?: Sides | undefined
}

/** Where the events of a batch go until it is done. */
export class Output {
  #events: unknown[] = []
  #size = 0
  #expected = 0

  /** A batch of so many events comes. Most become one event or none, and an array that need not grow takes half the time. */
  expect(size: number): void {
    this.#expected = size
  }

  push(event: unknown): void {
    if (this.#size === 0) this.#events = new Array(this.#expected)
    this.#events[this.#size++] = event
  }

  /** What was emitted since it was taken last. */
  take(): readonly unknown[] {
    if (this.#size === 0) return NONE
    const events = this.#events
    events.length = this.#size
    this.#size = 0
    this.#events = []
    return events
  }
}

let panes = 0

export class StepPane implements Pane {
  readonly id: WindowId
  readonly #step: StepInStage
  readonly #output: Output
  readonly #loop: HotLoop
  readonly #join: JoinPane | undefined
  readonly #reducer: ReduceOperation | EmitAndReduceOperation | undefined
  /** The reducer alone: events need not be pushed through anything. */
  readonly #reduces: ReduceOperation['run'] | undefined
  readonly #trigger: TriggerOperation | undefined
  readonly #sort: SortOperation | undefined
  readonly #more: (() => object) | undefined
  /** No pane of any stage has the same. */
  readonly #alone: string | undefined
  #state: unknown = undefined

  constructor(step: StepInStage, id: WindowId, output: Output, context: StageContext, more?: () => object) {
    const { operations } = step
    this.id = id
    this.#step = step
    this.#output = output
    this.#more = more
    this.#alone = step.alone ? `alone ${step.stage.index}.${++panes}` : undefined
    this.#reducer = operations.find(isReducer)
    for (const operation of operations) {
      if (operation.kind === 'onTrigger' || operation.kind === 'emit') this.#trigger = operation
      if (operation.kind === 'takeSort') this.#sort = operation
    }
    if (this.#reducer !== undefined) this.#state = stateOf(this.#reducer, this.#reducer.initial(context))
    this.#loop = new HotLoop(operations, step.stage, this.#end())
    this.#join = step.join && new JoinPane(step.join, batchersOf(operations), step.stage, this.#loop.push)
    const own = operations.filter(({ kind }) => kind !== 'mapBatch')
    this.#reduces = own[0] === this.#reducer && this.#reducer?.kind !== 'emitAndReduce' ? this.#reducer?.run : undefined
  }

  /** Gives it events; a promise when they are not through on return. */
  feed(events: readonly unknown[]): void | PromiseLike<void> {
    if (this.#join !== undefined) return this.#join.feed(events)
    const reduce = this.#reduces
    if (reduce === undefined) return this.#loop.feed(events)
    let state = this.#state
    for (let index = 0; index < events.length; index++) {
      const next = reduce(events[index], state)
      // What is no object is no promise, and an accumulator that stays the same was looked at before.
      if (typeof next === 'object' && next !== state) stateOf(this.#reducer, next)
      state = next
    }
    this.#state = state
  }

  /** Emits what was accumulated. */
  fire(firing: Firing): void | PromiseLike<void> {
    const pending = firing.closes ? this.#join?.close() : undefined
    return pending === undefined ? this.#fire(firing) : pending.then(() => this.#fire(firing))
  }

  #fire({ trigger, closes }: Firing): void | PromiseLike<void> {
    const { output, stage, window } = this.#step
    const wanted = output !== 'none'
    if (this.#reducer === undefined) return
    if (this.#trigger === undefined) {
      if (wanted) this.#emit(this.#sorted(eventsOf(this.#shown)), closes)
      return
    }
    const info: WindowInfo = { type: window, id: this.id, trigger, ...this.#more?.() }
    const shown = this.#shown
    const result: unknown = this.#trigger.run(shown, stage, info)
    if (isPromise(result)) return result.then((later) => this.#fired(shown, later, closes))
    this.#fired(shown, result, closes)
  }

  #fired(shown: unknown, result: unknown, closes: boolean): void {
    const [events, state] = pairOf('onTrigger', result)
    // A trigger of the user may change what it is shown, also where that is not the state itself.
    if (!closes && (state !== shown || this.#trigger?.kind === 'onTrigger')) {
      this.#state = this.#view === undefined ? state : this.#view.take(state)
    }
    if (this.#step.output !== 'none') this.#emit(this.#sorted(events), closes)
  }

  get #view(): ReduceOperation['view'] {
    return this.#reducer?.kind === 'emitAndReduce' ? undefined : this.#reducer?.view
  }

  get #shown(): unknown {
    return this.#view === undefined ? this.#state : this.#view.show(this.#state)
  }

  #sorted(events: readonly unknown[]): readonly unknown[] {
    if (this.#sort === undefined) return events
    const { first, count } = this.#sort
    return [[...events].sort((a, b) => (first(a, b) ? (first(b, a) ? 0 : -1) : 1)).slice(0, count)]
  }

  #emit(events: readonly unknown[], closes: boolean): void {
    if (this.#step.output === 'windows') {
      const event: WindowEvents = { id: this.id, events, closes, alone: this.#alone }
      this.#output.push(event)
      return
    }
    for (const event of events) this.#output.push(event)
  }

  /** Where an event ends that went through all operations. */
  #end(): Push {
    const reducer = this.#reducer
    const output = this.#output
    const kind = this.#step.output
    if (reducer === undefined) {
      return kind === 'none'
        ? () => undefined
        : (event) => {
            output.push(event)
          }
    }
    if (reducer.kind === 'emitAndReduce') {
      return (event) => {
        const [events, state] = pairOf('emitAndReduce', reducer.run(event, this.#state))
        this.#state = state
        if (kind !== 'none' && events.length > 0) this.#emit(events, false)
      }
    }
    const { run } = reducer
    return (event) => {
      const next = run(event, this.#state)
      if (typeof next === 'object' && next !== this.#state) stateOf(reducer, next)
      this.#state = next
    }
  }
}

/** The accumulator that a reducer gave. An async one would be given promises instead of accumulators. */
function stateOf(reducer: { readonly kind: string } | undefined, state: unknown): unknown {
  return isPromise(state) ? refusePromise(reducer?.kind ?? 'reduce', state) : state
}

function refusePromise(operation: string, promise: PromiseLike<unknown>): never {
  // It may fail as well, of being given what it did not expect.
  promise.then(undefined, () => {})
  throw new FlowError(
    'bad_return',
    `a function given to ${operation} returned a promise, but reducers are not async: await in a map before it`,
  )
}

function pairOf(operation: string, result: unknown): readonly [readonly unknown[], unknown] {
  if (Array.isArray(result) && result.length === 2 && Array.isArray(result[0])) return [result[0], result[1]]
  if (isPromise(result)) return refusePromise(operation, result)
  throw new FlowError(
    'bad_return',
    `a function given to ${operation} returned ${show(result)}, expected [events, accumulator], where events is an array`,
  )
}

/** An accumulator as events. */
function eventsOf(state: unknown): readonly unknown[] {
  if (isIterable(state)) return [...state]
  if (typeof state === 'object' && state !== null) {
    const prototype: unknown = Object.getPrototypeOf(state)
    if (prototype === Object.prototype || prototype === null) return Object.entries(state)
  }
  throw new FlowError(
    'no_events',
    `the accumulator of a reducer is ${show(state)}, which has no elements to emit: say what it becomes with emit('state') or onTrigger`,
  )
}

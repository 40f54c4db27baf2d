/** What a flow does to events, in the order it was written: the operations, and where each may stand in a step. */

import { show } from '../stage/show.ts'
import { FlowError } from './errors.ts'
import type { TriggerName, WindowInfo } from './window/window.ts'

// The functions are methods here, because those of users take events and accumulators of types that only they know.

/** A value, now or later. */
export type Eventually<T> = T | PromiseLike<T>

/** The stage that a callback runs in, given to it last: `index` from 0, of the `total` stages of its step. */
export interface FlowStage {
  readonly index: number
  readonly total: number
  /** Fires when the stage has ended, or is to end at once: the flow was stopped, or failed elsewhere. For what a callback awaits. */
  readonly signal: AbortSignal
}

/** One stage of a layer, for the function that makes an accumulator; it may be kept and used later, by the reducer too. */
export interface StageContext extends FlowStage {
  /** Fires the open windows of the stage behind the batch in hand; `onTrigger` is told the name. Nothing fires when all have closed. */
  trigger(name: TriggerName): void
  /** Fires the windows that are open in `ms` milliseconds. Forgotten when the input ends before. */
  triggerAfter(ms: number, name: TriggerName): void
}

/** What every operation has. */
interface AnyOperation {
  /** What its user gave, where the functions here are not that themselves; so that two threads can compare theirs. */
  readonly given?: readonly unknown[] | undefined
}

/** A function over whole batches, which opens a step. */
export interface BatchOperation extends AnyOperation {
  readonly kind: 'mapBatch'
  run(events: readonly unknown[], stage: FlowStage): Eventually<readonly unknown[]>
}

/** A function over one event that keeps nothing. */
export interface MapOperation extends AnyOperation {
  readonly kind: 'map' | 'filter' | 'reject' | 'flatMap'
  run(event: unknown, stage: FlowStage): unknown
}

export interface UniqOperation extends AnyOperation {
  readonly kind: 'uniq' | 'uniqBy'
  key(event: unknown): unknown
}

/** Shows an accumulator that is kept in another form than its owner knows it. */
export interface View {
  show(state: unknown): unknown
  /** The accumulator for what `onTrigger` gave back, which was not what it had been shown. */
  take(shown: unknown): unknown
}

/** How accumulators of the same reducer are put together. Methods, because only the flow knows their type. */
export interface Combine {
  /** The user asked for it; otherwise it is done where it saves sending events to another thread. */
  readonly asked: boolean
  /** An accumulator as it is sent, where it is not plain data itself. */
  sent?(state: unknown): unknown
  /** The accumulator of both; the second is as `sent` made it. */
  merge(state: unknown, other: unknown): unknown
  /** Of an accumulator by key the part of each partition, as `sent` makes it; `undefined` where there is none. */
  parts?(state: unknown, partitions: number): readonly unknown[]
}

export interface ReduceOperation extends AnyOperation {
  readonly kind: 'reduce' | 'groupBy' | 'groupByKey' | 'countBy' | 'sumBy'
  readonly initial: (context: StageContext) => unknown
  run(event: unknown, state: unknown): unknown
  readonly view?: View | undefined
  readonly combine?: Combine | undefined
}

export interface EmitAndReduceOperation extends AnyOperation {
  readonly kind: 'emitAndReduce'
  readonly initial: (context: StageContext) => unknown
  run(event: unknown, state: unknown): readonly [events: readonly unknown[], state: unknown]
}

/** What `onTrigger` gives: events to emit, and the accumulator to go on with. */
export type Triggered<State = unknown, U = unknown> = readonly [events: readonly U[], state: State]

/** What becomes of the accumulator when its window fires. */
export interface TriggerOperation extends AnyOperation {
  readonly kind: 'onTrigger' | 'emit'
  run(state: unknown, stage: FlowStage, window: WindowInfo): Eventually<Triggered>
}

/** The first `count` of what a trigger emits, sorted: one event that is an array. */
export interface SortOperation extends AnyOperation {
  readonly kind: 'takeSort'
  readonly count: number
  first(a: unknown, b: unknown): boolean
}

export type Operation =
  | BatchOperation
  | MapOperation
  | UniqOperation
  | ReduceOperation
  | EmitAndReduceOperation
  | TriggerOperation
  | SortOperation

/** The key of an operation that was given none: the event. One function, so that two keys can be seen to be the same. */
export function itself(event: unknown): unknown {
  return event
}

/** The operation that holds the accumulator. */
export function isReducer(operation: Operation): operation is ReduceOperation | EmitAndReduceOperation {
  return ['reduce', 'groupBy', 'groupByKey', 'countBy', 'sumBy', 'emitAndReduce'].includes(operation.kind)
}

/** Adds an operation to those of a step. @throws `FlowError` `bad_flow` where it cannot stand. */
export function withOperation(operations: readonly Operation[], added: Operation): readonly Operation[] {
  const problem = problemOf(operations, added)
  if (problem !== undefined) throw new FlowError('bad_flow', `${added.kind} cannot stand here: ${problem}`)
  return [...operations, added]
}

/** What the classes leave open: `Flow` has what needs no reducer, `ReducedFlow` what needs one. */
function problemOf(operations: readonly Operation[], { kind }: Operation): string | undefined {
  if (kind === 'mapBatch') {
    const before = operations.findLast((operation) => operation.kind !== 'mapBatch')
    return (
      before &&
      `it gets whole batches, so it must open its step, and ${before.kind} comes before it; begin a new step with partition or shuffle`
    )
  }
  if (kind !== 'onTrigger' && kind !== 'emit') return undefined
  const decided = operations.find((operation) => operation.kind === 'onTrigger' || operation.kind === 'emit')
  return (
    decided &&
    `${decided.kind} has already said what the accumulator becomes; begin a new step with partition or shuffle`
  )
}

/** @throws `FlowError` `bad_options` for what is no function. */
export function checkFunction(what: string, run: unknown): void {
  if (typeof run !== 'function') {
    throw new FlowError('bad_options', `${what}: expected a function, got ${show(run)}`)
  }
}

/** @throws `FlowError` `bad_options` for an accumulator that is there already. */
export function checkAccumulator(what: string, initial: unknown): void {
  if (typeof initial === 'function') return
  throw new FlowError(
    'bad_options',
    `${what}: the accumulator must be given as a function that makes it, () => ${show(initial)}, because every window begins with a fresh one`,
  )
}

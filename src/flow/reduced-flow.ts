/** A flow whose step has a reducer: what is left to say is what becomes of the accumulator. */

import { show } from '../stage/show.ts'
import { AnyFlow, definitionOf, step } from './any-flow.ts'
import type { StepDefinition } from './definition.ts'
import { FlowError } from './errors.ts'
import type { Flow } from './flow.ts'
import {
  checkFunction,
  type Eventually,
  type FlowStage,
  isReducer,
  type Operation,
  type Triggered,
  withOperation,
} from './operation.ts'
import { Progress } from './progress/progress.ts'
import { checkStepOptions, type StepOptions } from './step-options.ts'
import type { WindowId, WindowInfo } from './window/window.ts'

/** What an accumulator becomes when nothing else is said: its elements, its pairs, or its properties as pairs. */
export type Emission<State> = State extends string
  ? CannotBeEmitted
  : State extends Iterable<infer Element>
    ? Element
    : State extends object
      ? [key: string, value: State[keyof State]]
      : CannotBeEmitted

/** The type of the events of a flow whose accumulator has no elements: say what it becomes with `emit('state')` or `onTrigger`. */
export interface CannotBeEmitted {
  readonly $error: 'this accumulator has no elements to emit: use emit("state") or onTrigger'
}

/** What the compiler answers to an operation that cannot follow a reducer. */
type AfterReducer<Operation extends string> =
  `${Operation} cannot follow a reducer: use onTrigger to change what is emitted, or begin a new step with partition`

/** The options of a step that has one stage. */
export type OneStageOptions<T = unknown> = Omit<StepOptions<T>, 'stages'>

/** A flow that accumulates `State`, and emits `T`: what `emitAndReduce` emits, and what triggers do. */
export class ReducedFlow<State, out T, out Emitted = never> extends AnyFlow<T> {
  /**
   * Says what is emitted when the window of the step fires: `events`, the elements of the accumulator, as without it; `state`, the
   * accumulator itself; or `nothing`. The accumulator is kept; `onTrigger` can replace it.
   *
   * @throws `FlowError` `bad_flow` when it was said before, `bad_options` for another word. Elixir: `Flow.emit`.
   */
  emit(what: 'events'): ReducedFlow<State, T, Emitted>
  emit(what: 'state'): ReducedFlow<State, Emitted | State, Emitted>
  emit(what: 'nothing'): ReducedFlow<State, Emitted, Emitted>
  emit(what: 'events' | 'state' | 'nothing'): ReducedFlow<State, Emitted | State | T, Emitted> {
    if (what === 'events') return this
    if (what !== 'state' && what !== 'nothing') {
      throw new FlowError('bad_options', `emit: expected 'events', 'state' or 'nothing', got ${String(what)}`)
    }
    const added: Operation = {
      kind: 'emit',
      given: [what],
      run: what === 'state' ? (state) => [[state], state] : (state) => [[], state],
    }
    return new ReducedFlow(withAdded(this, added))
  }

  /**
   * Called for each window of each stage whenever it fires: gives the events to emit, and the accumulator to go on with. Give the
   * same back to go on accumulating, a fresh one to begin anew. At the end of a window, `window.trigger === 'done'`, it is forgotten
   * in any case. May be async.
   *
   * @throws `FlowError` `bad_flow` when emission was decided before. Elixir: `Flow.on_trigger`.
   */
  onTrigger<U>(
    run: (state: State, stage: FlowStage, window: WindowInfo) => Eventually<Triggered<State, U>>,
  ): ReducedFlow<State, Emitted | U, Emitted> {
    checkFunction('onTrigger', run)
    return new ReducedFlow(withAdded(this, { kind: 'onTrigger', run }))
  }

  /** The same flow, whose runs tell a `Progress` how far they are. Of several that of the last step counts. */
  withProgress(progress: Progress): ReducedFlow<State, T, Emitted> {
    return new ReducedFlow(progressing(this, progress))
  }

  /**
   * Puts the windows of all partitions together again, in one stage: each window becomes one event. `initial` makes its
   * accumulator, `merge` adds an event of a partition to it as that arrives, `done` makes the event, when all partitions have
   * closed the window. Windows that are open at the end of the input are finished then.
   *
   * Elixir: `Flow.departition`.
   */
  departition<R, U>(
    initial: () => R,
    merge: (result: R, event: T) => R,
    done: (result: R, window: WindowId) => U,
    options: OneStageOptions<U> = {},
  ): Flow<U> {
    checkFunction('departition', initial)
    checkFunction('departition', merge)
    checkFunction('departition', done)
    checkStepOptions('departition', options)
    const source = {
      kind: 'departition',
      upstream: definitionOf(this),
      departition: { initial, merge, done },
    } as const
    return step({ source, options: { ...options, stages: 1 }, operations: [] })
  }

  /**
   * The first `count` events of each window in order, as one array: every partition sorts and keeps its own, and they are
   * merged in one stage. `comesFirst(a, b)` says that `a` may stand before `b`; default `a <= b`.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.take_sort`.
   */
  takeSort(
    count: number,
    comesFirst: (a: T, b: T) => boolean = (a, b) => a <= b,
    options: OneStageOptions<T[]> = {},
  ): Flow<T[]> {
    if (!Number.isInteger(count) || count < 1) {
      throw new FlowError(
        'bad_options',
        `takeSort: expected how many to take, a whole number >= 1, got ${String(count)}`,
      )
    }
    checkFunction('takeSort', comesFirst)
    const sorted = new ReducedFlow<State, readonly T[]>(withAdded(this, { kind: 'takeSort', count, first: comesFirst }))
    return sorted.departition<T[], T[]>(
      () => [],
      (taken, arrived) => merged(arrived, taken, comesFirst, count),
      (taken) => taken,
      options,
    )
  }

  // ---- What cannot follow a reducer, and says so

  map(..._mistake: [AfterReducer<'map'>]): never {
    return this.#refuse('map')
  }
  filter(..._mistake: [AfterReducer<'filter'>]): never {
    return this.#refuse('filter')
  }
  reject(..._mistake: [AfterReducer<'reject'>]): never {
    return this.#refuse('reject')
  }
  flatMap(..._mistake: [AfterReducer<'flatMap'>]): never {
    return this.#refuse('flatMap')
  }
  mapValues(..._mistake: [AfterReducer<'mapValues'>]): never {
    return this.#refuse('mapValues')
  }
  mapBatch(..._mistake: [AfterReducer<'mapBatch'>]): never {
    return this.#refuse('mapBatch')
  }
  uniq(..._mistake: [AfterReducer<'uniq'>]): never {
    return this.#refuse('uniq')
  }
  uniqBy(..._mistake: [AfterReducer<'uniqBy'>]): never {
    return this.#refuse('uniqBy')
  }
  reduce(..._mistake: [AfterReducer<'reduce'>]): never {
    return this.#refuse('reduce')
  }
  emitAndReduce(..._mistake: [AfterReducer<'emitAndReduce'>]): never {
    return this.#refuse('emitAndReduce')
  }
  groupBy(..._mistake: [AfterReducer<'groupBy'>]): never {
    return this.#refuse('groupBy')
  }
  groupByKey(..._mistake: [AfterReducer<'groupByKey'>]): never {
    return this.#refuse('groupByKey')
  }
  countBy(..._mistake: [AfterReducer<'countBy'>]): never {
    return this.#refuse('countBy')
  }
  sumBy(..._mistake: [AfterReducer<'sumBy'>]): never {
    return this.#refuse('sumBy')
  }

  #refuse(kind: string): never {
    const reducer = definitionOf(this).operations.find(isReducer)?.kind ?? 'a reducer'
    throw new FlowError(
      'bad_flow',
      `${kind} cannot stand here: the step already has a reducer, ${reducer}; use onTrigger to change what it emits, or begin a new step with partition`,
    )
  }
}

/** A step with one more operation. */
export function withAdded(flow: AnyFlow<unknown>, operation: Operation): StepDefinition {
  const definition = definitionOf(flow)
  return { ...definition, operations: withOperation(definition.operations, operation), origin: undefined }
}

/** A step whose flow tells how far it is. @throws `FlowError` `bad_options` for what is no progress. */
export function progressing(flow: AnyFlow<unknown>, progress: Progress): StepDefinition {
  if (progress instanceof Progress) return { ...definitionOf(flow), progress }
  throw new FlowError('bad_options', `withProgress: expected a Progress, new Progress(), got ${show(progress)}`)
}

/** Merges two sorted lists; those that arrived come first among equals. */
function merged<T>(arrived: readonly T[], kept: readonly T[], first: (a: T, b: T) => boolean, count: number): T[] {
  const result: T[] = []
  let next = 0
  for (const event of arrived) {
    // The index is within the array.
    while (next < kept.length && !first(event, kept[next] as T)) result.push(kept[next++] as T)
    result.push(event)
  }
  return [...result, ...kept.slice(next)].slice(0, count)
}

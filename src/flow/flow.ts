/** Flow: a description of what to do with many events, in stages that work at the same time. */

import { isPromise } from '../otp/server-behaviour.ts'
import type { ChildSpec } from '../otp/supervision/child-spec.ts'
import { isName } from '../process/name.ts'
import { ProcessRef } from '../process/ref.ts'
import type { Opening } from '../stage/interop/opening.ts'
import type { Source } from '../stage/interop/source.ts'
import { show } from '../stage/show.ts'
import type { Emits, ProducerTarget } from '../stage/subscription-options.ts'
import { AnyFlow, definitionsOf, type ElementOf, newStepsAre } from './any-flow.ts'
import type { StepSource } from './definition.ts'
import { FlowError } from './errors.ts'
import { Groups, groupsCombine, groupsView } from './groups.ts'
import type { JoinedLeft, JoinedRight, JoinKey, JoinMode, JoinOptions, SameJoinKey } from './join/join.ts'
import { boundedJoinOf, windowJoinOf } from './join/join-of.ts'
import { type AnyPartitionOptions, type MergeDispatcher, mergeOf, partitionOf, shuffleOf } from './new-step.ts'
import {
  checkAccumulator,
  checkFunction,
  type Eventually,
  type FlowStage,
  itself,
  type Operation,
  type StageContext,
} from './operation.ts'
import type { Progress } from './progress/progress.ts'
import { type ReduceOptions, readCombine } from './reduce-options.ts'
import { type Emission, progressing, ReducedFlow, withAdded } from './reduced-flow.ts'
import { checkSource } from './source-opening.ts'
import { checkStepOptions, type HashOptions, type KeyOptions, type StepOptions } from './step-options.ts'
import { Tally, tallyCombine, tallyView } from './tally.ts'
import type { WindowDefinition } from './window/window.ts'

/** What a flow can begin with: an iterable, or a function that opens it, which is called each time the flow runs. */
export type FlowSource<T> = Opening<Source<T>>

/**
 * A flow of events of type `T`. It is a value: every method returns a new one, and nothing runs before it is iterated or told to
 * run. Operations between two partitions are one function in the stages of their step, called for one event after another; those
 * that return promises are awaited one by one in each stage, so that `stages` says how many wait at once.
 *
 * @example
 * ```ts run
 * import { Flow } from 'sluice/flow'
 *
 * const counts = await Flow.from(['roses are red', 'violets are blue'])
 *   .flatMap((line) => line.split(' '))
 *   .partition({ stages: 2 })
 *   .reduce(() => new Map<string, number>(), (word, counts) => counts.set(word, (counts.get(word) ?? 0) + 1))
 *   .toMap()
 * console.log(counts.get('are')) // 2
 * ```
 * Elixir: `Flow`.
 */
export class Flow<out T> extends AnyFlow<T> {
  // ---- Sources

  /**
   * A flow of what an iterable gives: an array, a generator, a stream. The options are those of the stages of its operations.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.from_enumerable`.
   */
  static from<T>(source: FlowSource<T>, options: StepOptions<NoInfer<T>> = {}): Flow<T> {
    return Flow.fromAll([source], options)
  }

  /**
   * A flow of what several iterables give; each has a producer of its own, so they are read at the same time.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.from_enumerables`.
   */
  static fromAll<T>(sources: readonly FlowSource<T>[], options: StepOptions<NoInfer<T>> = {}): Flow<T> {
    const iterables = listOf('fromAll', sources, 'iterables')
    for (const source of iterables) {
      if (source instanceof AnyFlow) {
        throw new FlowError(
          'bad_options',
          'passing a flow as a source is not needed: use flow.partition or flow.shuffle, or Flow.merge for several',
        )
      }
      checkSource(source)
    }
    return begin({ kind: 'iterables', iterables }, 'from', options)
  }

  /**
   * A flow of what stages emit that run already; they are neither started nor stopped. The flow ends when they have ended with
   * `normal` or `shutdown`. A class or `name(Class, id)` is looked up whenever the flow starts.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.from_stages`.
   */
  static fromStages<T>(stages: readonly ProducerTarget<T>[], options: StepOptions<NoInfer<T>> = {}): Flow<T> {
    const refs = listOf('fromStages', stages, 'running producers')
    const wrong = refs.find((ref) => !(ref instanceof ProcessRef || isName(Object(ref))))
    if (wrong !== undefined)
      throw new FlowError('bad_options', `fromStages: expected running producers, got ${show(wrong)}`)
    return begin({ kind: 'stages', stages: refs }, 'fromStages', options)
  }

  /**
   * A flow of what producers emit that are started and stopped with it: `Flow.fromSpecs([child(Orders)])`. None is started again;
   * those that decline to start are left out.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.from_specs`.
   */
  static fromSpecs<T>(specs: readonly ChildSpec<Emits<T>>[], options: StepOptions<NoInfer<T>> = {}): Flow<T> {
    return begin({ kind: 'specs', specs: listOf('fromSpecs', specs, 'child specifications') }, 'fromSpecs', options)
  }

  // ---- Several flows

  /** As the method `partition`, for one flow or several. */
  static partition<F extends AnyFlow<unknown>>(
    flows: F | readonly F[],
    options?: KeyOptions<ElementOf<F>>,
  ): Flow<ElementOf<F>>
  static partition<F extends AnyFlow<unknown>, U = ElementOf<F>>(
    flows: F | readonly F[],
    options: HashOptions<ElementOf<F>, U>,
  ): Flow<U>
  static partition(
    flows: AnyFlow<unknown> | readonly AnyFlow<unknown>[],
    options: AnyPartitionOptions = {},
  ): Flow<unknown> {
    return new Flow(partitionOf(definitionsOf('partition', flows), options))
  }

  /** As the method `shuffle`, for one flow or several. */
  static shuffle<F extends AnyFlow<unknown>>(
    flows: F | readonly F[],
    options: StepOptions<ElementOf<F>> = {},
  ): Flow<ElementOf<F>> {
    return new Flow(shuffleOf(definitionsOf('shuffle', flows), options))
  }

  /** As the method `merge`, for one flow or several. */
  static merge<F extends AnyFlow<unknown>>(
    flows: F | readonly F[],
    dispatcher: MergeDispatcher,
    options: StepOptions<ElementOf<F>> = {},
  ): Flow<ElementOf<F>> {
    return new Flow(mergeOf(definitionsOf('merge', flows), dispatcher, options))
  }

  /**
   * Joins two flows: each pair of a left and a right event with equal keys becomes one event, made by `join`. Pairs are joined as
   * they meet. Outer modes also give a row for each event that met nobody, when all have come: `left_outer` gives `join(left, null)`,
   * `right_outer` `join(null, right)`, `full_outer` both. `join` may be async, the functions of the keys may not.
   *
   * Everything is kept until the end: join endless flows in windows. `stages` and other options are those of the stages that join.
   *
   * @example
   * ```ts run
   * import { Flow } from 'sluice/flow'
   *
   * const posts = Flow.from([{ id: 1, title: 'Rose' }, { id: 2, title: 'Violet' }])
   * const comments = Flow.from([{ post: 1, text: 'red' }])
   * const rows = await Flow.boundedJoin(
   *   'left_outer', posts, comments, (post) => post.id, (comment) => comment.post,
   *   (post, comment) => [post.title, comment?.text],
   * ).toArray()
   * console.log(rows) // [ [ 'Rose', 'red' ], [ 'Violet', undefined ] ]
   * ```
   * @throws `FlowError` `bad_options`. Elixir: `Flow.bounded_join`.
   */
  static boundedJoin<const Mode extends JoinMode, L, R, LeftKey, RightKey, Row>(
    mode: Mode,
    left: AnyFlow<L>,
    right: AnyFlow<R>,
    leftKey: (event: L) => JoinKey<LeftKey>,
    rightKey: (event: R) => SameJoinKey<LeftKey, RightKey>,
    join: (left: JoinedLeft<Mode, L>, right: JoinedRight<Mode, R>, stage: FlowStage) => Eventually<Row>,
    options: JoinOptions = {},
  ): Flow<Row> {
    return new Flow(boundedJoinOf(left, right, { mode, leftKey, rightKey, join }, options))
  }

  /**
   * As `boundedJoin`, in windows: only events of the same window meet, and what met nobody becomes a row when the window closes. The
   * window looks at the events of both sides. Triggers do not make it forget.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.window_join`.
   */
  static windowJoin<const Mode extends JoinMode, L, R, LeftKey, RightKey, Row>(
    mode: Mode,
    left: AnyFlow<L>,
    right: AnyFlow<R>,
    window: WindowDefinition<NoInfer<L | R>>,
    leftKey: (event: L) => JoinKey<LeftKey>,
    rightKey: (event: R) => SameJoinKey<LeftKey, RightKey>,
    join: (left: JoinedLeft<Mode, L>, right: JoinedRight<Mode, R>, stage: FlowStage) => Eventually<Row>,
    options: JoinOptions = {},
  ): Flow<Row> {
    return new Flow(windowJoinOf(left, right, window, { mode, leftKey, rightKey, join }, options))
  }

  // ---- Operations on one event

  /** Replaces each event. The function may be async. Elixir: `Flow.map`. */
  map<U>(run: (event: T, stage: FlowStage) => Eventually<U>): Flow<U> {
    checkFunction('map', run)
    return this.#with({ kind: 'map', run })
  }

  /** Keeps the events for which the function is truthy. It may be async. Elixir: `Flow.filter`. */
  filter<U extends T>(run: (event: T, stage: FlowStage) => event is U): Flow<U>
  filter(run: (event: T, stage: FlowStage) => Eventually<unknown>): Flow<T>
  filter(run: (event: T, stage: FlowStage) => unknown): Flow<T> {
    checkFunction('filter', run)
    return this.#with({ kind: 'filter', run })
  }

  /** Drops the events for which the function is truthy. It may be async. Elixir: `Flow.reject`. */
  reject(run: (event: T, stage: FlowStage) => Eventually<unknown>): Flow<T> {
    checkFunction('reject', run)
    return this.#with({ kind: 'reject', run })
  }

  /** Replaces each event by any number of others. The function may be async. Elixir: `Flow.flat_map`. */
  flatMap<U>(run: (event: T, stage: FlowStage) => Eventually<Iterable<U>>): Flow<U> {
    checkFunction('flatMap', run)
    return this.#with({ kind: 'flatMap', run })
  }

  /** Replaces the value of each `[key, value]`. The function may be async. Elixir: `Flow.map_values`. */
  mapValues<K, V, W>(
    this: Flow<readonly [key: K, value: V]>,
    run: (value: V, stage: FlowStage) => Eventually<W>,
  ): Flow<[key: K, value: W]> {
    checkFunction('mapValues', run)
    const mapPair = ([key, value]: readonly [K, V], stage: FlowStage): Eventually<[K, W]> => {
      const mapped = run(value, stage)
      return isEventual(mapped) ? mapped.then((later): [K, W] => [key, later]) : [key, mapped]
    }
    return new Flow(withAdded(this, { kind: 'map', run: mapPair, given: [run] }))
  }

  /**
   * Replaces whole batches, at the beginning of a step, before its window looks at the events: the window gets what it returns. The
   * function may be async.
   *
   * @throws `FlowError` `bad_flow` behind another operation. Elixir: `Flow.map_batch`.
   */
  mapBatch<U>(run: (events: readonly T[], stage: FlowStage) => Eventually<readonly U[]>): Flow<U> {
    checkFunction('mapBatch', run)
    return this.#with({ kind: 'mapBatch', run })
  }

  // ---- Watching

  /** The same flow, whose runs tell a `Progress` how far they are. Of several that of the last step counts. */
  withProgress(progress: Progress): Flow<T> {
    return new Flow(progressing(this, progress))
  }

  // ---- Accumulating

  /** Keeps the first of equal events, in each window of each stage: partition by the event first. Elixir: `Flow.uniq`. */
  uniq(): Flow<T> {
    return this.#with({ kind: 'uniq', key: itself })
  }

  /** Keeps the first event with a key, in each window of each stage: partition by the key first. Elixir: `Flow.uniq_by`. */
  uniqBy(key: (event: T) => unknown): Flow<T> {
    checkFunction('uniqBy', key)
    return this.#with({ kind: 'uniqBy', key })
  }

  /**
   * Accumulates the events of each window of each stage; `initial` makes the accumulator, `reducer` gives the new one. What it
   * becomes when the window fires, `emit` or `onTrigger` say; by default its elements are emitted. The reducer is not async: await
   * in a `map` before it. `initial` is told the stage, and can fire its windows, `context.triggerAfter(200, 'sample')`.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.reduce`.
   */
  reduce<State>(
    initial: (context: StageContext) => State,
    reducer: (event: T, state: State) => State,
    options: ReduceOptions<State> = {},
  ): ReducedFlow<State, Emission<State>> {
    checkAccumulator('reduce', initial)
    checkFunction('reduce', reducer)
    return this.#reduced({ kind: 'reduce', initial, run: reducer, combine: readCombine(options) })
  }

  /**
   * As `reduce`, and emits events at once: the reducer gives `[events, state]`. For running totals, and for windows of your own.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.emit_and_reduce`.
   */
  emitAndReduce<State, U>(
    initial: (context: StageContext) => State,
    reducer: (event: T, state: State) => readonly [events: readonly U[], state: State],
  ): ReducedFlow<State, U | Emission<State>, U> {
    checkAccumulator('emitAndReduce', initial)
    checkFunction('emitAndReduce', reducer)
    return this.#reduced({ kind: 'emitAndReduce', initial, run: reducer })
  }

  /** Accumulates a map of the values with each key, newest first. Elixir: `Flow.group_by`. */
  groupBy<K>(key: (event: T) => K): ReducedFlow<Map<K, T[]>, [key: K, values: T[]]>
  groupBy<K, V>(key: (event: T) => K, value: (event: T) => V): ReducedFlow<Map<K, V[]>, [key: K, values: V[]]>
  groupBy(
    key: (event: T) => unknown,
    value: (event: T) => unknown = (event) => event,
  ): ReducedFlow<Map<unknown, unknown[]>, [key: unknown, values: unknown[]]> {
    checkFunction('groupBy', key)
    checkFunction('groupBy', value)
    const run = (event: T, groups: Groups): Groups => groups.add(key(event), value(event))
    return this.#reduced({
      kind: 'groupBy',
      initial: () => new Groups(),
      run,
      view: groupsView,
      combine: groupsCombine,
      given: [key, value],
    })
  }

  /** Accumulates a map of the values of each key of `[key, value]`, newest first. Elixir: `Flow.group_by_key`. */
  groupByKey<K, V>(this: Flow<readonly [key: K, value: V]>): ReducedFlow<Map<K, V[]>, [key: K, values: V[]]> {
    const run = ([key, value]: readonly [K, V], groups: Groups): Groups => groups.add(key, value)
    const initial = () => new Groups()
    return new ReducedFlow(
      withAdded(this, { kind: 'groupByKey', initial, run, view: groupsView, combine: groupsCombine }),
    )
  }

  /** Accumulates a map of how many events there are with each key; by default of equal events. Elixir: `Enum.frequencies_by`. */
  countBy(): ReducedFlow<Map<T, number>, [key: T, count: number]>
  countBy<K>(key: (event: T) => K): ReducedFlow<Map<K, number>, [key: K, count: number]>
  countBy(key: (event: T) => unknown = itself): ReducedFlow<Map<unknown, number>, [key: unknown, count: number]> {
    checkFunction('countBy', key)
    const run = (event: T, tally: Tally): Tally => tally.add(key(event), 1)
    return this.#tallied('countBy', run, [key])
  }

  /** Accumulates a map of the sum of the amounts of the events with each key. */
  sumBy<K>(key: (event: T) => K, amount: (event: T) => number): ReducedFlow<Map<K, number>, [key: K, sum: number]> {
    checkFunction('sumBy', key)
    checkFunction('sumBy', amount)
    const run = (event: T, tally: Tally): Tally => tally.add(key(event), amount(event))
    return this.#tallied('sumBy', run, [key, amount])
  }

  #tallied<K>(
    kind: 'countBy' | 'sumBy',
    run: (event: T, tally: Tally) => Tally,
    given: readonly unknown[],
  ): ReducedFlow<Map<K, number>, [key: K, sum: number]> {
    return this.#reduced({ kind, initial: () => new Tally(), run, view: tallyView, combine: tallyCombine, given })
  }

  #with<U>(operation: Operation): Flow<U> {
    return new Flow(withAdded(this, operation))
  }

  #reduced<State, U, Emitted>(operation: Operation): ReducedFlow<State, U, Emitted> {
    return new ReducedFlow(withAdded(this, operation))
  }

  // ---- What needs a reducer first, and says so

  emit(..._mistake: [BeforeReducer<'emit'>]): never {
    return this.#refuse('emit', 'there is no accumulator to emit; a reducer must come first, such as reduce')
  }
  onTrigger(..._mistake: [BeforeReducer<'onTrigger'>]): never {
    return this.#refuse('onTrigger', 'there is no accumulator to emit; a reducer must come first, such as reduce')
  }
  departition(..._mistake: [BeforeReducer<'departition'>]): never {
    return this.#refuse('departition', 'it puts together what partitions accumulated; a reducer must come first')
  }
  takeSort(..._mistake: [BeforeReducer<'takeSort'>]): never {
    return this.#refuse('takeSort', 'it sorts what was accumulated; a reducer must come first')
  }

  #refuse(kind: string, problem: string): never {
    throw new FlowError('bad_flow', `${kind} cannot stand here: ${problem}`)
  }
}

/** What the compiler answers to an operation that needs a reducer before it. */
type BeforeReducer<Operation extends string> =
  `${Operation} says what becomes of an accumulator: put a reducer before it, such as reduce`

newStepsAre((definition) => new Flow(definition))

function begin<T>(source: StepSource, what: string, options: StepOptions<never>): Flow<T> {
  checkStepOptions(what, options)
  return new Flow({ source, options, operations: [] })
}

function listOf<T>(what: string, given: readonly T[], expected: string): readonly T[] {
  if (Array.isArray(given) && given.length > 0) return [...given]
  throw new FlowError('bad_options', `${what} expects a non-empty array of ${expected} got ${show(given)}`)
}

function isEventual<T>(value: Eventually<T>): value is PromiseLike<T> {
  return isPromise(value)
}

/** What every flow can do, whatever its last operation: begin a new step, and run. */

import { isPromise } from '../otp/server-behaviour.ts'
import { ChildSpec, child } from '../otp/supervision/child-spec.ts'
import { type Ref, typedRef } from '../process/ref.ts'
import { mainProcess } from '../process/runtime.ts'
import { show } from '../stage/show.ts'
import { FlowCoordinator } from './coordinator.ts'
import { type Dispatch, type StepDefinition, toDemand } from './definition.ts'
import { FlowError } from './errors.ts'
import type { Flow } from './flow.ts'
import { type AnyPartitionOptions, type MergeDispatcher, mergeOf, partitionOf, shuffleOf } from './new-step.ts'
import { checkFunction, type Eventually, type FlowStage } from './operation.ts'
import { flowOptions } from './option-reader.ts'
import { planFlow } from './plan.ts'
import { countDefinition, iterateFlow, runDefinition, startFlow } from './run-flow.ts'
import {
  checkRunOptions,
  checkWorkers,
  type FlowChildOptions,
  type FlowRunOptions,
  type FlowStreamOptions,
  type IntoOptions,
  type StartFlowOptions,
} from './run-options.ts'
import type { CoordinatorOptions, RunningFlow } from './running-flow.ts'
import { checkStepOptions, type HashOptions, type KeyOptions, type StepOptions } from './step-options.ts'
import { checkThrough, type ThroughSpec, type ThroughStage } from './through.ts'
import { deploy } from './workers/deploy.ts'
import { checkCanRun } from './workers/runnable.ts'

/** What a flow is; for this layer. */
export let definitionOf: (flow: AnyFlow<unknown>) => StepDefinition

let make: (definition: StepDefinition) => Flow<never>

/** How a new step is made, told by the class of it, which builds on this one. */
export function newStepsAre(made: typeof make): void {
  make = made
}

/** A flow of any kind; what `Flow` and `ReducedFlow` have in common. A value: nothing runs before it is told to. */
export abstract class AnyFlow<out T> implements AsyncIterable<T> {
  /** The type of the events; exists for the compiler only. */
  declare readonly $element?: T | undefined
  readonly #definition: StepDefinition

  /** @internal */
  constructor(definition: StepDefinition) {
    this.#definition = definition
  }

  // ---- New steps

  /**
   * Begins a step whose stages each get the events of some keys: what has the same key meets in the same stage. Key and hash are
   * functions that run at once, no promises. With one stage the key does not matter; a `hash` is always asked.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.partition`.
   */
  partition(options?: KeyOptions<T>): Flow<T>
  partition<U = T>(options: HashOptions<T, U>): Flow<U>
  partition(options: AnyPartitionOptions = {}): Flow<unknown> {
    return step(partitionOf([this.#definition], options))
  }

  /**
   * Begins a step whose stages each get events when they have room for them; nothing is put in a random order.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.shuffle`.
   */
  shuffle(options: StepOptions<T> = {}): Flow<T> {
    return step(shuffleOf([this.#definition], options))
  }

  /**
   * Begins a step with a dispatcher of your choice: `broadcast` gives every event to every stage.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.merge`.
   */
  merge(dispatcher: MergeDispatcher, options: StepOptions<T> = {}): Flow<T> {
    return step(mergeOf([this.#definition], dispatcher, options))
  }

  /**
   * Sends the events through stages that run, and begins a step with what they emit. They are neither started nor stopped: a flow
   * through them ends when they do.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.through_stages`.
   */
  throughStages<U>(stages: readonly ThroughStage<T, U>[], options: StepOptions<NoInfer<U>> = {}): Flow<U> {
    checkStepOptions('throughStages', options)
    const through = checkThrough('throughStages', stages)
    return step({ source: { kind: 'through', upstream: this.#definition, through }, options, operations: [] })
  }

  /**
   * Sends the events through stages that are started and stopped with the flow, and begins a step with what they emit.
   *
   * @throws `FlowError` `bad_options`. Elixir: `Flow.through_specs`.
   */
  throughSpecs<U>(specs: readonly ThroughSpec<T, U>[], options: StepOptions<NoInfer<U>> = {}): Flow<U> {
    checkStepOptions('throughSpecs', options)
    const through = checkThrough('throughSpecs', specs)
    return step({ source: { kind: 'through', upstream: this.#definition, through }, options, operations: [] })
  }

  // ---- Running

  /**
   * The events, one by one; between stages their order is not determined. Every iteration runs the flow anew; leaving it stops the
   * flow.
   *
   * @throws `FlowError` `bad_options`; in the loop `failed`, with the original error as `cause`. Elixir: `Flow.stream`, `Enum`.
   */
  stream(options: FlowStreamOptions = {}): AsyncIterable<T> {
    checkRunOptions('stream', options, ['maxDemand', 'minDemand'])
    return { [Symbol.asyncIterator]: () => iterateFlow<T>(this.#definition, options) }
  }

  /** The events, one by one: `for await (const event of flow)`. As `stream()`. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined, undefined> {
    return iterateFlow<T>(this.#definition, {})
  }

  /**
   * Runs the flow for what its functions do; what comes out is dropped at once.
   *
   * @throws `FlowError` `failed`, with the original error as `cause`, or `stopped`. Elixir: `Flow.run`.
   */
  async run(options: FlowRunOptions = {}): Promise<void> {
    checkRunOptions('run', options)
    await runDefinition(this.#definition, undefined, options)
  }

  /** All events. One array: for more than fits into memory use `forEach`, or iterate. Elixir: `Enum.to_list`. */
  async toArray(options: FlowRunOptions = {}): Promise<T[]> {
    const all: T[] = []
    await this.#each('toArray', options, (events) => {
      for (let index = 0; index < events.length; index++) all.push(events[index] as T)
    })
    return all
  }

  /** The pairs as a `Map`; of equal keys the last to arrive counts. Elixir: `Enum.into(%{})`. */
  async toMap<K, V>(this: AnyFlow<readonly [key: K, value: V]>, options: FlowRunOptions = {}): Promise<Map<K, V>> {
    const map = new Map<K, V>()
    await this.#each('toMap', options, (pairs) => {
      for (const pair of pairs) {
        if (!Array.isArray(pair))
          throw new FlowError('bad_return', `toMap: expected pairs, [key, value], got ${show(pair)}`)
        map.set(pair[0], pair[1])
      }
    })
    return map
  }

  /** The event that arrives first; the flow is then stopped. `undefined` when there is none. Elixir: `Enum.at(0)`. */
  async first(options: FlowRunOptions = {}): Promise<T | undefined> {
    return (await this.take(1, options))[0]
  }

  /**
   * The events that arrive first, at most `count`; the flow is then stopped.
   *
   * @throws `FlowError` `bad_options`, and as `run`. Elixir: `Enum.take`.
   */
  async take(count: number, options: FlowRunOptions = {}): Promise<T[]> {
    if (!(typeof count === 'number' && count >= 0)) {
      throw new FlowError('bad_options', `take: expected how many to take, a number >= 0, got ${show(count)}`)
    }
    const taken: T[] = []
    if (count > 0) for await (const event of this.stream(options)) if (taken.push(event) >= count) break
    return taken
  }

  /** How many events there are. Elixir: `Enum.count`. */
  async count(options: FlowRunOptions = {}): Promise<number> {
    checkRunOptions('count', options)
    return await countDefinition(this.#definition, options)
  }

  /** Whether a value is among the events; the flow is stopped when it is found. Elixir: `Enum.member?`. */
  async includes(value: unknown, options: FlowRunOptions = {}): Promise<boolean> {
    for await (const event of this.stream(options)) if (Object.is(event, value) || event === value) return true
    return false
  }

  /**
   * Calls a function for each event, in the stages of the last step: a promise holds the stage that waits for it, the others go
   * on. The second argument is that stage, whose signal fires when the flow is stopped. Elixir: `Enum.each`.
   */
  async forEach(run: (event: T, stage: FlowStage) => Eventually<void>, options: FlowRunOptions = {}): Promise<void> {
    checkFunction('forEach', run)
    await this.#each('forEach', options, (events, stage) => {
      for (let index = 0; index < events.length; index++) {
        const pending = run(events[index] as T, stage)
        if (isPromise(pending)) return rest(run, events, index + 1, stage, pending)
      }
      return undefined
    })
  }

  /** Reduces all events to one value, outside of the stages. The function is not async. Elixir: `Enum.reduce`. */
  async reduceAll<R>(initial: R, reducer: (event: T, result: R) => R, options: FlowRunOptions = {}): Promise<R> {
    checkFunction('reduceAll', reducer)
    let result = initial
    await this.#each('reduceAll', options, (events) => {
      for (const event of events) result = reducer(event, result)
    })
    return result
  }

  /**
   * Starts the flow and does not wait. What comes out is dropped. The process that is returned ends with the flow: `normal`,
   * `shutdown` when it failed, or the reason that it was stopped with.
   *
   * @throws `FlowError` `bad_flow`; `StartError`, which is `ignore` when all specifications declined. Elixir: `Flow.start_link`.
   */
  async start(options: StartFlowOptions = {}): Promise<Ref<RunningFlow<T>>> {
    return await this.#start('start', options, undefined)
  }

  /**
   * Starts the flow for consumers that run, which outlive it; with none, for those that subscribe to the returned process later. It
   * ends with the stages that its events come out of.
   * Consumers subscribe with `transient` unless told otherwise.
   *
   * @throws As `start`. Elixir: `Flow.into_stages`.
   */
  async intoStages(
    consumers: readonly ThroughStage<T, unknown>[],
    options: IntoOptions = {},
  ): Promise<Ref<RunningFlow<T>>> {
    return await this.#start('intoStages', options, consumers)
  }

  /**
   * Starts the flow with consumers of its own. When its input has ended they finish what they hold, and the flow ends with `normal`;
   * before that, when one that is `permanent` ends, or the last of the others. When one fails it ends with `shutdown`. None is
   * started again.
   *
   * @throws As `start`. Elixir: `Flow.into_specs`.
   */
  async intoSpecs(
    consumers: readonly ThroughSpec<T, unknown>[],
    options: IntoOptions = {},
  ): Promise<Ref<RunningFlow<T>>> {
    return await this.#start('intoSpecs', options, consumers)
  }

  /**
   * The flow as the child of a supervisor, which starts it again when it fails, and unless `restart` says otherwise also when it
   * ends. With `intoStages` or `intoSpecs` its events go there; without, what comes out is dropped. Put it behind the stages that
   * it takes by their names.
   *
   * @throws `FlowError` `bad_flow`, `bad_options`; `StartError` as `child`. Elixir: `start: {Flow, :into_stages, [flow, consumers]}`.
   */
  child(options: FlowChildOptions<T> = {}): ChildSpec<RunningFlow<T>> {
    const { intoStages, intoSpecs, demand, dispatcher, subscribeTimeout, workers, ...own } = options
    if (intoStages !== undefined && intoSpecs !== undefined) {
      throw new FlowError('bad_options', 'child: expected intoStages or intoSpecs, got both')
    }
    const what = intoStages === undefined ? 'intoSpecs' : 'intoStages'
    const running = this.#running(what, { demand, dispatcher, subscribeTimeout, workers }, intoStages ?? intoSpecs)
    const spec = child(FlowCoordinator, { ...own, arg: () => ({ ...running, supervised: true }) })
    return new ChildSpec<RunningFlow<T>>(spec.plan, spec)
  }

  async #start(
    what: string,
    { link = true, ...options }: IntoOptions,
    consumers: readonly unknown[] | undefined,
  ): Promise<Ref<RunningFlow<T>>> {
    const { demand, dispatcher, subscribeTimeout, workers, ...start } = options
    const running = this.#running(what, { demand, dispatcher, subscribeTimeout, workers }, consumers)
    const parent = mainProcess(what, 'flow.child() in a supervisor, or a task,')
    return typedRef<RunningFlow<T>>(await startFlow(parent, link, running, start))
  }

  /** What the process of the flow has to know; without a list of consumers what comes out is dropped. */
  #running(
    what: string,
    { demand, dispatcher, subscribeTimeout, workers }: IntoOptions,
    consumers: readonly unknown[] | undefined,
  ): CoordinatorOptions {
    if (workers !== undefined) this.#checkWorkers(what, workers, dispatcher)
    const deployed = (ending: 'none' | 'producers') =>
      workers === undefined ? undefined : () => deploy(this.#definition, workers, ending)
    if (consumers === undefined) {
      const plan = planFlow(this.#definition, { kind: 'consumers', output: 'none' })
      return { plan, sink: () => {}, demand, subscribeTimeout, deploy: deployed('none') }
    }
    const dispatch: Dispatch = dispatcher === undefined ? toDemand : { kind: 'own', make: dispatcher }
    const plan = planFlow(this.#definition, { kind: 'producers', dispatch })
    const through = consumers.length === 0 ? [] : checkThrough(what, consumers)
    return { plan, demand, consumers: through, subscribeTimeout, deploy: deployed('producers') }
  }

  #checkWorkers(what: string, workers: unknown, dispatcher: unknown): void {
    checkWorkers(flowOptions(what, { workers }, ['workers']))
    checkCanRun(this.#definition)
    if (dispatcher === undefined) return
    const text = `${what}: the stages that its dispatcher belongs to are in workers, which functions cannot be sent to: leave out dispatcher, or workers`
    throw new FlowError('bad_options', text)
  }

  /** Runs the flow and gives its events to a function, batch by batch. */
  async #each(
    what: string,
    options: FlowRunOptions,
    sink: (events: readonly T[], stage: FlowStage) => Eventually<void>,
  ): Promise<void> {
    checkRunOptions(what, options)
    await runDefinition<T>(this.#definition, sink, options)
  }

  static {
    definitionOf = (flow) => flow.#definition
  }
}

async function rest<T>(
  run: (event: T, stage: FlowStage) => Eventually<void>,
  events: readonly T[],
  from: number,
  stage: FlowStage,
  pending: PromiseLike<void>,
): Promise<void> {
  await pending
  for (const event of events.slice(from)) await run(event, stage)
}

// ---- New steps, of one flow or several

/** The type of the events of a flow; of flows of several types, any of those. */
export type ElementOf<F> = F extends AnyFlow<infer T> ? T : never

/** The definitions of one flow or several. @throws `FlowError` `bad_options`. */
export function definitionsOf(what: string, flows: unknown): readonly StepDefinition[] {
  const list: readonly unknown[] = Array.isArray(flows) ? flows : [flows]
  const definitions = list.flatMap((flow) => (flow instanceof AnyFlow ? [definitionOf(flow)] : []))
  if (list.length > 0 && definitions.length === list.length) return definitions
  throw new FlowError('bad_options', `${what}: expected one flow or a non-empty array of flows, got ${show(flows)}`)
}

/** A step as a flow of the events that its source gives. */
export function step(definition: StepDefinition): Flow<never> {
  return make(definition)
}

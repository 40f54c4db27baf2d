/**
 * Turns a flow into the groups of stages that carry it out: a pure function from one value to another. A step with operations is
 * a layer. One without has none: whoever comes next takes its events from its source, unless the dispatcher that feeds it is not
 * the one that the next needs; then a layer is forced, which only hands on.
 */

import type { ChildSpec } from '../otp/supervision/child-spec.ts'
import type { Opening } from '../stage/interop/opening.ts'
import type { Source } from '../stage/interop/source.ts'
import { type Combining, combinedDispatch, combinedOperations, combiningOf } from './combine/combining.ts'
import {
  type Dispatch,
  type RunningStage,
  type StepDefinition,
  type StepSource,
  type Through,
  toDemand,
} from './definition.ts'
import { FlowError } from './errors.ts'
import { nameStep } from './hot-loop.ts'
import type { Departition } from './intake.ts'
import { type Join, keyRoute } from './join/join.ts'
import type { FlowOrigin } from './module/origin.ts'
import type { Progress } from './progress/progress.ts'
import type { StepInStage } from './step-pane.ts'

/** Stages of one kind, which all subscribe to all stages of their inputs. Groups are started in the order of the plan. */
export type Group =
  | {
      readonly kind: 'iterables'
      readonly iterables: readonly Opening<Source<unknown>>[]
      readonly dispatch: Dispatch
    }
  | { readonly kind: 'stages'; readonly stages: readonly RunningStage[] }
  | { readonly kind: 'specs'; readonly specs: readonly ChildSpec[] }
  | { readonly kind: 'through'; readonly inputs: readonly number[]; readonly through: readonly Through[] }
  | Layer

/** The stages of one step. */
export interface Layer {
  readonly kind: 'layer'
  /** Places in the plan of the groups that it takes its events from. */
  readonly inputs: readonly number[]
  readonly stages: number
  readonly step: StepDefinition
  /** Which stage of the next layer gets which event. */
  readonly dispatch: Dispatch
  readonly output: StepInStage['output']
  /** What its stages do with what they emit, before it is dispatched. */
  readonly combining?: Combining | undefined
  /** The step begins with a join of its first input, the left side, and its second, the right one. */
  readonly join?: Join | undefined
  /** The step begins with a departition, of so many partitions. */
  readonly departition?: { readonly departition: Departition; readonly partitions: number } | undefined
}

export interface Plan {
  readonly groups: readonly Group[]
  /** Places of the groups that the events come out of; a layer of consumers when there is an `end`. */
  readonly last: readonly number[]
  /** Told how far the run is. */
  readonly progress?: Progress | undefined
}

/** What is wanted of the last layer: to hand its events to whoever subscribes, by a dispatcher; or to consume them itself. */
export type Ending =
  | { readonly kind: 'producers'; readonly dispatch: Dispatch }
  | {
      readonly kind: 'consumers'
      readonly output: 'events' | 'none'
      /** They are a layer of one stage behind all others, which can be elsewhere. */
      readonly apart?: boolean | undefined
    }

export interface PlanOptions {
  /** Reducers that can be combined are, also where their user has not asked for it. Default false. */
  readonly combineAll?: boolean | undefined
  /** Stages of steps that do not say how many. Default 1. */
  readonly stages?: number | undefined
}

/** @throws `FlowError` `bad_flow` for a flow without a source, a window that has nothing to act on, a dispatcher where a key decides. */
export function planFlow(
  flow: StepDefinition,
  ending: Ending,
  { combineAll = false, stages: ownStages = 1 }: PlanOptions = {},
): Plan {
  const groups: Group[] = []
  let progress: Progress | undefined
  const add = (group: Group): number => groups.push(group) - 1
  const stagesOf = ({ options }: StepDefinition): number => options.stages ?? ownStages

  /** Adds the stages of a step; the places of those that its events come out of. */
  const addStep = (
    step: StepDefinition,
    wanted: Dispatch,
    output: Layer['output'],
    { force = false, combining }: { readonly force?: boolean; readonly combining?: Combining | undefined } = {},
  ): readonly number[] => {
    const { options } = step
    const stages = stagesOf(step)
    const feeding = step.source?.kind === 'flows' ? planned(step.source.dispatch, stages) : toDemand
    const before = combiningOf(step, stages, feeding, combineAll)
    const operations = before?.kind === 'reduce' ? combinedOperations(step.operations, before) : step.operations
    // Of several the one that was asked for last.
    progress ??= step.progress
    const source = sourceOf(step)
    const { dispatcher } = options
    const dispatch: Dispatch = dispatcher === undefined ? wanted : { kind: 'own', make: dispatcher }
    const bare = operations.length === 0 && source.kind !== 'departition' && source.kind !== 'join'
    if (bare && options.window !== undefined) {
      throw new FlowError(
        'bad_flow',
        `a ${options.window.type} window was given to a step that computes nothing, so it has nothing to act on: give it to the step with the reducer`,
      )
    }
    if (bare && !force && combining === undefined) {
      if (source.kind === 'iterables') return [add({ ...source, dispatch })]
      if (feeding.kind === 'demand' && dispatch.kind === 'demand') return addSource(source, stages)
    }
    return [
      add({
        kind: 'layer',
        inputs: addSource(source, stages, before),
        stages,
        step: operations === step.operations ? step : { ...step, operations },
        dispatch,
        output,
        combining,
        join: source.kind === 'join' ? source.join : undefined,
        departition:
          source.kind === 'departition'
            ? { departition: source.departition, partitions: stagesOf(source.upstream) }
            : undefined,
      }),
    ]
  }

  /** Adds the stages that a step takes its events from. */
  const addSource = (source: StepSource, stages: number, combining?: Combining): readonly number[] => {
    switch (source.kind) {
      case 'iterables':
        return [add({ ...source, dispatch: toDemand })]
      case 'flows':
        return source.flows.flatMap((flow) => {
          const dispatch = planned(source.dispatch, stages)
          const sent = combining?.kind === 'reduce' ? combinedDispatch(dispatch) : dispatch
          return addStep(flow, sent, 'events', { combining })
        })
      case 'through': {
        const inputs = addStep(source.upstream, toDemand, 'events')
        return [add({ kind: 'through', inputs, through: source.through })]
      }
      case 'departition':
        return addStep(source.upstream, toDemand, 'windows')
      case 'join':
        // One group for each side: a step without operations has a layer where its events are to be partitioned.
        return [
          ...addStep(source.left, byKey(source.left, 'left', source.join.leftKey, stages), 'events'),
          ...addStep(source.right, byKey(source.right, 'right', source.join.rightKey, stages), 'events'),
        ]
      default:
        return [add(source)]
    }
  }

  const finished = (last: readonly number[]): Plan => {
    if (flow.origin !== undefined) nameSteps(flow.origin, groups)
    return { groups, last, progress }
  }
  if (ending.kind === 'producers') return finished(addStep(flow, ending.dispatch, 'events'))
  const before = addStep(flow, toDemand, ending.output, { force: true })
  const last =
    ending.apart === true
      ? [add({ kind: 'layer', inputs: before, stages: 1, step: BARE, dispatch: toDemand, output: ending.output })]
      : before
  return finished(last)
}

/** The steps of a flow of a module have the same names in each run. */
function nameSteps({ url, place }: FlowOrigin, groups: readonly Group[]): void {
  for (const [index, group] of groups.entries()) {
    if (group.kind === 'layer') nameStep(group.step.operations, `${url} ${place} ${index}`)
  }
}

/** A step that hands on. */
const BARE: StepDefinition = { source: undefined, options: {}, operations: [] }

/** A partition into so many stages: with one there is nothing to decide, unless events are to be replaced or dropped. */
function planned(dispatch: Dispatch, partitions: number): Dispatch {
  if (dispatch.kind !== 'partition') return dispatch
  return partitions === 1 && !dispatch.always ? toDemand : { ...dispatch, partitions }
}

/** How a side of a join sends its events to the stages of the join. */
function byKey({ options }: StepDefinition, side: string, keyOf: Join['leftKey'], partitions: number): Dispatch {
  if (options.dispatcher === undefined)
    return { kind: 'partition', route: keyRoute(keyOf), partitions, always: true, given: keyOf }
  throw new FlowError(
    'bad_flow',
    `the ${side} side of a join was given a dispatcher, but its key decides which stage gets which event: begin a new step with shuffle, or leave the dispatcher out`,
  )
}

function sourceOf({ source }: StepDefinition): StepSource {
  if (source !== undefined) return source
  throw new FlowError(
    'bad_flow',
    'the flow has no source, so it is without producers: begin it with Flow.from, Flow.fromStages or Flow.fromSpecs',
  )
}

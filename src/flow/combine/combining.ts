/**
 * Whether what a step accumulates is accumulated before it already, in the stages that its events come from: these then send one
 * accumulator for many events. Decided when a flow is planned.
 */

import type { Dispatch, StepDefinition } from '../definition.ts'
import { FlowError } from '../errors.ts'
import { itself, type Operation, type ReduceOperation, type UniqOperation } from '../operation.ts'
import { AnyWindow } from '../window/any-window.ts'

/** What a stage does with what it emits. */
export type Combining =
  | {
      readonly kind: 'reduce'
      readonly reducer: CombinedReducer
      readonly dispatch: Dispatch
      /** The key of the reducer is that of the partition: one accumulator holds what is for all stages, until it is sent. */
      readonly sameKey: boolean
    }
  | { readonly kind: 'uniq'; readonly operation: UniqOperation; readonly dispatch: Dispatch; readonly sameKey: boolean }

/** A reducer whose accumulators can be put together. */
export type CombinedReducer = ReduceOperation & { readonly combine: NonNullable<ReduceOperation['combine']> }

/** What was accumulated for one stage of the next step. Plain data, so that it can be sent to another thread. */
export interface Combined {
  readonly partition: number
  readonly state: unknown
}

/**
 * What the stages before a step do for it, if anything; `dispatch` is how they would send its `stages` their events. `all`: also where nobody has asked for it, because events would go to other
 * threads.
 *
 * @throws `FlowError` `bad_flow` for a reducer that combines, in windows where that would change what comes out.
 */
export function combiningOf(
  step: StepDefinition,
  stages: number,
  dispatch: Dispatch,
  all: boolean,
): Combining | undefined {
  const { source, operations, options } = step
  const asked = operations.find((operation) => hasCombine(operation) && operation.combine.asked)
  if (asked !== undefined && !isUncut(options.window, ['global', 'fixed'])) {
    throw new FlowError(
      'bad_flow',
      `combine of ${asked.kind}: a ${options.window?.type} window, or a trigger that looks at events, counts each event, so nothing can be accumulated before it: leave out combine, or use a global or fixed window`,
    )
  }
  // Windows of time look at each event, so theirs are not combined.
  if (source?.kind !== 'flows' || !isUncut(options.window, ['global'])) return undefined
  if (dispatch.kind !== 'partition' && dispatch.kind !== 'demand') return undefined
  if (source.flows.some((flow) => flow.options.dispatcher !== undefined)) return undefined
  const [first] = operations
  if (first !== undefined && hasCombine(first) && (all || first.combine.asked)) {
    const sameKey = first.combine.parts !== undefined && isKeyOf(dispatch, first.given?.[0])
    return { kind: 'reduce', reducer: first, dispatch, sameKey }
  }
  // Each stage has events of its own that are unique there: it must be known which one gets an event.
  const known = dispatch.kind === 'partition' || stages === 1
  if (all && known && (first?.kind === 'uniq' || first?.kind === 'uniqBy')) {
    return { kind: 'uniq', operation: first, dispatch, sameKey: isKeyOf(dispatch, first.key) }
  }
  return undefined
}

/** Events are partitioned by this key: it is the same function, or both are the event itself. Texts that are equal say nothing. */
function isKeyOf(dispatch: Dispatch, key: unknown): boolean {
  return dispatch.kind === 'partition' && !dispatch.always && key !== undefined && (dispatch.given ?? itself) === key
}

/** The operations of a step that gets accumulators instead of events. */
export function combinedOperations(
  operations: readonly Operation[],
  { reducer }: { readonly reducer: CombinedReducer },
): readonly Operation[] {
  const run = ({ state }: Combined, accumulated: unknown): unknown => reducer.combine.merge(accumulated, state)
  return operations.map((operation) => (operation === reducer ? { ...reducer, run } : operation))
}

/** How accumulators find the stage that they are for. */
export function combinedDispatch(dispatch: Dispatch): Dispatch {
  if (dispatch.kind !== 'partition') return dispatch
  return { ...dispatch, route: () => (event) => (isCombined(event) ? event.partition : 0) }
}

function isCombined(event: unknown): event is Combined {
  return typeof event === 'object' && event !== null && 'partition' in event
}

function hasCombine(operation: Operation): operation is CombinedReducer {
  return 'combine' in operation && operation.combine !== undefined
}

/** A window of one of these types, whose triggers do not look at events. */
function isUncut(window: StepDefinition['options']['window'], types: readonly string[]): boolean {
  if (window === undefined) return true
  return types.includes(window.type) && window instanceof AnyWindow && window.parts.trigger === undefined
}

/** What a stage of a layer is started with: its part of the plan, and the stages before it, which run by now. */

import { processOf, type Ref, typedRef } from '../process/ref.ts'
import { StageBehaviour } from '../stage/stage-behaviour.ts'
import type { Emits, SubscribeTo } from '../stage/subscription-options.ts'
import { type Dispatch, type StepDefinition, toDemand } from './definition.ts'
import { makeDispatcher } from './dispatchers.ts'
import { DepartitionIntake } from './intake.ts'
import { Sides } from './join/sides.ts'
import type { LayerStageOptions } from './layer-stage.ts'
import type { Layer } from './plan.ts'
import type { StageCounts } from './progress/run-counts.ts'
import { Window } from './window/windows.ts'

/** Where a stage stands: in which layer of the plan, and which of its stages it is. */
export interface StagePlace {
  readonly layer: Layer
  readonly place: number
  readonly index: number
  /** What it counts for who wants to know how far the flow is. */
  readonly counts: StageCounts | undefined
}

const DEFAULT_WINDOW = Window.global()

/** A stage that a layer takes its events from, and the partition of it that one of the layer serves. */
export interface LayerInput {
  readonly to: Ref
  readonly partition?: number | undefined
}

/** The options of one stage. `inputs` are the stages of each input of its layer; it subscribes to all of them. */
export function layerStageOptions(
  { layer, place, index, counts }: StagePlace,
  inputs: readonly (readonly LayerInput[])[],
): LayerStageOptions {
  const { step, stages: total, departition, join } = layer
  const { onInit, window = DEFAULT_WINDOW } = step.options
  const sides = join && new Sides(join)
  sides?.leftComesFrom(refsOf(inputs[0]))
  return {
    label: `flow layer ${place}, stage ${index} of ${total}`,
    stage: { index, total },
    onInit,
    counts,
    combining: layer.combining,
    work: {
      operations: step.operations,
      window: window.type,
      alone: window.alone === true,
      definition: window,
      output: layer.output,
      join: sides,
      intake: sides ?? (departition && new DepartitionIntake(departition.departition, departition.partitions)),
    },
    subscribeTo: subscriptionsTo(step, inputs),
  }
}

/** What a stage of a step subscribes to. */
export function subscriptionsTo(
  { options: { maxDemand, minDemand } }: StepDefinition,
  inputs: readonly (readonly LayerInput[])[],
): readonly SubscribeTo<unknown>[] {
  return inputs.flat().map(({ to, partition }) => ({
    to: typedRef<Emits<unknown>>(to),
    cancel: 'transient',
    maxDemand,
    minDemand,
    ...(partition === undefined ? {} : { partition }),
  }))
}

export function refsOf(input: readonly LayerInput[] = []): readonly Ref[] {
  return input.map(({ to }) => to)
}

/**
 * The partition to serve, of a producer whose dispatcher has partitions; `dispatch` says what a producer has that is in another thread.
 */
export function partitionOf(
  producer: Ref,
  index: number,
  dispatch: Dispatch = toDemand,
): { readonly partition?: number } {
  const { behaviour } = processOf(producer)
  const outlet = behaviour instanceof StageBehaviour ? behaviour.outlet : undefined
  const problem = outlet === undefined ? makeDispatcher(dispatch).check?.({}) : outlet.problem({})
  return problem === undefined ? {} : { partition: index }
}

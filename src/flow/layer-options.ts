/** What a stage of a layer is started with: its part of the plan, and the stages before it, which run by now. */

import { processOf, type Ref, typedRef } from '../process/ref.ts'
import { StageBehaviour } from '../stage/stage-behaviour.ts'
import type { Emits, SubscriptionOptions } from '../stage/subscription-options.ts'
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

/** The options of one stage. `inputs` are the stages of each input of its layer; it subscribes to all of them. */
export function layerStageOptions(
  { layer, place, index, counts }: StagePlace,
  inputs: readonly (readonly Ref[])[],
): LayerStageOptions {
  const { step, stages: total, departition, join } = layer
  const { maxDemand, minDemand, onInit, window = DEFAULT_WINDOW } = step.options
  const sides = join && new Sides(join, inputs[0] ?? [])
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
    subscribeTo: inputs.flat().map((producer) => ({
      to: typedRef<Emits<unknown>>(producer),
      cancel: 'transient',
      maxDemand,
      minDemand,
      ...partitionOf(producer, index),
    })),
  }
}

/** The partition to serve, of a producer whose dispatcher has partitions. */
export function partitionOf(producer: Ref, index: number): SubscriptionOptions {
  const { behaviour } = processOf(producer)
  const outlet = behaviour instanceof StageBehaviour ? behaviour.outlet : undefined
  return outlet === undefined || outlet.problem({}) === undefined ? {} : { partition: index }
}

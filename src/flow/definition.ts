/** What a flow is: where its events come from, and what is done to them. Plain data, never changed once made. */

import type { ChildSpec } from '../otp/supervision/child-spec.ts'
import type { Class, Name } from '../process/name.ts'
import type { Ref } from '../process/ref.ts'
import type { Dispatcher } from '../stage/dispatchers/dispatcher.ts'
import type { Opening } from '../stage/interop/opening.ts'
import type { Source } from '../stage/interop/source.ts'
import type { SubscriptionOptions } from '../stage/subscription-options.ts'
import type { Departition } from './intake.ts'
import type { Join } from './join/join.ts'
import type { FlowOrigin } from './module/origin.ts'
import type { Operation } from './operation.ts'
import type { Progress } from './progress/progress.ts'
import type { Route, StepOptions } from './step-options.ts'

/** One step: a source, and operations on what it gives. */
export interface StepDefinition {
  /** `undefined` in a flow that was given none. */
  readonly source: StepSource | undefined
  readonly options: StepOptions<never>
  readonly operations: readonly Operation[]
  /** Told how far a run of the flow is. */
  readonly progress?: Progress | undefined
  /** Where another thread finds the flow; of one that is a function of a module, with nothing added to it. */
  readonly origin?: FlowOrigin | undefined
}

/** A stage that runs when the flow does: its ref, or the name that it bears then. */
export type RunningStage = Ref | Class | Name

/** A stage in the middle, running or to be started, and how it subscribes to the stages before it. */
export interface Through {
  readonly stage: RunningStage | ChildSpec
  readonly options: SubscriptionOptions
}

export type StepSource =
  | { readonly kind: 'iterables'; readonly iterables: readonly Opening<Source<unknown>>[] }
  | { readonly kind: 'stages'; readonly stages: readonly RunningStage[] }
  | { readonly kind: 'specs'; readonly specs: readonly ChildSpec[] }
  | { readonly kind: 'through'; readonly upstream: StepDefinition; readonly through: readonly Through[] }
  | { readonly kind: 'flows'; readonly flows: readonly StepDefinition[]; readonly dispatch: Dispatch }
  | {
      readonly kind: 'join'
      readonly left: StepDefinition
      readonly right: StepDefinition
      readonly join: Join
    }
  | { readonly kind: 'departition'; readonly upstream: StepDefinition; readonly departition: Departition }

/** Which stage of the next layer gets which event. */
export type Dispatch =
  | { readonly kind: 'demand' }
  | { readonly kind: 'broadcast' }
  | {
      readonly kind: 'partition'
      readonly route: Route
      /** `undefined` until the flow is planned: as many as the step has stages. */
      readonly partitions: number | undefined
      /** It may replace or drop events, so it is asked even when there is one place to go. */
      readonly always: boolean
      /** What its user gave, so that two threads can compare theirs. */
      readonly given: unknown
    }
  | { readonly kind: 'own'; readonly make: () => Dispatcher }

export const toDemand: Dispatch = { kind: 'demand' }

/** Stages of the user that a flow goes through, or into. */

import { ChildSpec } from '../otp/supervision/child-spec.ts'
import { type Class, isName, type Name } from '../process/name.ts'
import { ProcessRef, type Ref } from '../process/ref.ts'
import { show } from '../stage/show.ts'
import type { Emits, Handles, SubscriptionOptions } from '../stage/subscription-options.ts'
import type { RunningStage, Through } from './definition.ts'
import { FlowError } from './errors.ts'

/** A stage that runs: its ref, or the class or `name(Class, id)` that it bears when the flow starts. */
type Running<In, Out> =
  | Ref<Handles<In> & Partial<Emits<Out>>>
  | Class<Handles<In> & Partial<Emits<Out>>>
  | Name<Handles<In> & Partial<Emits<Out>>>

/** A stage that runs and handles the events of a flow, with the options of its subscriptions if they matter. */
export type ThroughStage<In, Out> = Running<In, Out> | ({ readonly to: Running<In, Out> } & SubscriptionOptions<In>)

/** A stage that is started with the flow, with the options of its subscriptions if they matter. */
export type ThroughSpec<In, Out> =
  | ChildSpec<Handles<In> & Partial<Emits<Out>>>
  | ({ readonly child: ChildSpec<Handles<In> & Partial<Emits<Out>>> } & SubscriptionOptions<In>)

/** @throws `FlowError` `bad_options` when there are none, or one is no stage. */
export function checkThrough(what: string, stages: unknown): readonly Through[] {
  if (!Array.isArray(stages) || stages.length === 0) {
    throw new FlowError('bad_options', `${what} expects a non-empty array of stages, got ${show(stages)}`)
  }
  return stages.map((given) => {
    if (isStage(given)) return { stage: given, options: {} }
    const { to, child, ...options } = Object(given)
    const stage: unknown = to ?? child
    if (isStage(stage)) return { stage, options }
    throw new FlowError(
      'bad_options',
      `${what}: expected a stage, { to: stage } or { child: spec }, got ${show(given)}`,
    )
  })
}

function isStage(value: unknown): value is RunningStage | ChildSpec {
  return value instanceof ProcessRef || value instanceof ChildSpec || isName(Object(value))
}

/** What begins a new step: the events of one flow or several, and which of its stages gets which. */

import type { Dispatcher } from '../stage/dispatchers/dispatcher.ts'
import { show } from '../stage/show.ts'
import { type Dispatch, type StepDefinition, toDemand } from './definition.ts'
import { FlowError } from './errors.ts'
import { checkStepOptions, routeOf, type StepOptions } from './step-options.ts'

/** Who gets which event of a `merge`. */
export type MergeDispatcher = 'demand' | 'broadcast' | (() => Dispatcher)

/** The options of a partition, whatever its events. */
export type AnyPartitionOptions = StepOptions<never> & { readonly key?: unknown; readonly hash?: unknown }

export function partitionOf(
  flows: readonly StepDefinition[],
  { key, hash, ...options }: AnyPartitionOptions,
): StepDefinition {
  checkStepOptions('partition', options, ['key', 'hash'])
  const route = routeOf({ key, hash })
  const always = hash !== undefined
  const dispatch: Dispatch = { kind: 'partition', route, partitions: undefined, always, given: hash ?? key }
  return { source: { kind: 'flows', flows, dispatch }, options, operations: [] }
}

export function shuffleOf(flows: readonly StepDefinition[], options: StepOptions<never>): StepDefinition {
  checkStepOptions('shuffle', options)
  return { source: { kind: 'flows', flows, dispatch: toDemand }, options, operations: [] }
}

export function mergeOf(
  flows: readonly StepDefinition[],
  dispatcher: MergeDispatcher,
  options: StepOptions<never>,
): StepDefinition {
  checkStepOptions('merge', options)
  return { source: { kind: 'flows', flows, dispatch: dispatchOf(dispatcher) }, options, operations: [] }
}

function dispatchOf(dispatcher: unknown): Dispatch {
  if (dispatcher === 'demand' || dispatcher === 'broadcast') return { kind: dispatcher }
  if (isMaker(dispatcher)) return { kind: 'own', make: dispatcher }
  throw new FlowError(
    'bad_options',
    `dispatcher of merge: expected 'demand', 'broadcast' or a function that makes a dispatcher, got ${show(dispatcher)}`,
  )
}

function isMaker(dispatcher: unknown): dispatcher is () => Dispatcher {
  return typeof dispatcher === 'function'
}

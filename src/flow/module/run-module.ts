/** Running a flow of a module. */

import { show } from '../../stage/show.ts'
import { FlowError } from '../errors.ts'
import type { FlowRunOptions } from '../run-options.ts'
import { FlowModule } from './flow-module.ts'

/**
 * Runs a flow that a module defines with parameters, and gives all its events in one array; `module.bound(params)` is the flow for
 * everything else that can be done with one.
 *
 * @example
 * ```ts
 * import { runFlow } from 'sluice/flow'
 * import { wordCount } from './word-count.ts'
 *
 * const counts = await runFlow(wordCount, { path: 'poem.txt' })
 * ```
 * @throws `FlowError` as `flow` of the module and `toArray` of the flow.
 */
export function runFlow<T>(module: FlowModule<undefined, T>, params?: undefined, options?: FlowRunOptions): Promise<T[]>
export function runFlow<P, T>(module: FlowModule<P, T>, params: P, options?: FlowRunOptions): Promise<T[]>
export async function runFlow<P, T>(module: FlowModule<P, T>, params: P, options?: FlowRunOptions): Promise<T[]> {
  if (!(module instanceof FlowModule)) {
    throw new FlowError('bad_options', `runFlow: expected a flow made with defineFlow, got ${show(module)}`)
  }
  return await module.bound(params).toArray(options)
}

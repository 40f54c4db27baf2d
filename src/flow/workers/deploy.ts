/** Whether a flow runs in workers; worker threads are loaded only when one does. */

import type { StepDefinition } from '../definition.ts'
import type { FlowRunOptions } from '../run-options.ts'
import type { Deployment } from './deployment.ts'
import type { WorkerRun } from './worker-run.ts'

/**
 * Where the stages of a run are; `undefined` when all are in this thread.
 *
 * @throws `FlowError` `bad_flow` for a flow that cannot run in workers.
 */
export async function deploy(
  flow: StepDefinition,
  workers: FlowRunOptions['workers'],
  ending: WorkerRun['ending'],
): Promise<Deployment | undefined> {
  if (workers === undefined) return undefined
  const { Deployment } = await import('./deployment.ts')
  return new Deployment(flow, workers, ending)
}

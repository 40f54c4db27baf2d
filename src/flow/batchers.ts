/** The functions of `mapBatch`, one after another. */

import { isPromise } from '../otp/server-behaviour.ts'
import { show } from '../stage/show.ts'
import { FlowError } from './errors.ts'
import type { BatchOperation, Eventually, FlowStage, Operation } from './operation.ts'

type Events = readonly unknown[]

/** Those of a step. */
export function batchersOf(operations: readonly Operation[]): readonly BatchOperation[] {
  return operations.filter((operation) => operation.kind === 'mapBatch')
}

/** What a batch becomes. @throws `FlowError` `bad_return` for a function that gives no array. */
export function throughBatchers(
  batchers: readonly BatchOperation[],
  given: Events,
  stage: FlowStage,
): Eventually<Events> {
  let events = given
  for (const [index, { run }] of batchers.entries()) {
    const result: unknown = run(events, stage)
    if (isPromise(result)) return throughRest(batchers.slice(index + 1), result, stage)
    events = batchOf(result)
  }
  return events
}

async function throughRest(
  batchers: readonly BatchOperation[],
  pending: PromiseLike<unknown>,
  stage: FlowStage,
): Promise<Events> {
  let events = batchOf(await pending)
  for (const { run } of batchers) events = batchOf(await run(events, stage))
  return events
}

function batchOf(result: unknown): Events {
  if (Array.isArray(result)) return result
  throw new FlowError(
    'bad_return',
    `a function given to mapBatch returned ${show(result)}, expected an array of events`,
  )
}

/** How the stages of a pipeline let go of each other when it ends: from the producers on, behind what they have emitted. */

import { serverOf } from '../../otp/gen-server.ts'
import type { Stage } from '../../stage/stage.ts'
import { StageBehaviour } from '../../stage/stage-behaviour.ts'
import { asyncInfo } from '../../stage/subscribe.ts'

/** Comes to a stage when all that it had emitted has been taken: now its consumers are cancelled. */
export const LEAVE: unique symbol = Symbol('leave')

/** Has a stage cancel its consumers when what it has emitted until now has been taken. */
export function leaveSoon(stage: Stage): void {
  asyncInfo(stage.self, LEAVE)
}

/** Cancels the subscriptions of those who consume what a stage emits. */
export function cancelConsumers(stage: Stage): void {
  const behaviour = serverOf(stage)
  if (!(behaviour instanceof StageBehaviour)) return
  for (const subscription of behaviour.outlet?.consumers ?? []) subscription.cancel('shutdown')
}

/**
 * Waiting until what is on its way has come to its end. Each stage says when all that it had when it was asked has gone on, one kind
 * of stages after the other, so that nothing has to be counted, and a stage that dies on the way has nothing left to wait for.
 */

import { serverOf } from '../../otp/gen-server.ts'
import type { Later } from '../../process/later.ts'
import type { Name } from '../../process/name.ts'
import type { Runtime } from '../../process/runtime.ts'
import type { Stage } from '../../stage/stage.ts'
import { StageBehaviour } from '../../stage/stage-behaviour.ts'
import { allTaken } from './producer-stage.ts'

/** A stage behind the producers. */
interface Passing {
  /** Replies when what it has now has been handled, and taken by those behind it. */
  passed(): unknown
}

export interface Barrier {
  readonly producers: readonly Name[]
  /** The stages of each kind, in the order in which messages go through them. */
  readonly behind: readonly (readonly Name<Passing>[])[]
}

/** Resolves when all that the producers have emitted until now has been acknowledged, or was lost with a stage. */
export async function pass({ producers, behind }: Barrier, runtime: Runtime): Promise<void> {
  await Promise.allSettled(
    producers.map((name) => {
      const producer = name.holder(runtime)
      return producer && allTaken(producer)
    }),
  )
  for (const stages of behind) {
    await Promise.allSettled(stages.map((stage) => stage.with({ timeout: Infinity }).call.passed()))
  }
}

/** Comes to a stage when what it had has been taken. */
export class Passed {
  readonly later: Later<void>

  constructor(later: Later<void>) {
    this.later = later
  }
}

/** Has `message` come to a stage that emits, behind all that it has now. */
export function behindAll(stage: Stage, message: Passed): Later<void> {
  const behaviour = serverOf(stage)
  if (behaviour instanceof StageBehaviour) behaviour.queueInfo(message)
  return message.later
}

/** What callbacks are given of the stage that they run in, and how an accumulator can have its window fire. */

import { show } from '../stage/show.ts'
import type { Stage } from '../stage/stage.ts'
import { FlowError } from './errors.ts'
import type { FlowStage, StageContext } from './operation.ts'
import { checkTriggerName } from './window/trigger-name.ts'
import type { TriggerName } from './window/window.ts'

/** One object for all callbacks of a stage. Its signal is made when the first of them asks for it. */
export class StageOfCallbacks implements FlowStage {
  readonly index: number
  readonly total: number
  readonly #stage: Stage

  constructor(stage: Stage, { index, total }: Pick<FlowStage, 'index' | 'total'>) {
    this.#stage = stage
    this.index = index
    this.total = total
  }

  get signal(): AbortSignal {
    return this.#stage.signal
  }
}

/** What an accumulator is made with; `fire` is how the stage fires its windows. */
export function stageContext(
  stage: FlowStage,
  fire: { now(name: TriggerName): void; after(ms: number, name: TriggerName): void },
): StageContext {
  return {
    index: stage.index,
    total: stage.total,
    get signal() {
      return stage.signal
    },
    trigger: (name) => fire.now(checkTriggerName('trigger', name)),
    triggerAfter(ms, name) {
      checkTriggerName('triggerAfter', name)
      if (typeof ms !== 'number' || !(ms >= 0)) {
        throw new FlowError('bad_return', `triggerAfter: expected milliseconds, a number >= 0, got ${show(ms)}`)
      }
      fire.after(ms, name)
    },
  }
}

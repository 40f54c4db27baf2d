/** Stages in other threads: what is known here of the processes that stand for them. */

import type { Process } from '../process/process.ts'
import type { StageInfo } from './stage-info.ts'

const kinds = new WeakMap<Process, StageInfo['kind']>()

/** A process stands for a stage in another thread: messages of the protocol may be sent to it. */
export function standsForStage(process: Process, kind: StageInfo['kind']): void {
  kinds.set(process, kind)
}

/** What kind of stage a process stands for; `undefined` when it stands for none. */
export function distantKind(process: Process): StageInfo['kind'] | undefined {
  return kinds.get(process)
}

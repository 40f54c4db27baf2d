/** The stages that what a stage emits goes to. */

import type { Process } from '../process/process.ts'
import { processOf } from '../process/ref.ts'
import { StageBehaviour } from './stage-behaviour.ts'

/** The consumers of a stage, theirs, and so on. */
export function downstreamOf(process: Process): ReadonlySet<Process> {
  const found = new Set<Process>()
  const follow = ({ behaviour }: Process): void => {
    if (!(behaviour instanceof StageBehaviour)) return
    for (const { consumer } of behaviour.outlet?.consumers ?? []) {
      const next = processOf(consumer)
      if (found.has(next)) continue
      found.add(next)
      follow(next)
    }
  }
  follow(process)
  return found
}

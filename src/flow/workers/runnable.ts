/** Whether a flow can run in worker threads, and if not, what to do about it. */

import { realpathSync } from 'node:fs'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import type { StepDefinition } from '../definition.ts'
import { FlowError } from '../errors.ts'
import type { FlowOrigin } from '../module/origin.ts'

/** Where the workers find the flow. @throws `FlowError` `bad_flow`. */
export function checkCanRun(flow: StepDefinition): FlowOrigin {
  const { origin } = flow
  if (origin === undefined) {
    throw new FlowError(
      'bad_flow',
      'workers: this flow is made of functions of this thread, which cannot be sent to another one. Make it a function of a module, export const counts = defineFlow(import.meta, (params) => Flow.from(...)...), with all of its operations, and run that: runFlow(counts, params, { workers: 2 })',
    )
  }
  if (isEntry(origin.url)) {
    throw new FlowError(
      'bad_flow',
      `workers: the flow is defined in ${origin.url}, the module that the program begins with. Each worker would run the program again: define the flow in a module of its own, and import it`,
    )
  }
  checkSteps(flow)
  return origin
}

function isEntry(url: string): boolean {
  const [, entry] = argv
  if (entry === undefined || !url.startsWith('file:')) return false
  try {
    return realpathSync(entry) === realpathSync(fileURLToPath(url))
  } catch {
    return false
  }
}

/** What belongs to the thread of the program cannot be in the middle of what is in workers. */
function checkSteps({ source, progress }: StepDefinition): void {
  if (progress !== undefined) {
    throw new FlowError('bad_flow', 'workers: a flow in workers counts nothing yet, so it takes no withProgress')
  }
  switch (source?.kind) {
    case 'flows':
      for (const flow of source.flows) checkSteps(flow)
      return
    case 'join':
      checkSteps(source.left)
      return checkSteps(source.right)
    case 'departition':
      return checkSteps(source.upstream)
    case 'stages':
    case 'specs':
    case 'through':
      throw new FlowError(
        'bad_flow',
        `workers: the flow begins with, or goes through, stages of the program (${NAMES[source.kind]}), which other threads do not have: use Flow.from, or leave out workers`,
      )
  }
}

const NAMES = {
  stages: 'fromStages',
  specs: 'fromSpecs',
  through: 'throughStages or throughSpecs',
}

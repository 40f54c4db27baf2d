/** One run of a flow in several threads, as all of them have to know it. */

import type { StepDefinition } from '../definition.ts'
import type { FlowOrigin } from '../module/origin.ts'
import { type Ending, type Plan, planFlow } from '../plan.ts'

/** Plain data. */
export interface WorkerRun {
  /** The same for all threads of the run, and for no other. */
  readonly id: number
  readonly origin: FlowOrigin
  /** How many workers there are. */
  readonly workers: number
  /** What becomes of the events at the end: the program consumes them, nobody does, or others subscribe. */
  readonly ending: 'events' | 'none' | 'producers'
}

/** The plan of a run: the same in each thread that has the same flow. */
export function planRun(flow: StepDefinition, { workers, ending }: Pick<WorkerRun, 'workers' | 'ending'>): Plan {
  const end: Ending =
    ending === 'producers'
      ? { kind: 'producers', dispatch: { kind: 'demand' } }
      : { kind: 'consumers', output: ending, apart: true }
  return planFlow(flow, end, { combineAll: true, stages: workers })
}

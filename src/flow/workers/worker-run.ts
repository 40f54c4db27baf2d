/** One run of a flow in several threads, as all of them have to know it. */

import { type StepDefinition, toDemand } from '../definition.ts'
import type { FlowOrigin } from '../module/origin.ts'
import type { Operation } from '../operation.ts'
import { type Ending, type Plan, planFlow } from '../plan.ts'

/** Plain data. */
export interface WorkerRun {
  /** The same for all threads of the run, and for no other. */
  readonly id: number
  readonly origin: FlowOrigin
  /** How many workers there are. */
  readonly workers: number
  /** What becomes of the events at the end: the program consumes them, is told how many, nobody wants them, or others subscribe. */
  readonly ending: 'events' | 'count' | 'none' | 'producers'
}

/** The plan of a run: the same in each thread that has the same flow. */
export function planRun(flow: StepDefinition, { workers, ending }: Pick<WorkerRun, 'workers' | 'ending'>): Plan {
  const end: Ending =
    ending === 'producers'
      ? { kind: 'producers', dispatch: toDemand }
      : { kind: 'consumers', output: ending === 'none' ? 'none' : 'events', apart: true }
  return planFlow(ending === 'count' ? counted(flow) : flow, end, { combineAll: true, stages: workers })
}

/** How many events there are of a flow. Where they are made they are counted, because accumulators are combined. */
function counted(flow: StepDefinition): StepDefinition {
  const source = { kind: 'flows', flows: [flow], dispatch: toDemand } as const
  return { source, options: { stages: 1 }, operations: COUNT, origin: flow.origin }
}

const COUNT: readonly Operation[] = [
  {
    kind: 'reduce',
    initial: () => 0,
    run: (_event, count) => Number(count) + 1,
    combine: { asked: false, merge: (count, other) => Number(count) + Number(other) },
  },
  { kind: 'emit', given: ['state'], run: (count) => [[count], count] },
]

/** The process of a task. */

import { ProcessError } from '../../process/errors.ts'
import { type Outcome, runIn } from '../../process/plain.ts'
import { Process } from '../../process/process.ts'
import { TaskContext, type TaskFunction, type Tasks } from './task-context.ts'

/** What it takes to start the process of a task. */
export interface TaskProcessPlan {
  /** Who asked for it. */
  readonly owner: Process
  readonly parent: Process
  readonly label: string
  readonly run: TaskFunction<unknown>
  /** Called when it is dead, before anybody else hears of it. */
  readonly ended?: ((outcome: Outcome) => void) | undefined
}

/** Starts the process of a task, linked to nobody. @param tasks How it starts tasks of its own. */
export function spawnTask({ owner, parent, label, run, ended }: TaskProcessPlan, tasks: Tasks): Process {
  const process = new Process(owner.runtime, parent, label)
  runIn(new TaskContext(process, owner, tasks), run, ended)
  return process
}

/** What reports call a task. */
export function labelOf(run: (...args: never[]) => unknown): string {
  if (typeof run === 'function') return run.name || 'task'
  throw new ProcessError('bad_argument', `a task runs a function, got ${String(run)}`)
}

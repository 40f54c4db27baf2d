/** The processes of the program, in the order of their start. */

import { type ChildSpec, child, name } from 'sluice'
import { Progress, type ProgressOptions } from '../command-line/progress.ts'
import { Board, type BoardOptions } from './board.ts'
import { JobRegistry } from './job-registry.ts'
import { JobRunner, type JobRunnerOptions } from './job-runner.ts'
import { Jobber, type JobberOptions } from './jobber.ts'
import { progressLine } from './report.ts'
import { Submitter, type SubmitterOptions } from './submitter.ts'

export interface TreeOptions extends JobRunnerOptions, JobberOptions, BoardOptions, SubmitterOptions {
  readonly progress?: ProgressOptions | undefined
}

/**
 * What is needed by others stands before them, so it starts before and stops after them: at the end nobody hands in orders
 * any more, then the jobs come to an end, then the board tells how they stand. For `rest_for_one` and `any_significant`.
 */
export function tree(options: TreeOptions): readonly ChildSpec[] {
  const { orders, tell, finish, maxJobs, works, quotas, retry, grace, busy, progress } = options
  return [
    child(JobRegistry, { name: JobRegistry }),
    // What is known dies with the board, and the run with it.
    child(Board, { name: Board, arg: { orders, tell, finish }, restart: 'temporary', significant: true }),
    child(JobRunner, { name: JobRunner, arg: { maxJobs } }),
    child(Jobber, { name: Jobber, arg: { works, quotas, retry, grace } }),
    child(Submitter, { name: Submitter, arg: { busy }, restart: 'transient', significant: true }),
    ...(progress === undefined ? [] : [child(Progress, { arg: { ...progress, line } })]),
  ]
}

async function line() {
  return progressLine(await name(Board).call.jobs())
}

/** The supervisor of the supervisors: jobs come and go, each in a tree of its own. */

import { DynamicSupervisor } from 'sluice'

export interface JobRunnerOptions {
  /** Jobs at the same time, of all types. */
  readonly maxJobs: number
}

export class JobRunner extends DynamicSupervisor {
  constructor({ maxJobs }: JobRunnerOptions) {
    super({ maxChildren: maxJobs })
  }
}

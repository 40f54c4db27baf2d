/** Every job has a supervisor of its own, so that one that always crashes takes nobody with it. */

import { child, Supervisor } from 'sluice'
import { Job, type JobOptions } from './job.ts'

export interface JobSupervisorOptions extends JobOptions {
  /** Milliseconds for the job to come to an end when the program stops. */
  readonly grace: number
}

/** Starts the job again when it crashes, three times within 30 seconds; ends when the job has ended. */
export class JobSupervisor extends Supervisor {
  constructor({ grace, ...arg }: JobSupervisorOptions) {
    super({
      strategy: 'one_for_one',
      maxRestarts: 3,
      maxSeconds: 30,
      autoShutdown: 'any_significant',
      children: [child(Job, { arg, restart: 'transient', significant: true, shutdown: grace })],
    })
  }
}

/** Does one job after the other, and asks for the next when it is done. */

import { Consumer } from 'sluice'
import { type Job, Jobs } from './jobs.ts'

export interface WorkerOptions {
  readonly begin: (job: Job) => void
  readonly end: (job: Job) => void
}

export class Worker extends Consumer<Job> {
  readonly #options: WorkerOptions

  constructor(options: WorkerOptions) {
    // One at a time: what waits stays in the queue, for whichever worker is free first.
    super({ subscribeTo: [{ to: Jobs, maxDemand: 1 }] })
    this.#options = options
  }

  override async handleEvents([job]: readonly Job[]) {
    if (job === undefined) return
    this.#options.begin(job)
    await this.sleep(job.ms)
    this.#options.end(job)
  }
}

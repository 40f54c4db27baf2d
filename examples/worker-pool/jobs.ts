/** The queue: jobs come from outside, and wait here until a worker asks. */

import { type Overflow, QueueProducer } from 'sluice'

export interface Job {
  readonly id: number
  /** Milliseconds that it takes. */
  readonly ms: number
}

export interface JobsOptions {
  readonly capacity: number
  readonly overflow: Overflow
  readonly dropped: (count: number) => void
}

export class Jobs extends QueueProducer<Job> {
  readonly #dropped: JobsOptions['dropped']

  constructor({ capacity, overflow, dropped }: JobsOptions) {
    super({ capacity, overflow })
    this.#dropped = dropped
  }

  /** With `drop_newest` and `drop_oldest`: counted here, and kept out of the log. */
  override formatDiscarded(count: number) {
    this.#dropped(count)
    return false
  }
}

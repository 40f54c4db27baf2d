/** What is known of the workers and of the client: they write it, the picture reads it. */

import type { Job } from './jobs.ts'

export class Pool {
  /** What each worker does, if anything. */
  readonly workers: (Job | undefined)[]
  done = 0
  refused = 0
  dropped = 0
  /** What the client does. */
  client = ''
  readonly #began = performance.now()

  constructor(workers: number) {
    this.workers = Array.from({ length: workers }, () => undefined)
  }

  /** Milliseconds since it began. */
  get elapsed(): number {
    return performance.now() - this.#began
  }
}

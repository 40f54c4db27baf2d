/** Runs work inside a process at a time of its clock: one timer, whatever number of things wait for theirs. */

import type { Timer } from '../process/clock.ts'
import { errand, type Method, type Tag } from '../process/message.ts'
import type { Process } from '../process/process.ts'

export class WakeUp {
  readonly #process: Process
  readonly #message: Tag<unknown[], Method>
  #timer: Timer | undefined = undefined
  #at = Infinity

  constructor(process: Process, work: () => void) {
    this.#process = process
    this.#message = errand(work)
  }

  /** Does the work at `at`, or sooner when that was asked for before: then it may ask again. */
  by(at: number): void {
    if (at >= this.#at) return
    this.#timer?.cancel()
    this.#at = at
    const ms = Math.max(0, at - this.#process.runtime.clock.now())
    // Messages that wait do not keep the program alive; who waits for them does.
    this.#timer = this.#process.setTimer(
      ms,
      () => {
        this.#timer = undefined
        this.#at = Infinity
        this.#process.deliver(this.#message, [])
      },
      false,
    )
  }
}

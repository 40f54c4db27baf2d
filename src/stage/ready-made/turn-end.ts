/** Work that a process does for a whole turn of the event loop at once. */

import { errand, type Method, type Tag } from '../../process/message.ts'
import type { Process } from '../../process/process.ts'

export class TurnEnd {
  readonly #process: Process
  readonly #message: Tag<unknown[], Method>
  #requested = false

  /** @param work Runs inside the process, as a message: what it throws is a crash of the process. */
  constructor(process: Process, work: () => void) {
    this.#process = process
    this.#message = errand(() => {
      this.#requested = false
      work()
    })
  }

  /** Does the work when this turn is over, once, however often it is requested. */
  request(): void {
    if (this.#requested) return
    this.#requested = true
    this.#process.runtime.atTurnEnd(() => this.#process.deliver(this.#message, []))
  }
}

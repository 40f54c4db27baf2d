/** Wakes a process at a time of its clock, with one timer. */

import type { Timer } from '../../process/clock.ts'
import { errand } from '../../process/message.ts'
import type { Process } from '../../process/process.ts'

/** Being woken is a message, and after each message a gate looks what there is to do. */
const WAKE = errand(function wake() {})

export class Alarm {
  readonly #process: Process
  #timer: Timer | undefined = undefined
  #at = Infinity

  constructor(process: Process) {
    this.#process = process
  }

  /** Wakes the process at `at`, or sooner if that was asked for before: then it may ask again. */
  wakeBy(at: number): void {
    if (at >= this.#at) return
    this.cancel()
    if (at === Infinity) return
    this.#at = at
    const ms = Math.max(0, at - this.#process.runtime.clock.now())
    this.#timer = this.#process.setTimer(ms, () => {
      this.#timer = undefined
      this.#at = Infinity
      this.#process.deliver(WAKE, [])
    })
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#at = Infinity
  }
}

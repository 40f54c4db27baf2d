/**
 * Tells of events that came too late for their windows and were dropped: to telemetry at once, to the log at most once a second, because
 * a source that is behind sends many.
 */

import type { Process } from '../process/process.ts'
import { channels } from '../telemetry/channels.ts'

/** Milliseconds between two lines. */
const QUIET = 1000

export class LateEvents {
  readonly #process: Process
  readonly #window: string
  /** Since the last line. */
  #unlogged = 0
  #quiet = false

  constructor(process: Process, window: string) {
    this.#process = process
    this.#window = window
    process.onEnd(() => this.#log())
  }

  add(count: number): void {
    const { id } = this.#process
    if (channels.flowLate.hasSubscribers) {
      channels.flowLate.publish({ id, stage: `${this.#process}`, window: this.#window, events: count })
    }
    this.#unlogged += count
    // Behind what is in hand, so that the first line tells of the whole batch.
    if (!this.#quiet) this.#wait(0)
  }

  #wait(ms: number): void {
    this.#quiet = true
    this.#process.setTimer(
      ms,
      () => {
        this.#quiet = false
        if (this.#unlogged === 0) return
        this.#log()
        this.#wait(QUIET)
      },
      false,
    )
  }

  #log(): void {
    const dropped = this.#unlogged
    this.#unlogged = 0
    if (dropped === 0) return
    const process = `${this.#process}`
    this.#process.runtime.logger.warn(
      { process, dropped },
      `${process} dropped ${dropped} late events: their ${this.#window} windows were over; see allowedLateness, or sort what comes in`,
    )
  }
}

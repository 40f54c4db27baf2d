/**
 * Tells of events that a stage had to drop: to its `formatDiscarded` and to telemetry once a turn, to the log at most once a
 * second, because an overload is no time to write a line an event.
 */

import type { Process } from '../../process/process.ts'
import { channels } from '../../telemetry/channels.ts'
import { TurnEnd } from './turn-end.ts'

/** Milliseconds between two lines. */
const QUIET = 1000

export class Discards {
  readonly #process: Process
  /** `formatDiscarded` of the stage: false when it tells of them itself. */
  readonly #reports: (count: number) => boolean
  /** What to do about it, for the text. */
  readonly #advice: string
  /** All of them, since the start. */
  total = 0
  /** In this turn. */
  #fresh = 0
  /** Since the last line. */
  #unlogged = 0
  #quiet = false
  readonly #turnEnd: TurnEnd

  constructor(process: Process, reports: (count: number) => boolean, advice: string) {
    this.#process = process
    this.#reports = reports
    this.#advice = advice
    this.#turnEnd = new TurnEnd(process, () => this.#report())
  }

  add(count: number): void {
    if (count <= 0) return
    this.total += count
    this.#fresh += count
    this.#turnEnd.request()
  }

  #report(): void {
    const count = this.#fresh
    this.#fresh = 0
    const { id } = this.#process
    if (channels.stageDiscard.hasSubscribers) {
      channels.stageDiscard.publish({ id, stage: `${this.#process}`, events: count })
    }
    if (!this.#reports(count)) return
    this.#unlogged += count
    if (!this.#quiet) this.#log()
  }

  #log(): void {
    const discarded = this.#unlogged
    this.#unlogged = 0
    this.#quiet = discarded > 0
    if (discarded === 0) return
    const { runtime } = this.#process
    const process = `${this.#process}`
    runtime.logger.warn({ process, discarded }, `${process} discarded ${discarded} events: ${this.#advice}`)
    this.#process.setTimer(QUIET, () => this.#log(), false)
  }
}

/**
 * Finds messages that the pipeline has lost. A stage that dies takes messages with it, and nobody knows which: those that were in
 * the pipeline then, and that nobody has answered for after a while, are taken for lost. Those that are not, and only took long,
 * are handled twice.
 */

import { isOrderly } from '../../process/exit-reason.ts'
import type { Process } from '../../process/process.ts'
import { downstreamOf } from '../../stage/downstream.ts'
import type { Deliveries } from './deliveries.ts'

/** It looks so much sooner the first time, when a pipeline may still be starting. */
const STARTING = 8

export class LossWatch {
  readonly #process: Process
  readonly #interval: number
  #deliveries: Deliveries | undefined = undefined
  /** Where the messages may be, when it looked last. */
  #stages: ReadonlySet<Process> = new Set()
  /** The pipeline has all its stages: new ones are replacements. */
  #started = false
  #watching = false
  /** Messages were lost since it looked last. */
  #lossy = false
  /** Tags of those that may be lost. */
  #suspects: readonly number[] = []

  constructor(process: Process, interval: number) {
    this.#process = process
    this.#interval = interval
    for (let at: Process | undefined = process; at !== undefined; at = at.parent)
      if (at.restarts > 0) this.#started = true
  }

  /** Messages came. */
  watch(deliveries: Deliveries): void {
    if (this.#deliveries !== deliveries) {
      this.#deliveries = deliveries
      this.#suspects = []
    }
    if (this.#watching) return
    this.#stages = downstreamOf(this.#process)
    this.#lookLater()
  }

  /** A stage died, or the buffer was full: messages are gone. */
  lost(): void {
    this.#lossy = true
  }

  #lookLater(): void {
    this.#watching = true
    const ms = this.#started ? this.#interval : Math.ceil(this.#interval / STARTING)
    this.#process.setTimer(ms, () => this.#look(), false)
  }

  #look(): void {
    this.#watching = false
    const deliveries = this.#deliveries
    if (deliveries === undefined || deliveries.gone !== undefined) return
    this.#requeue(deliveries)
    this.#suspects = this.#lossy || this.#stageDied ? deliveries.unanswered.tags() : []
    this.#lossy = false
    this.#started = true
    this.#stages = downstreamOf(this.#process)
    if (deliveries.unanswered.size > 0) this.#lookLater()
  }

  #requeue(deliveries: Deliveries): void {
    const lost = this.#suspects.filter((tag) => deliveries.unanswered.has(tag))
    if (lost.length === 0) return
    const process = this.#process
    process.runtime.logger.warn(
      { process: `${process}`, messages: lost.length },
      `${lost.length} messages of ${process} were lost when a stage died or a buffer was full; they are requeued`,
    )
    try {
      deliveries.answer(new Map(lost.map((tag) => [tag, 'requeue'])))
    } catch {
      // The channel is closing, which requeues everything.
    }
  }

  /** A stage died since it looked last; or one took the place of another, which came and died in the meantime. */
  get #stageDied(): boolean {
    for (const { alive, exitReason } of this.#stages) if (!alive && !isOrderly(exitReason ?? 'normal')) return true
    if (!this.#started) return false
    for (const stage of downstreamOf(this.#process)) if (!this.#stages.has(stage)) return true
    return false
  }
}

/**
 * Finds messages that the pipeline has lost. A stage that dies takes messages with it, and nobody knows which: those that were in
 * the pipeline then, and that nobody has answered for after a while, are taken for lost. Those that are not, and only took long,
 * are handled twice.
 */

import { DownstreamWatch } from '../../connector/downstream-watch.ts'
import type { Process } from '../../process/process.ts'
import type { Deliveries } from './deliveries.ts'

export class LossWatch {
  readonly #process: Process
  readonly #interval: number
  #deliveries: Deliveries | undefined = undefined
  readonly #watch: DownstreamWatch
  #watching = false
  /** Tags of those that may be lost. */
  #suspects: readonly number[] = []

  constructor(process: Process, interval: number) {
    this.#process = process
    this.#interval = interval
    this.#watch = new DownstreamWatch(process)
  }

  /** Messages came. */
  watch(deliveries: Deliveries): void {
    if (this.#deliveries !== deliveries) {
      this.#deliveries = deliveries
      this.#suspects = []
    }
    if (this.#watching) return
    this.#watch.remember()
    this.#lookLater()
  }

  /** A stage died, or the buffer was full: messages are gone. */
  lost(): void {
    this.#watch.lost()
  }

  #lookLater(): void {
    this.#watching = true
    this.#process.setTimer(Math.ceil(this.#watch.after(this.#interval)), () => this.#look(), false)
  }

  #look(): void {
    this.#watching = false
    const deliveries = this.#deliveries
    if (deliveries === undefined || deliveries.gone !== undefined) return
    this.#requeue(deliveries)
    this.#suspects = this.#watch.look() ? deliveries.unanswered.tags() : []
    this.#watch.remember()
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
}

/**
 * Keeps messages from being delivered again while the pipeline has them: each gets more time twice in a visibility timeout, all
 * in one call. When the process ends so does this, and what it held goes to others.
 *
 * A stage that dies takes messages with it, and nobody knows which: from then on none of those that the pipeline had gets more
 * time. Those that are lost come again, and those that are not are answered for in time, or handled twice.
 */

import { isOrderly } from '../../process/exit-reason.ts'
import type { Process } from '../../process/process.ts'
import { downstreamOf } from '../../stage/downstream.ts'
import type { Receipt } from '../message.ts'

/** The heart beats so much faster the first time, when a pipeline may still be starting. */
const STARTING = 8

export class Heartbeat {
  readonly #process: Process
  readonly #interval: number
  readonly #maxExtension: number
  readonly #extend: (receipts: readonly Receipt[]) => Promise<readonly Receipt[]>
  /** Since when the pipeline has a message, in milliseconds. */
  readonly #held = new Map<Receipt, number>()
  /** Where the messages may be, when the heart beat last. */
  #stages: ReadonlySet<Process> = new Set()
  /** The pipeline has all its stages: new ones are replacements. */
  #started: boolean
  #beating = false
  /** Messages were lost since the heart beat last. */
  #lossy = false

  constructor(
    process: Process,
    { visibilityTimeout, maxExtension }: { readonly visibilityTimeout: number; readonly maxExtension: number },
    extend: (receipts: readonly Receipt[]) => Promise<readonly Receipt[]>,
  ) {
    this.#process = process
    this.#interval = visibilityTimeout / 2
    this.#maxExtension = maxExtension
    this.#extend = extend
    this.#started = isRestarted(process)
  }

  hold(receipt: Receipt): void {
    this.#held.set(receipt, this.#process.runtime.clock.now())
    this.#start()
  }

  release(receipt: Receipt): void {
    this.#held.delete(receipt)
  }

  /** A stage died, and took messages with it. */
  lost(): void {
    this.#lossy = true
  }

  #start(): void {
    if (this.#beating) return
    this.#beating = true
    this.#stages = downstreamOf(this.#process)
    const ms = this.#started ? this.#interval : this.#interval / STARTING
    this.#process.setTimer(ms, () => this.#beat(), false)
  }

  #beat(): void {
    this.#beating = false
    if (this.#lossy || this.#stageDied) this.#held.clear()
    this.#lossy = false
    this.#started = true
    const tooOld = this.#process.runtime.clock.now() - this.#maxExtension
    for (const [receipt, since] of this.#held) {
      // They are in the order in which they came.
      if (since > tooOld) break
      this.#held.delete(receipt)
    }
    if (this.#held.size === 0) return
    this.#start()
    this.#extend([...this.#held.keys()]).then(
      (late) => {
        for (const receipt of late) this.#held.delete(receipt)
      },
      // The queue does not run. It may when the heart beats next.
      () => {},
    )
  }

  /** A stage died since the heart beat last; or one took the place of another, which came and died in the meantime. */
  get #stageDied(): boolean {
    for (const { alive, exitReason } of this.#stages) if (!alive && !isOrderly(exitReason ?? 'normal')) return true
    if (!this.#started) return false
    for (const stage of downstreamOf(this.#process)) if (!this.#stages.has(stage)) return true
    return false
  }
}

/** A supervisor started it again, or a part of the tree that it is in. */
function isRestarted(process: Process): boolean {
  for (let at: Process | undefined = process; at !== undefined; at = at.parent) if (at.restarts > 0) return true
  return false
}

/**
 * Keeps messages that a server lends for a time from being delivered again while the pipeline has them: each gets more time twice in
 * that time, all in one call. When the process ends so does this, and what it held goes to others.
 *
 * A stage that dies takes messages with it, and nobody knows which: from then on none of those that the pipeline had gets more
 * time. Those that are lost come again, and those that are not are answered for in time, or handled twice.
 */

import type { Process } from '../process/process.ts'
import { DownstreamWatch } from './downstream-watch.ts'

export interface HeartbeatOptions {
  /** Milliseconds for which the server lends a message. */
  readonly lease: number
  /** Milliseconds after which a message is kept no longer. */
  readonly maxExtension: number
}

/** `Receipt` is what the server knows a delivery by. */
export class Heartbeat<Receipt> {
  readonly #process: Process
  readonly #options: HeartbeatOptions
  readonly #extend: (receipts: readonly Receipt[]) => Promise<readonly Receipt[]>
  /** Since when the pipeline has a message, in milliseconds. */
  readonly #held = new Map<Receipt, number>()
  readonly #watch: DownstreamWatch
  #beating = false

  /** @param extend Gives them more time; resolves with those for which it was too late. */
  constructor(
    process: Process,
    options: HeartbeatOptions,
    extend: (receipts: readonly Receipt[]) => Promise<readonly Receipt[]>,
  ) {
    this.#process = process
    this.#options = options
    this.#extend = extend
    this.#watch = new DownstreamWatch(process)
  }

  hold(receipt: Receipt): void {
    this.#held.set(receipt, this.#process.runtime.clock.now())
    this.#start()
  }

  release(receipt: Receipt): void {
    this.#held.delete(receipt)
  }

  /** Messages that it keeps. */
  get size(): number {
    return this.#held.size
  }

  holds(receipt: Receipt): boolean {
    return this.#held.has(receipt)
  }

  /** A stage died, and took messages with it. */
  lost(): void {
    this.#watch.lost()
  }

  #start(): void {
    if (this.#beating) return
    this.#beating = true
    this.#watch.remember()
    this.#process.setTimer(this.#watch.after(this.#options.lease / 2), () => this.#beat(), false)
  }

  #beat(): void {
    this.#beating = false
    if (this.#watch.look()) this.#held.clear()
    const tooOld = this.#process.runtime.clock.now() - this.#options.maxExtension
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
      // The server is away. It may be there when the heart beats next.
      () => {},
    )
  }
}

/**
 * How many events may go on now, so that no window of `interval` milliseconds, wherever it begins, holds more than `limit`.
 *
 * What went is remembered for an interval. Events that went within a sixteenth of it are remembered together, with the time of
 * the last of them: so there are at most seventeen entries, and at most seventeen times in an interval when more is free.
 */

import { Queue } from '../queue.ts'

const SLOTS = 16

/** Events that went at about the same time. */
interface Spent {
  readonly since: number
  until: number
  count: number
}

export class SlidingWindow {
  readonly #spent = new Queue<Spent>()
  #latest: Spent | undefined = undefined
  #used = 0
  #limit: number
  #interval: number

  constructor(limit: number, interval: number) {
    this.#limit = limit
    this.#interval = interval
  }

  get limit(): number {
    return this.#limit
  }

  get interval(): number {
    return this.#interval
  }

  /** Events that may go now. */
  free(now: number): number {
    for (let oldest = this.#spent.peek(); oldest !== undefined; oldest = this.#spent.peek()) {
      if (oldest.until + this.#interval > now) break
      this.#spent.shift()
      this.#used -= oldest.count
      if (oldest === this.#latest) this.#latest = undefined
    }
    return Math.max(0, this.#limit - this.#used)
  }

  /** Events have gone. */
  spend(count: number, now: number): void {
    this.#used += count
    const latest = this.#latest
    if (latest !== undefined && now - latest.since < this.#interval / SLOTS) {
      latest.until = now
      latest.count += count
      return
    }
    this.#latest = { since: now, until: now, count }
    this.#spent.push(this.#latest)
  }

  /** When more are free than now; `Infinity` when all are. */
  get nextAt(): number {
    const oldest = this.#spent.peek()
    return oldest === undefined ? Infinity : oldest.until + this.#interval
  }

  /** From now on; what has gone counts as far as it is remembered. */
  change(limit: number, interval: number): void {
    this.#limit = limit
    this.#interval = interval
  }
}

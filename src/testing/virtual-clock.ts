/** A clock that stands still until it is turned. */

import type { Clock, Timer } from '../process/clock.ts'

interface Entry {
  readonly at: number
  readonly order: number
  readonly fire: () => void
}

export class VirtualClock implements Clock {
  #now = 0
  #order = 0
  readonly #timers = new Set<Entry>()

  now(): number {
    return this.#now
  }

  setTimer(ms: number, fire: () => void): Timer {
    const entry: Entry = { at: this.#now + ms, order: this.#order++, fire }
    this.#timers.add(entry)
    const remaining = (): number | undefined => (this.#timers.has(entry) ? entry.at - this.#now : undefined)
    return {
      remaining,
      cancel: () => {
        const left = remaining()
        this.#timers.delete(entry)
        return left
      },
    }
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size
  }

  /** Moves time to the next timer that is due by `until` and fires it; false when there is none. */
  fireNext(until: number): boolean {
    let next: Entry | undefined
    for (const entry of this.#timers) {
      const earlier = next === undefined || entry.at < next.at || (entry.at === next.at && entry.order < next.order)
      if (entry.at <= until && earlier) next = entry
    }
    if (next === undefined) return false
    this.#now = Math.max(this.#now, next.at)
    this.#timers.delete(next)
    next.fire()
    return true
  }

  /** Moves time on; timers that were due have been fired before. */
  moveTo(at: number): void {
    this.#now = at
  }
}

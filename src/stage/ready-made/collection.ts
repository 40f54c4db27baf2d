/** Events on their way to become batches, in the order in which they came. */

import { Queue } from '../queue.ts'
import { EventQueue } from './event-queue.ts'

/** When a batch is full. */
export interface BatchLimits<In> {
  readonly size: number
  /** What one event counts for `maxWeight`, if there is one. */
  readonly weight: ((event: In) => number) | undefined
  readonly maxWeight: number
}

export class Collection<In> {
  readonly #limits: BatchLimits<In>
  readonly #events = new EventQueue<In>()
  /** When events came, and how many of them are left. */
  readonly #arrivals = new Queue<{ readonly at: number; left: number }>()
  /** The lengths of the full batches, which are in front. */
  readonly #full = new Queue<number>()
  /** The batch that grows: how many events it has, and what they weigh. */
  #open = 0
  #weight = 0

  constructor(limits: BatchLimits<In>) {
    this.#limits = limits
  }

  /** Events in it. */
  get size(): number {
    return this.#events.size
  }

  /** When the oldest event came; `undefined` when there is none. */
  get since(): number | undefined {
    return this.#arrivals.peek()?.at
  }

  add(events: readonly In[], now: number): void {
    this.#events.pushAll(events)
    this.#arrivals.push({ at: now, left: events.length })
    const { size, weight } = this.#limits
    if (weight !== undefined) {
      for (const event of events) this.#weigh(weight(event))
      return
    }
    this.#open += events.length
    for (; this.#open >= size; this.#open -= size) this.#full.push(size)
  }

  /** The oldest batch if it is full, or, when `partial`, whatever there is; `undefined` when there is none. */
  take(partial: boolean): readonly In[] | undefined {
    const length = this.#full.shift() ?? (partial ? this.#close() : 0)
    if (length === 0) return undefined
    for (let left = length; left > 0; ) {
      const arrival = this.#arrivals.peek()
      if (arrival === undefined) break
      const gone = Math.min(left, arrival.left)
      arrival.left -= gone
      left -= gone
      if (arrival.left === 0) this.#arrivals.shift()
    }
    return this.#events.take(length)
  }

  #weigh(weight: number): void {
    const { size, maxWeight } = this.#limits
    // An event that is too heavy for any batch has one of its own.
    if (this.#open > 0 && this.#weight + weight > maxWeight) this.#full.push(this.#close())
    this.#open++
    this.#weight += weight
    if (this.#open === size || this.#weight >= maxWeight) this.#full.push(this.#close())
  }

  /** Ends the batch that grows; says how many events it has. */
  #close(): number {
    const length = this.#open
    this.#open = 0
    this.#weight = 0
    return length
  }
}

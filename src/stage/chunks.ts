/** Events in the arrays in which they came, first in, first out: what a buffer is made of. */

import { Queue } from './queue.ts'

interface Chunk<T> {
  readonly events: readonly T[]
  /** What is left of it: from `start`, before `end`. */
  start: number
  end: number
}

export const NONE: readonly never[] = []

export class Chunks<T> {
  readonly #chunks = new Queue<Chunk<T>>()
  #first = 0
  #next = 0

  /** The running number of the oldest event. */
  get first(): number {
    return this.#first
  }

  /** The running number of the next event to come. */
  get next(): number {
    return this.#next
  }

  get size(): number {
    return this.#next - this.#first
  }

  append(events: readonly T[]): void {
    if (events.length === 0) return
    this.#chunks.push({ events, start: 0, end: events.length })
    this.#next += events.length
  }

  /** Takes the oldest events, at most `count`; a chunk that is taken whole is not copied. */
  take(count: number): readonly T[] {
    let left = Math.min(count, this.size)
    if (left <= 0) return NONE
    const parts: (readonly T[])[] = []
    while (left > 0) {
      const chunk = this.#chunks.peek()
      if (chunk === undefined) break
      const { events, start } = chunk
      const taken = Math.min(left, chunk.end - start)
      parts.push(taken === events.length ? events : events.slice(start, start + taken))
      this.#advance(chunk, taken)
      left -= taken
    }
    return concat(parts)
  }

  /** Shows what is left, array by array, oldest first. */
  each(see: (events: readonly T[]) => void): void {
    for (let index = 0; index < this.#chunks.size; index++) {
      const chunk = this.#chunks.at(index)
      if (chunk !== undefined) see(chunk.events.slice(chunk.start, chunk.end))
    }
  }

  dropOldest(count: number): void {
    for (let left = count; left > 0; ) {
      const chunk = this.#chunks.peek()
      if (chunk === undefined) return
      const dropped = Math.min(left, chunk.end - chunk.start)
      this.#advance(chunk, dropped)
      left -= dropped
    }
  }

  dropNewest(count: number): void {
    for (let left = count; left > 0; ) {
      const chunk = this.#chunks.last()
      if (chunk === undefined) return
      const dropped = Math.min(left, chunk.end - chunk.start)
      chunk.end -= dropped
      this.#next -= dropped
      left -= dropped
      if (chunk.start === chunk.end) this.#chunks.pop()
    }
  }

  #advance(chunk: Chunk<T>, count: number): void {
    chunk.start += count
    this.#first += count
    if (chunk.start === chunk.end) this.#chunks.shift()
  }
}

/** Up to so many arrays are joined at once, which is several times faster than event by event if they are not tiny. */
const FEW = 16

/** One array of several; a single one is not copied. */
export function concat<T>(parts: readonly (readonly T[])[]): readonly T[] {
  const [first, ...others] = parts
  if (first === undefined) return NONE
  if (others.length === 0) return first
  if (others.length < FEW) return first.concat(...others)
  const all: T[] = []
  for (const part of parts) for (const event of part) all.push(event)
  return all
}

/**
 * Events in line, first in, first out: they come one at a time, or many, and leave as arrays. They lie in arrays of a fixed
 * length, so that taking thousands copies them once, and a long line never has to move.
 */

import type { BufferKeep } from '../buffer.ts'
import { Queue } from '../queue.ts'

/** Events to an array. */
const CHUNK = 512

export class EventQueue<T> {
  /** All arrays but the last, which is the one that grows. */
  readonly #chunks = new Queue<T[]>()
  readonly #keep: BufferKeep
  #last: T[] = []
  /** How many of the first array have left. */
  #offset = 0
  #size = 0

  /** @param keep Which events stay when some have to be dropped. */
  constructor(keep: BufferKeep = 'last') {
    this.#keep = keep
  }

  get size(): number {
    return this.#size
  }

  push(event: T): void {
    if (this.#last.length === CHUNK) {
      this.#chunks.push(this.#last)
      this.#last = []
    }
    this.#last.push(event)
    this.#size++
  }

  pushAll(events: readonly T[]): void {
    for (const event of events) this.push(event)
  }

  /** Takes the oldest, at most `count`. */
  take(count: number): T[] {
    const wanted = Math.min(count, this.#size)
    const first = this.#first
    if (wanted <= first.length - this.#offset) return this.#cut(first, wanted)
    const taken: T[] = []
    while (taken.length < wanted) for (const event of this.#part(wanted - taken.length)) taken.push(event)
    return taken
  }

  /** Lets the oldest go, or the newest when the first are to be kept. */
  drop(count: number): void {
    for (let left = Math.min(count, this.#size); left > 0; ) {
      left -= this.#keep === 'last' ? this.#dropOldest(left) : this.#dropNewest(left)
    }
  }

  #dropOldest(count: number): number {
    const first = this.#first
    const dropped = Math.min(count, first.length - this.#offset)
    this.#advance(first, dropped)
    return dropped
  }

  #dropNewest(count: number): number {
    const last = this.#last
    const dropped = Math.min(count, last.length - (this.#chunks.size === 0 ? this.#offset : 0))
    last.length -= dropped
    this.#size -= dropped
    if (this.#size === 0) this.#offset = last.length = 0
    else if (last.length === 0) this.#last = this.#chunks.pop() ?? []
    return dropped
  }

  get #first(): T[] {
    return this.#chunks.peek() ?? this.#last
  }

  #part(wanted: number): T[] {
    const first = this.#first
    return this.#cut(first, Math.min(wanted, first.length - this.#offset))
  }

  #cut(first: T[], count: number): T[] {
    const part = count === first.length ? first : first.slice(this.#offset, this.#offset + count)
    this.#advance(first, count)
    return part
  }

  #advance(first: T[], count: number): void {
    this.#size -= count
    this.#offset += count
    if (this.#offset < first.length) return
    this.#offset = 0
    if (this.#chunks.shift() === undefined) this.#last = []
  }
}

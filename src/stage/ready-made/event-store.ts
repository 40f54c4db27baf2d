/** Where the events of a queue wait: first in, first out, or in the order of the dispatcher, as by priority. */

import type { BufferKeep, EventBuffer } from '../buffer.ts'
import type { Dispatcher } from '../dispatchers/dispatcher.ts'
import { EventQueue } from './event-queue.ts'

export interface EventStore<T> {
  readonly size: number
  push(event: T): void
  pushAll(events: readonly T[]): void
  /** Takes the next, at most `count`. */
  take(count: number): readonly T[]
  /** Lets those go that are to be dropped first, at most as many as there are. */
  drop(count: number): void
}

/** @param keep Which events stay when some have to be dropped. */
export function eventStore<T>(dispatcher: Dispatcher<T> | undefined, keep: BufferKeep): EventStore<T> {
  const buffer = dispatcher?.buffer?.(Infinity, keep)
  return buffer === undefined ? new EventQueue(keep) : new BufferStore(buffer)
}

class BufferStore<T> implements EventStore<T> {
  readonly #buffer: EventBuffer<unknown>

  constructor(buffer: EventBuffer<unknown>) {
    this.#buffer = buffer
  }

  get size(): number {
    return this.#buffer.size
  }

  push(event: T): void {
    this.#buffer.store([event])
  }

  pushAll(events: readonly T[]): void {
    // A copy: the array is the caller's.
    this.#buffer.store([...events])
  }

  take(count: number): readonly T[] {
    // What was stored.
    return this.#buffer.take(count) as readonly T[]
  }

  drop(count: number): void {
    this.#buffer.drop(count)
  }
}

/**
 * Events that were emitted and that nobody had asked for yet, first in, first out. Infos ride behind the event that was last
 * when they came; they are never dropped.
 */

import { Chunks } from './chunks.ts'
import { Queue } from './queue.ts'

/** Which events survive when the buffer is full: the first that came, or the last. */
export type BufferKeep = 'first' | 'last'

export { NONE } from './chunks.ts'

/** Called when everything that was in front has gone. */
export type Info = () => void

/**
 * Where events wait that were emitted and not asked for, and in which order they leave. Infos ride behind the events that are
 * there when they come.
 */
export interface EventBuffer<T> {
  /** Events held; infos are not counted. */
  readonly size: number
  /** Takes events in; says how many were dropped because the buffer is full. */
  store(events: readonly T[]): number
  /** Takes up to `count` events; stops when it has taken the last one that an info waits for. */
  take(count: number): readonly T[]
  /** Drops events, at most as many as it holds: those that it would drop if it were full. */
  drop(count: number): void
  /** The order in which events leave that come together. Default as they are. */
  arrange?(events: readonly T[]): readonly T[]
  /** Shows the events that it holds, array by array, for reports. */
  each?(see: (events: readonly T[]) => void): void
  /** Keeps an info until the events held now have gone. */
  attach(info: Info): void
  /** The infos that have nothing in front of them any more, oldest first. */
  releasedInfos(): readonly Info[]
}

/** First in, first out. */
export class Buffer<T> implements EventBuffer<T> {
  readonly #capacity: number
  readonly #keep: BufferKeep
  readonly #chunks = new Chunks<T>()
  readonly #infos = new Queue<{ readonly behind: number; readonly info: Info }>()

  constructor(capacity: number, keep: BufferKeep) {
    this.#capacity = capacity
    this.#keep = keep
  }

  get size(): number {
    return this.#chunks.size
  }

  store(events: readonly T[]): number {
    const dropped = Math.max(0, this.size + events.length - this.#capacity)
    if (this.#keep === 'first') {
      this.#chunks.append(dropped === 0 ? events : events.slice(0, events.length - dropped))
    } else {
      this.#chunks.append(events)
      this.drop(dropped)
    }
    return dropped
  }

  drop(count: number): void {
    if (this.#keep === 'first') this.#chunks.dropNewest(count)
    else this.#chunks.dropOldest(count)
  }

  take(count: number): readonly T[] {
    const info = this.#infos.peek()
    const limit = info === undefined ? count : Math.min(count, info.behind - this.#chunks.first)
    return this.#chunks.take(limit)
  }

  each(see: (events: readonly T[]) => void): void {
    this.#chunks.each(see)
  }

  attach(info: Info): void {
    this.#infos.push({ behind: this.#chunks.next, info })
  }

  releasedInfos(): readonly Info[] {
    const released: Info[] = []
    for (
      let next = this.#infos.peek();
      next !== undefined && next.behind <= this.#chunks.first;
      next = this.#infos.peek()
    ) {
      released.push(next.info)
      this.#infos.shift()
    }
    return released
  }
}

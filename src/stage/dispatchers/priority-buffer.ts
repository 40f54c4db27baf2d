/**
 * A buffer with levels: what is taken comes from the highest level that holds anything. When it is full the lowest level
 * pays, so that no event is dropped while a less important one is kept.
 */

import type { BufferKeep, EventBuffer, Info } from '../buffer.ts'
import { Chunks, concat } from '../chunks.ts'
import { Queue } from '../queue.ts'

/** An info goes when every level has got past the place where it was when the info came. */
interface Waiting {
  readonly info: Info
  readonly behind: number[]
}

export interface Levels<T> {
  readonly count: number
  /** The level of an event, from 0, the highest, to `count - 1`. */
  readonly of: (event: T) => number
}

export class PriorityBuffer<T> implements EventBuffer<T> {
  readonly #capacity: number
  readonly #keep: BufferKeep
  readonly #levels: Levels<T>
  readonly #patience: number
  /** The highest level first. */
  readonly #chunks: readonly Chunks<T>[]
  /** Events of higher levels that went, by level, while it waited. */
  readonly #overtaken: number[]
  readonly #infos = new Queue<Waiting>()
  #size = 0

  /** @param patience Events of higher levels that may go before one of a level that waits. */
  constructor(capacity: number, keep: BufferKeep, levels: Levels<T>, patience: number) {
    this.#capacity = capacity
    this.#keep = keep
    this.#levels = levels
    this.#patience = patience
    this.#chunks = Array.from({ length: levels.count }, () => new Chunks<T>())
    this.#overtaken = this.#chunks.map(() => 0)
  }

  get size(): number {
    return this.#size
  }

  store(events: readonly T[]): number {
    for (const [level, part] of byLevel(events, this.#levels).entries()) this.#chunks[level]?.append(part)
    this.#size += events.length
    const dropped = Math.max(0, this.#size - this.#capacity)
    if (dropped > 0) this.drop(dropped)
    return dropped
  }

  drop(count: number): void {
    let left = Math.min(count, this.#size)
    this.#size -= left
    for (const chunks of [...this.#chunks].reverse()) {
      const dropped = Math.min(left, chunks.size)
      left -= dropped
      if (this.#keep === 'last') chunks.dropOldest(dropped)
      else chunks.dropNewest(dropped)
    }
    if (this.#keep === 'last') return
    // An info does not wait for the events that will get the numbers of those that were dropped.
    const ends = this.#chunks.map(({ next }) => next)
    for (let index = this.#infos.size - 1; index >= 0; index--) {
      const behind = this.#infos.at(index)?.behind
      for (const [level, end] of ends.entries())
        if (behind !== undefined) behind[level] = Math.min(behind[level] ?? 0, end)
    }
  }

  take(count: number): readonly T[] {
    const parts: (readonly T[])[] = []
    let left = Math.min(count, this.#size)
    while (left > 0) {
      const level = this.#nextLevel()
      const chunks = this.#chunks[level]
      if (chunks === undefined) break
      const events = chunks.take(Math.min(left, this.#run(level, chunks)))
      parts.push(events)
      left -= events.length
      this.#size -= events.length
      this.#overtake(level, events.length)
      if (this.#infoIsDue()) break
    }
    return concat(parts)
  }

  arrange(events: readonly T[]): readonly T[] {
    const { of } = this.#levels
    let last = 0
    for (const event of events) {
      const level = of(event)
      if (level < last) return concat(byLevel(events, this.#levels))
      last = level
    }
    return events
  }

  attach(info: Info): void {
    this.#infos.push({ info, behind: this.#chunks.map(({ next }) => next) })
  }

  releasedInfos(): readonly Info[] {
    const released: Info[] = []
    while (this.#infoIsDue()) {
      const waiting = this.#infos.shift()
      if (waiting !== undefined) released.push(waiting.info)
    }
    return released
  }

  /** The one that was overtaken too often and waits longest, or else the highest that holds anything. */
  #nextLevel(): number {
    let highest = -1
    let due = -1
    let most = this.#patience - 1
    for (const [level, { size }] of this.#chunks.entries()) {
      if (size === 0) continue
      if (highest < 0) highest = level
      const overtaken = this.#overtaken[level] ?? 0
      if (overtaken <= most) continue
      due = level
      most = overtaken
    }
    return due < 0 ? highest : due
  }

  /** Events that may be taken from a level before another one is looked at. */
  #run(level: number, { first }: Chunks<T>): number {
    if ((this.#overtaken[level] ?? 0) >= this.#patience) return 1
    let run = Infinity
    for (let lower = level + 1; lower < this.#chunks.length; lower++) {
      if (this.#holds(lower)) run = Math.min(run, this.#patience - (this.#overtaken[lower] ?? 0))
    }
    const info = this.#infos.peek()
    if (info === undefined || info.behind.some((place, other) => other !== level && place > this.#place(other)))
      return run
    return Math.min(run, (info.behind[level] ?? 0) - first)
  }

  /** Events of a level have gone, while others waited. */
  #overtake(level: number, count: number): void {
    this.#overtaken[level] = 0
    for (let lower = level + 1; lower < this.#chunks.length; lower++) {
      this.#overtaken[lower] = this.#holds(lower) ? (this.#overtaken[lower] ?? 0) + count : 0
    }
  }

  #infoIsDue(): boolean {
    return this.#infos.peek()?.behind.every((place, level) => place <= this.#place(level)) === true
  }

  #holds(level: number): boolean {
    return (this.#chunks[level]?.size ?? 0) > 0
  }

  /** The number of the oldest event of a level. */
  #place(level: number): number {
    return this.#chunks[level]?.first ?? 0
  }
}

/** Events by level, in order; a single level gets them as they are. */
export function byLevel<T>(events: readonly T[], { count, of }: Levels<T>): readonly (readonly T[])[] {
  const parts: T[][] = Array.from({ length: count }, () => [])
  for (const event of events) parts[of(event)]?.push(event)
  return parts.map((part) => (part.length === events.length ? events : part))
}

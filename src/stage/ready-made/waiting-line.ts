/**
 * Who waits for room in a queue, first come, first served. Whoever gives up is out of the line at once, and its place in
 * memory is given back in time: adding, leaving and serving are O(1), taken over many.
 */

import { Queue } from '../queue.ts'

/** One caller in line, with what it brought. */
export interface Waiting<T> {
  /** At least one; none when it has left the line. */
  events: readonly T[]
  /** There was room: its events are in. */
  readonly admitted: () => void
}

const GONE: readonly never[] = []
/** Places of those who gave up, beyond those who still wait, that are kept before they are cleared out. */
const SLACK = 32

export class WaitingLine<T> {
  #places = new Queue<Waiting<T>>()
  #callers = 0
  #events = 0

  /** Callers in line. */
  get callers(): number {
    return this.#callers
  }

  /** Events in line. */
  get events(): number {
    return this.#events
  }

  /** Places in memory, with those of some who gave up. */
  get places(): number {
    return this.#places.size
  }

  /** Puts a caller at the end. */
  join(events: readonly T[], admitted: () => void): Waiting<T> {
    const waiting = { events, admitted }
    this.#places.push(waiting)
    this.#callers++
    this.#events += events.length
    return waiting
  }

  /** A caller gave up. */
  leave(waiting: Waiting<T>): void {
    if (waiting.events === GONE) return
    this.#out(waiting)
    if (this.#places.size > 2 * this.#callers + SLACK) this.#clearOut()
  }

  /** Who is first. */
  get first(): Waiting<T> | undefined {
    for (let first = this.#places.peek(); first !== undefined; first = this.#places.peek()) {
      if (first.events !== GONE) return first
      this.#places.shift()
    }
    return undefined
  }

  /** The first leaves the line with its events, and is told. */
  admit(): readonly T[] {
    const { first } = this
    if (first === undefined) return GONE
    this.#places.shift()
    const { events } = first
    this.#out(first)
    first.admitted()
    return events
  }

  #out(waiting: Waiting<T>): void {
    this.#callers--
    this.#events -= waiting.events.length
    waiting.events = GONE
  }

  #clearOut(): void {
    const kept = new Queue<Waiting<T>>()
    for (let place = this.#places.shift(); place !== undefined; place = this.#places.shift()) {
      if (place.events !== GONE) kept.push(place)
    }
    this.#places = kept
  }
}

/** Reads a source that has its events at once: many at a time, where the source can be read so. */

import { NONE } from '../buffer.ts'
import { Range } from './range.ts'

export interface SyncReader<T> {
  /**
   * The next events: `count` of them, or fewer when the source comes to its end, or fails behind them. Throws what the source
   * failed with when there is nothing before it.
   */
  take(count: number): readonly T[]
  /** The source has come to its end. */
  readonly ended: boolean
  /** Lets go of a source that is left before its end. */
  close(): void
}

export function readNow<T>(source: Iterable<T>): SyncReader<T>
export function readNow(source: Iterable<unknown>): SyncReader<unknown> {
  if (source instanceof Range) return new RangeReader(source)
  // An array whose iterator is another than that of arrays says itself what its elements are.
  if (Array.isArray(source) && source[Symbol.iterator] === Array.prototype[Symbol.iterator])
    return new ArrayReader(source)
  return new IteratorReader(source[Symbol.iterator]())
}

class ArrayReader<T> implements SyncReader<T> {
  ended = false
  readonly #array: readonly T[]
  #next = 0

  constructor(array: readonly T[]) {
    this.#array = array
  }

  take(count: number): readonly T[] {
    const events = this.#array.slice(this.#next, this.#next + count)
    this.#next += events.length
    this.ended = events.length < count
    return events
  }

  close(): void {}
}

class RangeReader implements SyncReader<number> {
  ended = false
  readonly #range: Range
  #next = 0

  constructor(range: Range) {
    this.#range = range
  }

  take(count: number): readonly number[] {
    const { first, step, size } = this.#range
    const length = Math.min(count, size - this.#next)
    this.ended = length < count
    if (length === 0) return NONE
    const events = new Array<number>(length)
    let value = first + this.#next * step
    for (let index = 0; index < length; index++, value += step) events[index] = value
    this.#next += length
    return events
  }

  close(): void {}
}

class IteratorReader<T> implements SyncReader<T> {
  ended = false
  readonly #iterator: Iterator<T>
  #failure: { readonly thrown: unknown } | undefined = undefined

  constructor(iterator: Iterator<T>) {
    this.#iterator = iterator
  }

  take(count: number): readonly T[] {
    if (this.#failure !== undefined) throw this.#failure.thrown
    const iterator = this.#iterator
    const events: T[] = []
    try {
      while (events.length < count) {
        const next = iterator.next()
        if (next.done === true) {
          this.ended = true
          break
        }
        events.push(next.value)
      }
    } catch (thrown) {
      // What was read before a failure still counts.
      if (events.length === 0) throw thrown
      this.#failure = { thrown }
    }
    return events
  }

  close(): void {
    this.#iterator.return?.()
  }
}

/**
 * What can be delivered, in order. A message without a key stands for itself. A key stands once for all its messages, while
 * none of them is out: so keys take turns, and one with many messages does not hold up the others.
 */

import { Queue as Fifo } from '../stage/queue.ts'
import { Entry, KeyLine } from './entry.ts'

export class ReadyLine<T> {
  readonly #places = new Fifo<Entry<T> | KeyLine<T>>()
  readonly #keys = new Map<string, KeyLine<T>>()

  /** Keys with messages. */
  get keys(): number {
    return this.#keys.size
  }

  /** A message whose time has come: behind the others, or in its old place when its key waits for it. */
  add(entry: Entry<T>): void {
    const { key, line } = entry
    if (key === undefined) return this.#places.push(entry)
    if (line !== undefined) return this.#list(line)
    const joined = this.#lineOf(key)
    entry.line = joined
    joined.waiting.push(entry)
    if (joined.current === undefined) this.#list(joined)
  }

  /** Takes the first out. Those of its key wait until it is done. */
  next(): Entry<T> | undefined {
    for (let place = this.#places.shift(); place !== undefined; place = this.#places.shift()) {
      if (place instanceof Entry) {
        if (place.state === 'ready') return place
        continue
      }
      place.listed = false
      place.current ??= place.waiting.shift()
      if (place.current !== undefined) return place.current
      this.#keys.delete(place.key)
    }
    return undefined
  }

  /** A message is done with: the next of its key can go. */
  done(entry: Entry<T>): void {
    const { line } = entry
    if (line === undefined) return
    entry.line = line.current = undefined
    if (line.waiting.size > 0) this.#list(line)
    // One that is listed is let go of when its turn comes.
    else if (!line.listed) this.#keys.delete(line.key)
  }

  #list(line: KeyLine<T>): void {
    if (line.listed) return
    line.listed = true
    this.#places.push(line)
  }

  #lineOf(key: string): KeyLine<T> {
    let line = this.#keys.get(key)
    if (line === undefined) {
      line = new KeyLine(key)
      this.#keys.set(key, line)
    }
    return line
  }
}

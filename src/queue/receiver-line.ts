/** Callers that wait for messages: first come, first served, each until its time to wait is over. */

import { type Due, DueHeap, OUTSIDE } from './due-heap.ts'
import type { Received } from './message.ts'

/** One caller. */
export class Receiver<T> implements Due {
  readonly max: number
  readonly visibilityTimeout: number
  readonly reply: (messages: readonly Received<T>[]) => void
  readonly fail: (error: Error) => void
  due = 0
  order = 0
  place: number = OUTSIDE

  constructor(
    max: number,
    visibilityTimeout: number,
    reply: (messages: readonly Received<T>[]) => void,
    fail: (error: Error) => void,
  ) {
    this.max = max
    this.visibilityTimeout = visibilityTimeout
    this.reply = reply
    this.fail = fail
  }
}

export class ReceiverLine<T> {
  readonly #waiting = new Set<Receiver<T>>()
  readonly #timed = new DueHeap<Receiver<T>>()

  get size(): number {
    return this.#waiting.size
  }

  /** When the first has waited long enough; `Infinity` when nobody's time is limited. */
  get nextDue(): number {
    return this.#timed.nextDue
  }

  get first(): Receiver<T> | undefined {
    return this.#waiting.values().next().value
  }

  /** Puts a caller at the end, until `due` at most. */
  join(receiver: Receiver<T>, due: number): void {
    this.#waiting.add(receiver)
    if (due !== Infinity) this.#timed.add(receiver, due)
  }

  leave(receiver: Receiver<T>): void {
    this.#waiting.delete(receiver)
    this.#timed.remove(receiver)
  }

  /** Sends those away that have waited long enough, with nothing. */
  expire(now: number): void {
    for (let late = this.#timed.takeDue(now); late !== undefined; late = this.#timed.takeDue(now)) {
      this.#waiting.delete(late)
      late.reply([])
    }
  }

  /** Sends everybody away with an error. */
  failAll(makeError: () => Error): void {
    for (const receiver of [...this.#waiting]) {
      this.leave(receiver)
      receiver.fail(makeError())
    }
  }
}

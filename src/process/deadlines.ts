/**
 * Timeouts that nearly always are cancelled, such as those of calls. A timer each would cost more than the call itself, so
 * deadlines of the same length stand in one list: the oldest is first, adding and removing are O(1), one timer per list
 * watches its head. An entry goes to its list only at the end of the turn, with the time of then: most are done before, and
 * those cost one push and no look at the clock. So a deadline is never early, and late by a turn at most.
 */

import type { Clock, Timer } from './clock.ts'

/** Something that can run out of time. Its fields belong to the list it stands in. */
export interface Expiring {
  previousDeadline: Expiring | undefined
  nextDeadline: Expiring | undefined
  /** `undefined` until the end of the turn in which it was added. */
  deadlineList: DeadlineList | undefined
  /** How many milliseconds it has, until it stands in a list; then when it expires; `DONE` when it was removed. */
  deadline: number
  /** Called once, after it was removed from its list. */
  expire(): void
}

const DONE = -1

/** The entries of one length, oldest first. */
export class DeadlineList {
  readonly ms: number
  head: Expiring | undefined = undefined
  tail: Expiring | undefined = undefined
  timer: Timer | undefined = undefined

  constructor(ms: number) {
    this.ms = ms
  }
}

export class Deadlines {
  readonly #clock: Clock
  readonly #lists = new Map<number, DeadlineList>()
  /** Added in this turn. */
  #added: Expiring[] = []

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Starts the deadline of an entry, `ms` milliseconds from this turn. `Infinity` never expires, but counts as waiting. */
  add(entry: Expiring, ms: number): void {
    entry.deadline = ms
    this.#added.push(entry)
  }

  /** Ends the deadline of an entry; nothing happens when it has none. */
  remove(entry: Expiring): void {
    entry.deadline = DONE
    const list = entry.deadlineList
    if (list === undefined) return
    const { previousDeadline: previous, nextDeadline: next } = entry
    if (previous === undefined) list.head = next
    else previous.nextDeadline = next
    if (next === undefined) list.tail = previous
    else next.previousDeadline = previous
    entry.deadlineList = entry.previousDeadline = entry.nextDeadline = undefined
    // No turn may end for a long time, and the timer would keep the program alive.
    if (list.head === undefined) this.#retire(list)
  }

  /** Gives the entries of this turn that are not done their time; called at the end of each turn. */
  endTurn(now: number): void {
    if (this.#added.length === 0) return
    const added = this.#added
    this.#added = []
    for (const entry of added) if (entry.deadline !== DONE) this.#append(entry, now)
  }

  #append(entry: Expiring, now: number): void {
    const list = this.#listOf(entry.deadline)
    entry.deadline = now + list.ms
    entry.deadlineList = list
    entry.previousDeadline = list.tail
    if (list.tail === undefined) list.head = entry
    else list.tail.nextDeadline = entry
    list.tail = entry
    if (list.timer === undefined) this.#arm(list, list.ms)
  }

  #arm(list: DeadlineList, ms: number): void {
    // A list of endless deadlines has a timer too: something is waited for, which keeps the program alive.
    list.timer = this.#clock.setTimer(ms, () => this.#expire(list))
  }

  #expire(list: DeadlineList): void {
    list.timer = undefined
    const now = this.#clock.now()
    let entry = list.head
    while (entry !== undefined && entry.deadline <= now) {
      this.remove(entry)
      entry.expire()
      entry = list.head
    }
    if (entry !== undefined && list.timer === undefined) this.#arm(list, entry.deadline - now)
  }

  /** Lengths come from the user: an empty list is not kept. */
  #retire(list: DeadlineList): void {
    list.timer?.cancel()
    this.#lists.delete(list.ms)
  }

  #listOf(ms: number): DeadlineList {
    let list = this.#lists.get(ms)
    if (list === undefined) {
      list = new DeadlineList(ms)
      this.#lists.set(ms, list)
    }
    return list
  }
}

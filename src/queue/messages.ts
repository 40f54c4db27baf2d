/**
 * The messages of a queue, and where each of them is: ready, delayed, in flight, or dead. Knows no process and reads no clock:
 * who calls says what time it is.
 */

import { DueHeap } from './due-heap.ts'
import { Entry, NO_RECEIPT } from './entry.ts'
import type { DeadLetter, NewMessage, QueueTotals, Receipt, Received, StoredMessage } from './message.ts'
import { ReadyLine } from './ready-line.ts'

/** How a message is given back. */
export interface Return {
  /** Milliseconds until it can be delivered again. */
  readonly delay: number
  readonly reason: unknown
  /** The delivery counts as an attempt. */
  readonly counted: boolean
}

/** How many messages are in which state. */
export interface Counts {
  readonly ready: number
  readonly delayed: number
  readonly inFlight: number
  readonly dead: number
}

/** What came of those whose time was over. */
export interface Expired<T> {
  /** Messages that were delayed and can be delivered now. */
  readonly due: number
  /** Messages that nobody answered for and that can be delivered again. */
  readonly returned: number
  readonly dead: readonly Entry<T>[]
}

/** Receipts of stores that follow one another differ, so that one of a store that is lost fits nothing in the next. */
const RECEIPTS_PER_STORE = 2 ** 32
const STORES = 2 ** 20

export class Messages<T> {
  readonly #line = new ReadyLine<T>()
  /** Delayed and in flight. */
  readonly #timed = new DueHeap<Entry<T>>()
  /** By receipt: those in flight, and those that came back and were not delivered again. */
  readonly #delivered = new Map<Receipt, Entry<T>>()
  readonly #dead = new Map<number, Entry<T>>()
  readonly #count = { ready: 0, delayed: 0, inFlight: 0 }
  readonly #totals = {
    enqueued: 0,
    delivered: 0,
    acknowledged: 0,
    returned: 0,
    expired: 0,
    dead: 0,
    redriven: 0,
    discarded: 0,
  }
  /** Takes no more. */
  closed = false
  #oldest: Entry<T> | undefined = undefined
  #youngest: Entry<T> | undefined = undefined
  #lastId = 0
  #lastReceipt: Receipt

  /** @param random A number in [0, 1). */
  constructor(random: number) {
    this.#lastReceipt = (1 + Math.floor(random * STORES)) * RECEIPTS_PER_STORE
  }

  /** Messages that are not dead. */
  get live(): number {
    return this.#count.ready + this.#count.delayed + this.#count.inFlight
  }

  get size(): number {
    return this.live + this.#dead.size
  }

  /** Those that can be delivered, and those behind another of their key. */
  get ready(): number {
    return this.#count.ready
  }

  get counts(): Counts {
    return { ...this.#count, dead: this.#dead.size }
  }

  get totals(): QueueTotals {
    return { ...this.#totals }
  }

  /** When the next one is due; `Infinity` when none waits for its time. */
  get nextDue(): number {
    return this.#timed.nextDue
  }

  /** When the oldest that is not dead was enqueued. */
  get oldest(): number | undefined {
    return this.#oldest?.enqueuedAt
  }

  /** Those that are not dead, the oldest first, then the dead. */
  all(now: number): readonly StoredMessage<T>[] {
    const all: StoredMessage<T>[] = []
    for (let entry = this.#oldest; entry !== undefined; entry = entry.younger) all.push(entry.stored(now))
    for (const entry of this.#dead.values()) all.push(entry.stored(now))
    return all
  }

  /** Takes a message in and says its number. */
  add(message: NewMessage<T>, now: number): number {
    const entry = new Entry(++this.#lastId, message, now)
    this.#totals.enqueued++
    this.#enter(entry, message.delay ?? 0, now)
    return entry.id
  }

  /** Delivers up to `max` messages. */
  take(max: number, visibilityTimeout: number, now: number): readonly Received<T>[] {
    const taken: Received<T>[] = []
    while (taken.length < max && this.#count.ready > 0) {
      const entry = this.#line.next()
      if (entry === undefined) break
      this.#count.ready--
      this.#delivered.delete(entry.receipt)
      entry.receipt = ++this.#lastReceipt
      this.#delivered.set(entry.receipt, entry)
      entry.attempts++
      entry.state = 'in_flight'
      this.#count.inFlight++
      this.#timed.add(entry, now + visibilityTimeout)
      taken.push(entry.received(now))
    }
    this.#totals.delivered += taken.length
    return taken
  }

  /** Done with. False when the message was delivered again, or given back, since. */
  ack(receipt: Receipt): boolean {
    const entry = this.#delivered.get(receipt)
    if (entry === undefined) return false
    this.#delivered.delete(receipt)
    if (entry.state === 'dead') this.#dead.delete(entry.id)
    else this.#leave(entry)
    entry.state = 'gone'
    this.#totals.acknowledged++
    return true
  }

  /** Gives a message back: `undefined` when it is not in flight any more, `'dead'` when it had its last attempt. */
  nack(receipt: Receipt, how: Return, maxAttempts: number, now: number): Entry<T> | undefined {
    const entry = this.#inFlight(receipt)
    if (entry === undefined) return undefined
    this.#forget(entry)
    entry.reason = how.reason
    if (!how.counted) entry.attempts--
    this.#totals.returned++
    if (entry.attempts >= maxAttempts) this.#die(entry)
    else {
      this.#count.inFlight--
      this.#timed.remove(entry)
      this.#place(entry, how.delay, now)
    }
    return entry
  }

  /** Has until `due` from now on. False when it is not in flight any more. */
  extend(receipt: Receipt, due: number): boolean {
    const entry = this.#inFlight(receipt)
    if (entry === undefined) return false
    this.#timed.remove(entry)
    this.#timed.add(entry, due)
    return true
  }

  /** Gives a message up at once. */
  deadLetter(receipt: Receipt, reason: unknown): Entry<T> | undefined {
    const entry = this.#inFlight(receipt)
    if (entry === undefined) return undefined
    this.#forget(entry)
    entry.reason = reason
    this.#die(entry)
    return entry
  }

  /** Moves on those whose time is over. */
  expire(now: number, maxAttempts: number): Expired<T> {
    const dead: Entry<T>[] = []
    let due = 0
    let returned = 0
    for (let entry = this.#timed.takeDue(now); entry !== undefined; entry = this.#timed.takeDue(now)) {
      if (entry.state === 'delayed') {
        this.#count.delayed--
        due++
      } else {
        this.#totals.expired++
        entry.reason = 'visibility_timeout'
        if (entry.attempts >= maxAttempts) {
          this.#die(entry)
          dead.push(entry)
          continue
        }
        this.#count.inFlight--
        returned++
      }
      this.#place(entry, 0, now)
    }
    return { due, returned, dead }
  }

  // ---- Dead letters

  /** The oldest dead letters first. */
  deadLetters(max: number, now: number): readonly DeadLetter<T>[] {
    const letters: DeadLetter<T>[] = []
    for (const entry of this.#dead.values()) {
      if (letters.length >= max) break
      letters.push(entry.deadLetter(now))
    }
    return letters
  }

  /** Puts dead letters into the line again, as if they were new, and says how many: these, or all. */
  redrive(ids: readonly number[] | undefined, delay: number, now: number): number {
    const entries = this.#exhume(ids)
    for (const entry of entries) {
      this.#forget(entry)
      entry.attempts = 0
      entry.reason = undefined
      entry.enqueuedAt = now
      this.#enter(entry, delay, now)
    }
    this.#totals.redriven += entries.length
    return entries.length
  }

  /** Throws dead letters away, and says how many: these, or all. */
  discard(ids: readonly number[] | undefined): number {
    const entries = this.#exhume(ids)
    for (const entry of entries) {
      this.#forget(entry)
      entry.state = 'gone'
    }
    this.#totals.discarded += entries.length
    return entries.length
  }

  #exhume(ids: readonly number[] | undefined): readonly Entry<T>[] {
    const entries: Entry<T>[] = []
    for (const id of ids ?? [...this.#dead.keys()]) {
      const entry = this.#dead.get(id)
      if (entry === undefined) continue
      this.#dead.delete(id)
      entries.push(entry)
    }
    return entries
  }

  // ---- From state to state

  #enter(entry: Entry<T>, delay: number, now: number): void {
    entry.older = this.#youngest
    if (this.#youngest === undefined) this.#oldest = entry
    else this.#youngest.younger = entry
    this.#youngest = entry
    this.#place(entry, delay, now)
  }

  #place(entry: Entry<T>, delay: number, now: number): void {
    if (delay > 0) {
      entry.state = 'delayed'
      this.#count.delayed++
      this.#timed.add(entry, now + delay)
    } else {
      entry.state = 'ready'
      this.#count.ready++
      this.#line.add(entry)
    }
  }

  /** Counts no more as one of the living. */
  #leave(entry: Entry<T>): void {
    const { older, younger } = entry
    if (older === undefined) this.#oldest = younger
    else older.younger = younger
    if (younger === undefined) this.#youngest = older
    else younger.older = older
    entry.older = entry.younger = undefined
    // With a good receipt it is in flight, or back in the line.
    if (entry.state === 'ready') this.#count.ready--
    else this.#count.inFlight--
    this.#timed.remove(entry)
    this.#line.done(entry)
  }

  #die(entry: Entry<T>): void {
    this.#leave(entry)
    entry.state = 'dead'
    this.#dead.set(entry.id, entry)
    this.#totals.dead++
  }

  #inFlight(receipt: Receipt): Entry<T> | undefined {
    const entry = this.#delivered.get(receipt)
    return entry?.state === 'in_flight' ? entry : undefined
  }

  /** Its receipt is good for nothing any more. */
  #forget(entry: Entry<T>): void {
    this.#delivered.delete(entry.receipt)
    entry.receipt = NO_RECEIPT
  }
}

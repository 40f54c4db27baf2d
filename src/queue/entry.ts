/** A message in the store, and the line of those that share its key. */

import { Queue as Fifo } from '../stage/queue.ts'
import { type Due, OUTSIDE } from './due-heap.ts'
import type { DeadLetter, Metadata, NewMessage, Receipt, Received, StoredMessage } from './message.ts'

/** `gone`: acknowledged while it was about to be delivered again; whoever comes across it drops it. */
export type EntryState = 'ready' | 'delayed' | 'in_flight' | 'dead' | 'gone'

const NO_METADATA: Metadata = Object.freeze({})
export const NO_RECEIPT: Receipt = 0

export class Entry<T> implements Due {
  readonly id: number
  readonly data: T
  readonly key: string | undefined
  readonly metadata: Metadata
  enqueuedAt: number
  state: EntryState
  attempts: number
  /** That of the last delivery, while it is good. */
  receipt: Receipt
  /** Why it was given back, or is dead. */
  reason: unknown
  /** The line of its key, once it has come to stand in it. */
  line: KeyLine<T> | undefined
  due: number
  order: number
  place: number
  /** Its neighbours among all that are not dead, by age. */
  older: Entry<T> | undefined
  younger: Entry<T> | undefined

  constructor(id: number, message: NewMessage<T>, now: number) {
    this.id = id
    this.data = message.data
    this.key = message.key
    this.metadata = message.metadata ?? NO_METADATA
    this.enqueuedAt = now
    this.state = 'ready'
    this.attempts = 0
    this.receipt = NO_RECEIPT
    this.reason = undefined
    this.line = undefined
    this.due = 0
    this.order = 0
    this.place = OUTSIDE
    this.older = undefined
    this.younger = undefined
  }

  received(now: number): Received<T> {
    const { id, receipt, data, key, metadata, attempts, enqueuedAt } = this
    return { id, receipt, data, key, metadata, attempts, age: now - enqueuedAt }
  }

  stored(now: number): StoredMessage<T> {
    const { state } = this
    if (state === 'gone') throw new Error(`message ${this.id} has left the queue`)
    return { ...this.deadLetter(now), state }
  }

  deadLetter(now: number): DeadLetter<T> {
    const { id, data, key, metadata, attempts, enqueuedAt, reason } = this
    return { id, data, key, metadata, attempts, age: now - enqueuedAt, reason }
  }
}

/** The messages of one key. One of them is out at a time: in flight, or waiting to be delivered again. */
export class KeyLine<T> {
  readonly key: string
  readonly waiting: Fifo<Entry<T>>
  current: Entry<T> | undefined
  /** It stands among what can be delivered. */
  listed: boolean

  constructor(key: string) {
    this.key = key
    this.waiting = new Fifo()
    this.current = undefined
    this.listed = false
  }
}

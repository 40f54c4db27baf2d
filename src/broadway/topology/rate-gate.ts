/** What a producer may not let through yet: its messages, and the demand that it is not to hear of meanwhile. */

import { Buffer, type BufferKeep } from '../../stage/buffer.ts'
import { Queue } from '../../stage/queue.ts'
import type { Message } from '../message.ts'
import type { Allowance } from './allowance.ts'

/** Told when it closes or opens, and how many messages wait behind it. */
type GateListener = (state: 'closed' | 'open', held: number) => void

export class RateGate {
  readonly #allowance: Allowance
  readonly #held: Buffer<Message>
  readonly #changed: GateListener
  readonly #owed = new Queue<number>()
  readonly #whenEmpty = new Queue<() => void>()
  #closed = false

  constructor(allowance: Allowance, capacity: number, keep: BufferKeep, changed: GateListener) {
    this.#allowance = allowance
    this.#changed = changed
    this.#held = new Buffer(capacity, keep)
  }

  /** All that is allowed in this interval has gone through. */
  get closed(): boolean {
    return this.#closed
  }

  /** A new interval has begun. */
  open(): void {
    this.#closed = false
    this.#changed('open', this.#held.size)
  }

  /** Takes messages in; says how many were dropped, because too many wait already. */
  hold(messages: readonly Message[]): number {
    return this.#held.store(messages)
  }

  /** Shows what it holds. */
  each(see: (events: readonly unknown[]) => void): void {
    this.#held.each(see)
  }

  /** Takes out what may go through now, in order. It closes behind the last one that may. */
  pass(): readonly Message[] {
    if (this.#closed) return []
    const allowance = this.#allowance
    const passing = this.#held.take(allowance.left)
    allowance.left -= passing.length
    if (allowance.left <= 0) {
      this.#closed = true
      this.#changed('closed', this.#held.size)
    }
    return passing
  }

  /** Demand that is heard of when the gate has been opened. */
  owe(demand: number): void {
    this.#owed.push(demand)
  }

  /** The oldest demand that was not heard of yet. */
  nextDemand(): number | undefined {
    return this.#owed.shift()
  }

  /** Calls back when nothing is held, maybe now. */
  whenEmpty(done: () => void): void {
    this.#whenEmpty.push(done)
    this.releaseIfEmpty()
  }

  releaseIfEmpty(): void {
    if (this.#held.size > 0) return
    for (let done = this.#whenEmpty.shift(); done !== undefined; done = this.#whenEmpty.shift()) done()
  }
}

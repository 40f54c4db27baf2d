/**
 * What one window of a join knows: the events of each side by their key. An event meets all of the other side that are already
 * there, so that every pair makes one row, as soon as it can; who met nobody is known when the window closes. Triggers leave it as
 * it is.
 */

import { isPromise } from '../../otp/server-behaviour.ts'
import { throughBatchers } from '../batchers.ts'
import { type Push, pushAll } from '../compose.ts'
import { Keys } from '../keys.ts'
import type { BatchOperation, FlowStage } from '../operation.ts'
import type { Sides } from './sides.ts'

/** The events with each key, in the order of their arrival. */
type Side = Map<unknown, unknown[]>

export class JoinPane {
  readonly #sides: Sides
  readonly #batchers: readonly BatchOperation[]
  readonly #stage: FlowStage
  readonly #push: Push
  /** Takes a row. */
  readonly #next: Push
  #rows: unknown[] = []
  readonly #keys = new Keys()
  readonly #left: Side = new Map()
  readonly #right: Side = new Map()

  /** Rows go to `push`, by way of the functions over batches when there are any. */
  constructor(sides: Sides, batchers: readonly BatchOperation[], stage: FlowStage, push: Push) {
    this.#sides = sides
    this.#batchers = batchers
    this.#stage = stage
    this.#push = push
    this.#next = batchers.length === 0 ? push : (row) => void this.#rows.push(row)
  }

  /** Takes events of the side whose batch is in hand. */
  feed(events: readonly unknown[]): void | PromiseLike<void> {
    return this.#batch(pushAll(this.#take, events))
  }

  /** The window closes: rows of those that met nobody, the left ones first. */
  close(): void | PromiseLike<void> {
    const { mode } = this.#sides.join
    const left = mode === 'left_outer' || mode === 'full_outer' ? alone(this.#left, this.#right) : []
    const right = mode === 'right_outer' || mode === 'full_outer' ? alone(this.#right, this.#left) : []
    const pending = pushAll((event) => this.#row(event, null), left)
    const rest = (): void | PromiseLike<void> => pushAll((event) => this.#row(null, event), right)
    return this.#batch(pending === undefined ? rest() : pending.then(rest))
  }

  /** The rows that were made go on as one batch, where that matters. */
  #batch(pending?: void | PromiseLike<void>): void | PromiseLike<void> {
    if (this.#batchers.length === 0) return pending
    if (pending !== undefined) return pending.then(() => this.#batch())
    const rows = this.#rows
    if (rows.length === 0) return
    this.#rows = []
    const batched = throughBatchers(this.#batchers, rows, this.#stage)
    return isPromise(batched) ? batched.then((later) => pushAll(this.#push, later)) : pushAll(this.#push, batched)
  }

  readonly #take: Push = (event) => {
    const { left, join } = this.#sides
    // Not the one that found the stage, because a trigger may give on what it likes.
    const key = this.#keys.of(left ? join.leftKey(event) : join.rightKey(event))
    const own = left ? this.#left : this.#right
    const events = own.get(key)
    if (events === undefined) own.set(key, [event])
    else events.push(event)
    const others = (left ? this.#right : this.#left).get(key)
    return others && this.#meet(event, others, left)
  }

  /** Rows of an event and its partners, the newest first. */
  #meet(event: unknown, others: readonly unknown[], isLeft: boolean): void | PromiseLike<void> {
    for (let index = others.length - 1; index >= 0; index--) {
      const other = others[index]
      const pending = isLeft ? this.#row(event, other) : this.#row(other, event)
      if (pending !== undefined) return this.#meetRest(event, others.slice(0, index), isLeft, pending)
    }
  }

  async #meetRest(
    event: unknown,
    others: readonly unknown[],
    isLeft: boolean,
    pending: PromiseLike<void>,
  ): Promise<void> {
    await pending
    for (const other of others.toReversed()) await (isLeft ? this.#row(event, other) : this.#row(other, event))
  }

  #row(left: unknown, right: unknown): void | PromiseLike<void> {
    const row = this.#sides.join.join(left, right, this.#stage)
    return isPromise(row) ? row.then(this.#next) : this.#next(row)
  }
}

/** The events of a side whose key the other one does not have, newest first for each key. */
function alone(side: Side, other: Side): readonly unknown[] {
  return [...side].flatMap(([key, events]) => (other.has(key) ? [] : events.toReversed()))
}

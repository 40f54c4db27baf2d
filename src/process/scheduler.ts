/**
 * Who runs next. One first-in-first-out run queue per runtime, drained in microtasks. The time budget belongs to the turn
 * of the event loop: all drains of one turn share it, then the rest waits behind I/O for the next turn. A budget per drain
 * would never bite, because most drains are a message long.
 */

import { AsyncResource } from 'node:async_hooks'
import type { Process } from './process.ts'

/** A start that is to be run: an object, so that none of the many needs a function of its own. */
export interface Start {
  run(): void
}

export interface Scheduler {
  /** Puts a process that has something to do at the end of the run queue. */
  enqueue(process: Process): void
  /** Like `enqueue`, but runs it before it returns when nothing else runs: for whoever waits for the outcome anyway. */
  runNow(process: Process): void
  /** Like `enqueue`, from the top of a microtask: what a process awaited has settled. */
  resume(process: Process): void
  /** Runs the start of a process in the async context in which its messages run, not in that of whoever starts it. */
  runStart(process: Process, start: Start): void
  /** Makes sure that `onTurnEnd` is called at the end of this turn, even if nothing runs in it. */
  markTurn(): void
  /** Throws an error where nobody can catch it: the program (or the simulation) fails with it. */
  throwUncaught(error: unknown): void
}

/** Messages handled by one process before the next gets its turn. */
const SLICE = 64
const LARGEST_STRIDE = 256

// Drains run in the async context of the module's load, so that no process runs under a random caller's.
const root = new AsyncResource('Sluice')
const settled = Promise.resolve()

export class TurnScheduler implements Scheduler {
  readonly #budget: number
  readonly #now: () => number
  readonly #onTurnEnd: (now: number) => void
  #head: Process | undefined = undefined
  #tail: Process | undefined = undefined
  #draining = false
  /** A microtask that drains is on its way, or the budget is spent and the next turn will drain. */
  #kicked = false
  #exhausted = false
  #turnMarked = false
  #turnEnds = 0
  /** Messages between two looks at the clock: doubled while they are cheap, quartered when they turn out dear. */
  #stride = 1
  #untilLook = 1
  #lastLook = 0

  readonly #drainInRoot = (): void => {
    this.#kicked = false
    if (this.#head !== undefined && !this.#exhausted) root.runInAsyncScope(this.#drain, this)
  }
  readonly #endTurn = (): void => {
    this.#turnMarked = false
    this.#exhausted = this.#kicked = false
    this.#turnEnds = 0
    this.#onTurnEnd(this.#now())
    if (this.#head !== undefined) root.runInAsyncScope(this.#drain, this)
  }

  constructor(budget: number, now: () => number, onTurnEnd: (now: number) => void) {
    this.#budget = budget
    this.#now = now
    this.#onTurnEnd = onTurnEnd
  }

  enqueue(process: Process): void {
    this.#append(process)
    if (!this.#draining && !this.#kicked) {
      this.#kicked = true
      if (!this.#exhausted) void settled.then(this.#drainInRoot)
    }
  }

  runNow(process: Process): void {
    if (this.#draining || this.#exhausted) this.enqueue(process)
    else {
      this.#append(process)
      root.runInAsyncScope(this.#drain, this)
    }
  }

  resume(process: Process): void {
    this.#append(process)
    if (!this.#draining && !this.#exhausted) this.#drain()
  }

  #append(process: Process): void {
    if (this.#tail === undefined) this.#head = process
    else this.#tail.nextRunnable = process
    this.#tail = process
  }

  runStart(_process: Process, start: Start): void {
    root.runInAsyncScope(start.run, start)
  }

  markTurn(): void {
    if (this.#turnMarked) return
    this.#turnMarked = true
    setImmediate(this.#endTurn)
  }

  throwUncaught(error: unknown): void {
    setImmediate(() => {
      throw error
    })
  }

  #drain(): void {
    if (this.#turnEnds === 0) {
      this.#lastLook = this.#now()
      this.#turnEnds = this.#lastLook + this.#budget
      this.markTurn()
    }
    this.#draining = true
    let process = this.#head
    while (process !== undefined) {
      this.#head = process.nextRunnable
      if (this.#head === undefined) this.#tail = undefined
      else process.nextRunnable = undefined
      this.#untilLook -= process.run(Math.min(this.#untilLook, SLICE))
      if (this.#untilLook <= 0 && this.#look()) {
        this.#exhausted = this.#kicked = true
        break
      }
      process = this.#head
    }
    this.#draining = false
    if (!this.#exhausted) this.#kicked = false
  }

  /** Reads the clock and adapts the stride; true when the budget of this turn is spent. */
  #look(): boolean {
    const now = this.#now()
    const elapsed = now - this.#lastLook
    this.#lastLook = now
    if (elapsed > this.#budget / 4) this.#stride = Math.max(1, this.#stride >> 2)
    else if (elapsed < this.#budget / 16 && this.#stride < LARGEST_STRIDE) this.#stride *= 2
    this.#untilLook = this.#stride
    return now >= this.#turnEnds
  }
}

/** Resolves after one turn of the event loop: microtasks and I/O that were ready have run. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

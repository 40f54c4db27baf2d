/**
 * A scheduler that picks who runs next by a seed, one message at a time, and lets promises go on in between: what the order
 * of processes may be in a real program, but reproducible.
 */

import type { Process } from '../process/process.ts'
import type { Scheduler, Start } from '../process/scheduler.ts'

/** Messages handled before promises get their turn, at most. */
const LONGEST_BURST = 16

const settled = Promise.resolve()

export class SeededScheduler implements Scheduler {
  readonly #random: () => number
  readonly #within: (process: Process | undefined, run: () => void) => void
  readonly #endTurn: () => void
  readonly #runnable: Process[] = []
  #pumping = false
  /** What nobody could catch. */
  readonly uncaught: unknown[] = []

  /**
   * @param within Runs something in the async context of a process of this simulation.
   * @param endTurn Called when nothing is left to run.
   */
  constructor(
    random: () => number,
    within: (process: Process | undefined, run: () => void) => void,
    endTurn: () => void,
  ) {
    this.#random = random
    this.#within = within
    this.#endTurn = endTurn
  }

  get idle(): boolean {
    return this.#runnable.length === 0
  }

  enqueue(process: Process): void {
    this.#runnable.push(process)
    this.#kick()
  }

  runNow(process: Process): void {
    this.enqueue(process)
  }

  resume(process: Process): void {
    this.enqueue(process)
  }

  runStart(process: Process, start: Start): void {
    this.#within(process, () => start.run())
  }

  markTurn(): void {
    this.#kick()
  }

  throwUncaught(error: unknown): void {
    this.uncaught.push(error)
  }

  #kick(): void {
    if (this.#pumping) return
    this.#pumping = true
    void settled.then(() => this.#within(undefined, () => this.#pump()))
  }

  #pump(): void {
    const burst = 1 + Math.floor(this.#random() * LONGEST_BURST)
    for (let step = 0; step < burst && this.#runnable.length > 0; step++) {
      const [process] = this.#runnable.splice(Math.floor(this.#random() * this.#runnable.length), 1)
      if (process !== undefined) this.#within(process, () => process.run(1))
    }
    this.#pumping = false
    if (this.#runnable.length > 0) this.#kick()
    else this.#endTurn()
  }
}

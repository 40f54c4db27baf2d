/** The program of a simulation: signals come when the test sends them, and its end is only noted down. */

import { exitCodeOf, type Program, type Signal } from '../process/program.ts'

export class SimulatedProgram implements Program {
  /** The code it would end with; `undefined` when nobody has set one. */
  exitCode: number | undefined = undefined
  /** It was ended at once, by `exit` or by a signal that nobody listened to. */
  exited = false
  readonly #listeners = new Map<Signal, Set<() => void>>()

  /** Sends a signal: whoever listens is told; without a listener the program ends, as a real one would. */
  signal(signal: Signal): void {
    const listeners = this.#listeners.get(signal)
    if (listeners === undefined) return this.exit(exitCodeOf(signal))
    for (const listener of [...listeners]) listener()
  }

  /** The signals that somebody listens to. */
  get listening(): readonly Signal[] {
    return [...this.#listeners.keys()]
  }

  onSignal(signal: Signal, listener: () => void): () => void {
    const listeners = this.#listeners.get(signal) ?? new Set()
    this.#listeners.set(signal, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) this.#listeners.delete(signal)
    }
  }

  exit(code: number): void {
    this.exitCode = code
    this.exited = true
  }

  end(code: number): void {
    this.exitCode = code
  }
}

/** Processes that have ended, by number, as long as somebody knows them: their refs may still come, and are the same objects. */

import type { Process } from '../process/process.ts'

export class Remembered<P extends Process> {
  readonly #ended = new Map<number, WeakRef<P>>()
  readonly #forgotten = new FinalizationRegistry<number>((id) => this.#ended.delete(id))

  keep(id: number, process: P): void {
    this.#ended.set(id, new WeakRef(process))
    this.#forgotten.register(process, id)
  }

  get(id: number): P | undefined {
    return this.#ended.get(id)?.deref()
  }
}

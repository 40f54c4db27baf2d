/** Servers that end their threads, or will not let go of them. */

import { writeSync } from 'node:fs'
import { GenServer } from 'sluice'

export class Dying extends GenServer {
  static override readonly callTimeout: number = Infinity
  readonly #stuck: Int32Array
  readonly #hoard: unknown[] = []

  /** @param argument A flag, shared, that is set when the thread is stuck. */
  constructor({ stuck = new SharedArrayBuffer(4) }: { readonly stuck?: SharedArrayBuffer } = {}) {
    super()
    this.#stuck = new Int32Array(stuck)
  }

  ping(): string {
    return 'pong'
  }

  /** Never returns. */
  spin(): void {
    Atomics.store(this.#stuck, 0, 1)
    for (;;);
  }

  exits(code: number): void {
    process.exit(code)
  }

  /** Fails where nobody can catch it. */
  failsBeside(): Promise<void> {
    void Promise.reject(new RangeError('nobody waits for this'))
    return new Promise(() => {})
  }

  hoards(): void {
    for (;;) this.#hoard.push(Array.from({ length: 1000 }, (_, index) => ({ index })))
  }

  /** Has work for a while, which the event loop knows of. */
  async works(text: string): Promise<void> {
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
    writeSync(1, text)
  }
}

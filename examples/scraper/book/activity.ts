/** Knows whether anything still happens: who waits for the end of something that nobody announces asks here. */

/** Milliseconds between two looks. */
const LOOK = 10

export class Activity {
  #running = 0
  /** Looks in a row at which nothing had happened. */
  #quiet = 0

  /** Something happened. */
  happened() {
    this.#quiet = 0
  }

  /** Something happens until it settles. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#running++
    try {
      return await work
    } finally {
      this.#running--
      this.happened()
    }
  }

  /**
   * Resolves when nothing has happened for so many milliseconds, or when the signal fires. It looks again and again, and
   * everybody has a turn between two looks: on a machine that halts for a while, one long wait would be no sign of an end.
   */
  quiet(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = setInterval(() => {
        this.#quiet = this.#running > 0 ? 0 : this.#quiet + 1
        if (this.#quiet * LOOK >= ms || signal.aborted) {
          clearInterval(look)
          resolve()
        }
      }, LOOK)
      this.happened()
    })
  }
}

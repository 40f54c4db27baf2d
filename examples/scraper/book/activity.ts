/** Knows whether anything still happens: who waits for the end of something that nobody announces asks here. */

export class Activity {
  #running = 0
  #timer: NodeJS.Timeout | undefined
  #waiting: { readonly ms: number; readonly resolve: () => void } | undefined

  /** Something happened. */
  happened() {
    clearTimeout(this.#timer)
    if (this.#waiting === undefined || this.#running > 0) return
    const { ms, resolve } = this.#waiting
    this.#timer = setTimeout(resolve, ms)
  }

  /** Something happens until it settles. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#running++
    this.happened()
    try {
      return await work
    } finally {
      this.#running--
      this.happened()
    }
  }

  /** Resolves when nothing has happened for so many milliseconds, or when the signal fires. */
  quiet(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true })
      this.#waiting = { ms, resolve }
      this.happened()
    })
  }
}

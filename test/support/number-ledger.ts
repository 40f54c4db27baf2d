/** Which of so many numbers were processed, and how often. */

export class Ledger {
  readonly #times: Uint8Array
  #waiting: { readonly count: number; readonly resolve: () => void }[] = []
  /** Numbers that were processed, without their repetitions. */
  processed = 0
  duplicates = 0

  constructor(size: number) {
    this.#times = new Uint8Array(size)
  }

  note(number: number): void {
    const times = this.#times[number] ?? 0
    this.#times[number] = Math.min(times + 1, 255)
    if (times > 0) {
      this.duplicates++
      return
    }
    this.processed++
    if (this.#waiting.length === 0) return
    for (const { resolve } of this.#waiting.filter(({ count }) => count <= this.processed)) resolve()
    this.#waiting = this.#waiting.filter(({ count }) => count > this.processed)
  }

  /** Resolves when so many different ones were processed. */
  async reach(count: number): Promise<void> {
    if (this.processed < count) await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }))
  }

  /** Of the numbers below one, those that were never processed. */
  missing(below: number): readonly number[] {
    const missing: number[] = []
    for (let number = 0; number < below; number++) if (this.#times[number] === 0) missing.push(number)
    return missing
  }
}

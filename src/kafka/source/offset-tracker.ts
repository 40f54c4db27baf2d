/**
 * Which messages of a partition are under way, and how far all of them are done. A group remembers one offset of a partition: what is
 * done behind a message that is not is kept here, until that one is done as well.
 */

/** Offsets that are done with before the list of those under way is cut. */
const CUT = 4096

export class OffsetTracker {
  /** Emitted, in order; the first `#head` of them are done. */
  #pending: number[] = []
  #head = 0
  /** Done out of order. */
  readonly #seen = new Set<number>()

  /** Messages under way. */
  get size(): number {
    return this.#pending.length - this.#head - this.#seen.size
  }

  /** The oldest that is not done. */
  get first(): number | undefined {
    return this.#pending[this.#head]
  }

  /** Messages go on their way, in order. */
  emitted(offset: number): void {
    this.#pending.push(offset)
  }

  /** They are done; true when the oldest was among them. Those that are not under way are ignored. */
  done(offsets: readonly number[]): boolean {
    const pending = this.#pending
    const before = this.#head
    for (const offset of offsets) {
      if (offset === pending[this.#head]) this.#head++
      else if (this.#isUnderWay(offset)) this.#seen.add(offset)
    }
    if (this.#head > before || this.#seen.size > 0) this.#skipSeen()
    if (this.#head === before) return false
    if (this.#head === pending.length) {
      this.#pending = []
      this.#head = 0
    } else if (this.#head >= CUT && this.#head * 2 >= pending.length) {
      this.#pending = pending.slice(this.#head)
      this.#head = 0
    }
    return true
  }

  #skipSeen(): void {
    for (let next = this.first; next !== undefined && this.#seen.delete(next); next = this.first) this.#head++
  }

  #isUnderWay(offset: number): boolean {
    const pending = this.#pending
    const first = pending[this.#head]
    const last = pending.at(-1)
    if (first === undefined || last === undefined || offset < first || offset > last) return false
    let low = this.#head
    let high = pending.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((pending[middle] ?? 0) < offset) low = middle + 1
      else high = middle
    }
    return pending[low] === offset
  }
}

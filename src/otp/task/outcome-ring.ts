/**
 * Outcomes that wait for their reader, by position: they may be put in any order, and are taken in that of their positions.
 * A ring that doubles when it is full, so all is O(1).
 */

/** Slots of the first ring; a power of two. */
const FIRST_SLOTS = 16

export class OutcomeRing<O> {
  #slots: (O | undefined)[] = new Array(FIRST_SLOTS).fill(undefined)
  /** The position that is taken next. */
  #head = 0

  get head(): number {
    return this.#head
  }

  put(position: number, outcome: O): void {
    if (position - this.#head >= this.#slots.length) this.#grow(position)
    this.#slots[position & (this.#slots.length - 1)] = outcome
  }

  /** The outcome at the head, when it is there. */
  take(): O | undefined {
    const slot = this.#head & (this.#slots.length - 1)
    const outcome = this.#slots[slot]
    if (outcome !== undefined) {
      this.#slots[slot] = undefined
      this.#head++
    }
    return outcome
  }

  /** The outcome at the head goes another way. */
  skip(): void {
    this.#head++
  }

  clear(): void {
    this.#slots = [undefined]
  }

  #grow(position: number): void {
    const full = this.#slots
    let { length } = full
    while (position - this.#head >= length) length *= 2
    const larger: (O | undefined)[] = new Array(length).fill(undefined)
    for (let place = this.#head; place < this.#head + full.length; place++) {
      larger[place & (length - 1)] = full[place & (full.length - 1)]
    }
    this.#slots = larger
  }
}

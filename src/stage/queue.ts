/** A first-in-first-out queue, O(1) at both ends. */

export class Queue<T> {
  #items: (T | undefined)[] = []
  #head = 0

  get size(): number {
    return this.#items.length - this.#head
  }

  push(item: T): void {
    this.#items.push(item)
  }

  peek(): T | undefined {
    return this.#items[this.#head]
  }

  /** The one with so many in front of it. */
  at(index: number): T | undefined {
    return this.#items[this.#head + index]
  }

  /** The one that came last. */
  last(): T | undefined {
    return this.#items.length > this.#head ? this.#items.at(-1) : undefined
  }

  /** Takes the one that came last. */
  pop(): T | undefined {
    if (this.size === 0) return undefined
    const item = this.#items.pop()
    if (this.size === 0) this.clear()
    return item
  }

  shift(): T | undefined {
    const item = this.#items[this.#head]
    if (this.#head < this.#items.length) this.#items[this.#head++] = undefined
    if (this.#head === this.#items.length) {
      this.#items.length = 0
      this.#head = 0
    } else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      // Moved once per as many shifts.
      this.#items.splice(0, this.#head)
      this.#head = 0
    }
    return item
  }

  clear(): void {
    this.#items = []
    this.#head = 0
  }
}

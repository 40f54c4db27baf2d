/** What has a time, in the order of time; of the same time in the order in which it was added. A binary heap. */

export interface Timed {
  readonly time: number
  /** Later ones have a higher number. */
  readonly order: number
}

export class TimeQueue<T extends Timed> {
  readonly #heap: T[] = []
  #order = 0

  /** The number of the next one to be added. */
  get nextOrder(): number {
    return this.#order++
  }

  get first(): T | undefined {
    return this.#heap[0]
  }

  add(added: T): void {
    const heap = this.#heap
    let place = heap.push(added) - 1
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || before(parent, added)) break
      heap[place] = parent
      place = above
    }
    heap[place] = added
  }

  /** Takes all up to a time. */
  *upTo(time: number): Generator<T> {
    for (let first = this.first; first !== undefined && first.time <= time; first = this.first) {
      this.take()
      yield first
    }
  }

  take(): T | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || last === first) return first
    let place = 0
    for (;;) {
      const below = 2 * place + 1
      const left = heap[below]
      const right = heap[below + 1]
      if (left === undefined) break
      const [child, at] = right !== undefined && before(right, left) ? [right, below + 1] : [left, below]
      if (before(last, child)) break
      heap[place] = child
      place = at
    }
    heap[place] = last
    return first
  }
}

function before(a: Timed, b: Timed): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order)
}

/** What waits for its time, the earliest first: a binary heap whose items know their places, so that any can be taken out. */

/** Something that waits for its time. The fields belong to the heap. */
export interface Due {
  /** When its time has come. */
  due: number
  /** Decides between those of the same time: who came first. */
  order: number
  /** Its place in the heap; `OUTSIDE` when it is in none. */
  place: number
}

export const OUTSIDE = -1

/** Adding and taking out are O(log n), and usually O(1) for what is due later than all others. */
export class DueHeap<T extends Due> {
  readonly #items: T[] = []
  #order = 0

  get size(): number {
    return this.#items.length
  }

  /** When the first is due; `Infinity` when there is none. */
  get nextDue(): number {
    return this.#items[0]?.due ?? Infinity
  }

  add(item: T, due: number): void {
    item.due = due
    item.order = this.#order++
    this.#items.push(item)
    this.#rise(item, this.#items.length - 1)
  }

  /** Takes an item out; nothing happens when it is not in. */
  remove(item: T): void {
    const { place } = item
    if (place === OUTSIDE) return
    item.place = OUTSIDE
    const last = this.#items.pop()
    if (last === undefined || last === item) return
    if (before(last, item)) this.#rise(last, place)
    else this.#sink(last, place)
  }

  /** Takes out the first that is due. */
  takeDue(now: number): T | undefined {
    const first = this.#items[0]
    if (first === undefined || first.due > now) return undefined
    this.remove(first)
    return first
  }

  #rise(item: T, from: number): void {
    let place = from
    while (place > 0) {
      const up = (place - 1) >> 1
      const parent = this.#items[up]
      if (parent === undefined || !before(item, parent)) break
      this.#put(parent, place)
      place = up
    }
    this.#put(item, place)
  }

  #sink(item: T, from: number): void {
    let place = from
    for (;;) {
      const left = this.#items[2 * place + 1]
      const right = this.#items[2 * place + 2]
      const child = left !== undefined && right !== undefined && before(right, left) ? right : left
      if (child === undefined || !before(child, item)) break
      const { place: down } = child
      this.#put(child, place)
      place = down
    }
    this.#put(item, place)
  }

  #put(item: T, place: number): void {
    this.#items[place] = item
    item.place = place
  }
}

function before(a: Due, b: Due): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order)
}

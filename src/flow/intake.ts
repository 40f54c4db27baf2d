/** What has a say about what arrives before a step sees it: a departition, which makes events of it, and a join. */

import type { WindowId } from './window/window.ts'
import { isWindowEvents } from './window-events.ts'

export interface Intake {
  /** The events of a batch that arrived; `from` is the same object for all batches of one producer. */
  batch(arrived: readonly unknown[], from: object): readonly unknown[]
  /** The input has ended: the events that are left. */
  end(): readonly unknown[]
}

/** How the partitions of a window become one event. */
export interface Departition {
  initial(): unknown
  merge(state: unknown, event: unknown): unknown
  done(state: unknown, id: WindowId): unknown
}

/**
 * Puts windows together again: what the partitions emitted of a window is merged as it arrives, and when all of them have closed
 * it, it becomes one event.
 */
export class DepartitionIntake implements Intake {
  readonly #departition: Departition
  readonly #partitions: number
  readonly #open = new Map<WindowId, { readonly id: WindowId; state: unknown; closed: number }>()

  constructor(departition: Departition, partitions: number) {
    this.#departition = departition
    this.#partitions = partitions
  }

  batch(arrived: readonly unknown[]): readonly unknown[] {
    const events: unknown[] = []
    for (const each of arrived) {
      if (!isWindowEvents(each)) throw new Error('a stage before a departition sent a bare event')
      const { initial, merge, done } = this.#departition
      const place = each.alone ?? each.id
      let window = this.#open.get(place)
      if (window === undefined) {
        window = { id: each.id, state: initial(), closed: 0 }
        this.#open.set(place, window)
      }
      for (const event of each.events) window.state = merge(window.state, event)
      if (!each.closes || (++window.closed < this.#partitions && each.alone === undefined)) continue
      this.#open.delete(place)
      events.push(done(window.state, each.id))
    }
    return events
  }

  end(): readonly unknown[] {
    const left = [...this.#open.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
    this.#open.clear()
    return left.map(({ id, state }) => this.#departition.done(state, id))
  }
}

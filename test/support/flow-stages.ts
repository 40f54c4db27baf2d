/** Stages that flows begin with, go through, and end in. */

import { Consumer, ignore, Producer, ProducerConsumer } from 'sluice'

type NoteBatch = (events: readonly number[]) => void

/** Batches that stages noted, and the function to hand in with `arg`. */
export function notebook(): { readonly batches: number[][]; readonly note: NoteBatch } {
  const batches: number[][] = []
  return { batches, note: (events) => void batches.push([...events]) }
}

/** Emits what it is given as it is asked, and ends. */
export class Finite extends Producer<number> {
  readonly #left: number[]

  constructor(events: readonly number[]) {
    super()
    this.#left = [...events]
  }

  override handleDemand(demand: number): readonly number[] {
    const events = this.#left.splice(0, demand)
    if (this.#left.length === 0) this.continue('end')
    return events
  }

  override handleContinue(): undefined {
    this.stop()
    return undefined
  }
}

/** Declines to start. */
export class Declining extends Producer<number> {
  override init(): void {
    throw ignore
  }

  override handleDemand(): void {}
}

/** Emits when told to, and ends as it is told. */
export class Manual extends Producer<number> {
  override handleDemand(): void {}

  give(...events: readonly number[]): void {
    this.emit(events)
  }

  end(reason: string): void {
    this.stop(reason)
  }
}

/** Notes what it gets. */
export class Collector extends Consumer<number> {
  readonly #note: NoteBatch

  constructor(note: NoteBatch) {
    super()
    this.#note = note
  }

  override handleEvents(events: readonly number[]): void {
    this.#note(events)
  }
}

/** Notes what it gets, and hands it on. */
export class Copier extends ProducerConsumer<number, number> {
  readonly #note: NoteBatch

  constructor(note: NoteBatch) {
    super()
    this.#note = note
  }

  override handleEvents(events: readonly number[]): readonly number[] {
    this.#note(events)
    return events
  }
}

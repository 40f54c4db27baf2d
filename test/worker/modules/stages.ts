/** Stages for tests, which run in workers. */

import { Consumer, PartitionDispatcher, Producer, ProducerConsumer, type Ref } from 'sluice'
import { transfer } from 'sluice/worker'

/** Numbers in a row, from 0, up to `count`. */
export class Numbers extends Producer<number> {
  readonly #count: number
  #next = 0
  #asked = 0

  constructor({ count = Infinity }: { readonly count?: number } = {}) {
    super()
    this.#count = count
  }

  override handleDemand(demand: number): readonly number[] {
    this.#asked += demand
    const events = Array.from({ length: Math.min(demand, this.#count - this.#next) }, () => this.#next++)
    if (this.#next === this.#count) this.stop()
    return events
  }

  /** How many events were asked for so far. */
  asked(): number {
    return this.#asked
  }
}

/** Emits what it is told to. */
export class Giver extends Producer<number> {
  readonly #heard: unknown[] = []

  override handleDemand(): readonly number[] {
    return []
  }

  override handleInfo(message: unknown): void {
    this.#heard.push(message)
  }

  /** The messages that it was sent. */
  heard(): readonly unknown[] {
    return this.#heard
  }

  give(events: readonly number[]): void {
    this.emit(events)
  }

  /** Emits its last events, and ends. */
  leave(events: readonly number[]): void {
    this.emit(events)
    this.stop('normal')
  }
}

export class Doubler extends ProducerConsumer<number, number> {
  override handleEvents(numbers: readonly number[]): readonly number[] {
    return numbers.map((n) => 2 * n)
  }
}

/** Sends what it gets to somebody, batch by batch. */
export class Teller extends Consumer<unknown> {
  readonly #to: Ref

  constructor({ to }: { readonly to: Ref }) {
    super()
    this.#to = to
  }

  override handleEvents(events: readonly unknown[]): void {
    this.#to.send(events)
  }

  /** Subscribes itself. */
  follow(to: Ref<{ readonly $emits: unknown }>): void {
    this.subscribe({ to })
  }
}

/** Gives its events to partitions. */
export class Parted extends Producer<number> {
  constructor() {
    super({ dispatcher: new PartitionDispatcher({ partitions: 2 }) })
  }

  override handleDemand(): readonly number[] {
    return []
  }
}

/** Emits something that cannot be sent. */
export class Odd extends Producer<unknown> {
  override handleDemand(): readonly unknown[] {
    return [1, { callback: () => 1 }]
  }
}

/** Fails at a number. */
export class Fussy extends ProducerConsumer<number, number> {
  override handleEvents(numbers: readonly number[]): readonly number[] {
    if (numbers.includes(13)) throw new RangeError('thirteen')
    return numbers
  }
}

/** Emits arrays whose memory moves. */
export class Samples extends Producer<Float64Array> {
  #sent: Float64Array[] = []

  override handleDemand(demand: number): readonly Float64Array[] {
    const events = Array.from({ length: demand }, (_, index) => transfer(Float64Array.of(index, index + 1)))
    this.#sent.push(...events)
    return events
  }

  /** Lengths of the arrays as they are here now. */
  left(): readonly number[] {
    return this.#sent.map(({ length }) => length)
  }
}

/** Emits the same array again and again, whose memory has moved. */
export class Twice extends Producer<Float64Array> {
  readonly #array = transfer(Float64Array.of(1))

  override handleDemand(): readonly Float64Array[] {
    return [this.#array]
  }

  sum(a: number, b: number): number {
    return a + b
  }
}

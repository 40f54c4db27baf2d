/**
 * Our pipeline of three stages, the same for every demand: numbers, one added to each, and a count. What the handlers do
 * is what the loop of `peers/arrays.ts` does, arrows in the call included.
 */
import { Consumer, Producer, ProducerConsumer, type Ref, start } from 'sluice'
import { rate } from '../row.ts'

export class Numbers extends Producer<number> {
  #next = 0

  constructor() {
    super({})
  }

  override handleDemand(demand: number): readonly number[] {
    const events = new Array<number>(demand)
    for (let index = 0; index < demand; index++) events[index] = this.#next++
    return events
  }
}

export class Increment extends ProducerConsumer<number, number> {
  constructor() {
    super({})
  }

  override handleEvents(events: readonly number[]): readonly number[] {
    return events.map((value) => value + 1)
  }
}

class IncrementLater extends ProducerConsumer<number, number> {
  constructor() {
    super({})
  }

  override async handleEvents(events: readonly number[]): Promise<readonly number[]> {
    return events.map((value) => value + 1)
  }
}

/** Counts up to an amount. The source never ends, so what comes after is neither counted nor timed. */
class Countdown {
  readonly done: Promise<void>
  #left: number
  #resolve!: () => void

  constructor(amount: number) {
    this.#left = amount
    this.done = new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  count(events: number): void {
    const before = this.#left
    this.#left -= events
    if (before > 0 && this.#left <= 0) this.#resolve()
  }
}

/** The sink's, one pipeline at a time: an argument would be copied at the start and no longer be ours. */
let countdown = new Countdown(0)

class Sink extends Consumer<number> {
  constructor() {
    super({})
  }

  override handleEvents(events: readonly number[]): void {
    countdown.count(events.length)
  }
}

class SinkLater extends Consumer<number> {
  constructor() {
    super({})
  }

  override async handleEvents(events: readonly number[]): Promise<void> {
    countdown.count(events.length)
  }
}

export interface Demand {
  readonly maxDemand: number
  readonly minDemand: number
}

/** Events per second from the subscription of the last stage, which sets the demand going, to the last event. */
export async function pipelineRate(amount: number, demand: Demand, later = false): Promise<number> {
  countdown = new Countdown(amount)
  const numbers = await start(Numbers, {})
  const toNumbers = { subscribeTo: [{ to: numbers, ...demand }] }
  const increments = await (later ? start(IncrementLater, toNumbers) : start(Increment, toNumbers))
  const toIncrements = { subscribeTo: [{ to: increments, ...demand }] }
  let sink: Ref<Sink> | Ref<SinkLater> | undefined
  const result = await rate(amount, async () => {
    sink = await (later ? start(SinkLater, toIncrements) : start(Sink, toIncrements))
    await countdown.done
    return amount
  })
  await sink?.stop()
  await increments.stop()
  await numbers.stop()
  return result
}

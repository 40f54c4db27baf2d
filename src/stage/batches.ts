/**
 * How the events of a message become batches, and when more is asked for. The arithmetic needs two counters: what the
 * producer may still send (`outstanding`, to notice more than was asked for), and the demand after refills (`demand`).
 * Source: GenStage's `split_batches`; table in the tests.
 */

/** The demand of one automatic subscription. */
export interface Demand {
  /** Events asked for and not yet received. */
  demand: number
  readonly min: number
  readonly max: number
}

/** Counts events as received and says what to ask for in return; may be 0. */
export function refill(demand: Demand, received: number): number {
  const left = demand.demand - received
  if (left > demand.min) {
    demand.demand = left
    return 0
  }
  demand.demand = demand.max
  return demand.max - left
}

/** Cuts one message into batches; used again for every message of a stage. */
export class Batcher {
  /** Events in the batch cut last. */
  size = 0
  /** What to ask for when that batch is done; may be 0. */
  ask = 0
  /** Events of that batch beyond what was asked for. */
  excess = 0
  #remaining = 0
  #outstanding = 0
  #demand: Demand | undefined = undefined

  /**
   * Begins a message of `length` events. Without a demand it is one batch that asks for nothing: of a manual subscription,
   * or of a producer that has gone.
   */
  begin(demand: Demand | undefined, length: number): void {
    this.#demand = demand
    this.#remaining = length
    this.#outstanding = demand?.demand ?? length
  }

  /** Cuts the next batch; false when the message is used up. */
  next(): boolean {
    if (this.#remaining === 0) return false
    const demand = this.#demand
    const batch = demand === undefined ? this.#remaining : Math.min(demand.max - demand.min, this.#remaining)
    this.#remaining -= batch
    this.size = batch
    this.excess = Math.max(0, batch - this.#outstanding)
    // Excess events are handled, but refill nothing.
    const counted = batch - this.excess
    this.#outstanding -= counted
    this.ask = demand === undefined ? 0 : refill(demand, counted)
    return true
  }
}

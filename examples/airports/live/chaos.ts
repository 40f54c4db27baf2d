/** Kills a counter now and then, to show that the totals do not mind. Nobody else knows of it. */

import { CallError, GenServer, name } from 'sluice'
import { channels, type StageBatch } from 'sluice/telemetry'
import { randomFrom } from '../../random.ts'
import { Counter, Counters } from './counter.ts'

export interface ChaosOptions {
  /** What decides when it strikes and whom. */
  readonly seed: number
  /** Batches between two strikes, on average. */
  readonly every: number
}

export class Chaos extends GenServer {
  readonly #every: number
  readonly #random: () => number
  #batchesLeft = 0
  #kills = 0

  constructor({ seed, every }: ChaosOptions) {
    super()
    this.#every = every
    this.#random = randomFrom(seed)
    this.#batchesLeft = this.#pause()
    // Every stage tells when it begins a batch; the counters need not know who listens.
    const listener = ({ stage }: StageBatch) => {
      if (stage.startsWith(`${Counter.name}#`)) name(Chaos).cast.batchBegins()
    }
    channels.stageBatch.subscribe(listener)
    this.signal.addEventListener('abort', () => channels.stageBatch.unsubscribe(listener))
  }

  async batchBegins() {
    if (--this.#batchesLeft > 0) return
    this.#batchesLeft = this.#pause()
    const counters = await this.#victims()
    const { ref } = counters[Math.floor(this.#random() * counters.length)] ?? {}
    if (ref === undefined || ref === 'restarting') return
    ref.kill()
    this.#kills++
  }

  /** Nobody, when the counters have just ended, with the run or to be started again. */
  async #victims() {
    try {
      return await name(Counters).call.whichChildren()
    } catch (error) {
      if (error instanceof CallError) return []
      throw error
    }
  }

  kills() {
    return this.#kills
  }

  /** One to twice the average, less one. */
  #pause() {
    return 1 + Math.floor(this.#random() * (2 * this.#every - 1))
  }
}

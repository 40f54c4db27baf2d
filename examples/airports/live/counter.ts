/** The consumers: several of them, each counts a batch by country and gives the tally the whole batch at once. */

import { Consumer, child, name, Supervisor } from 'sluice'
import type { Airport, Counts } from '../data/airport.ts'
import type { Batch } from './batch.ts'
import { Filter } from './filter.ts'
import { Reader } from './reader.ts'
import { Tally } from './tally.ts'

export interface CounterOptions {
  /** Milliseconds of rest after each batch: to see what a slow consumer does to those above. */
  readonly delay: number
}

export class Counter extends Consumer<Batch> {
  readonly #delay: number

  constructor({ delay }: CounterOptions) {
    // Temporary: when the filter dies the supervisor replaces the counters anyway, they need not die of it.
    super({ subscribeTo: [{ to: Filter, maxDemand: 2, cancel: 'temporary' }] })
    this.#delay = delay
  }

  /**
   * The order is what makes it safe to be killed anywhere in here: before the tally has the batch it is not confirmed, and
   * comes again; after that it may come again, and the tally knows it.
   */
  override async handleEvents(batches: readonly Batch[]) {
    for (const { id, rows, airports } of batches) {
      await name(Tally).call.add(id, rows, countByCountry(airports))
      name(Reader).cast.confirm(id)
      if (this.#delay > 0) await this.sleep(this.#delay)
    }
  }
}

export function countByCountry(airports: readonly Airport[]): Counts {
  const counts = new Map<string, number>()
  for (const { country } of airports) counts.set(country, (counts.get(country) ?? 0) + 1)
  return counts
}

export interface CountersOptions extends CounterOptions {
  /** How many. */
  readonly counters: number
  /** How often one may be restarted within 5 seconds before all is given up. */
  readonly maxRestarts: number
}

/** The counters have a supervisor of their own: when one dies, the others go on. */
export class Counters extends Supervisor {
  constructor({ counters, maxRestarts, delay }: CountersOptions) {
    const children = Array.from({ length: counters }, (_, index) =>
      child(Counter, { id: `counter_${index + 1}`, arg: { delay } }),
    )
    super({ strategy: 'one_for_one', maxRestarts, children })
  }
}

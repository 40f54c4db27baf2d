/**
 * Cuts a batch into one for each partition: first the place of each event, then arrays of the size that they will have. Arrays that
 * grow as events are added would take as long as the hash of a number.
 */

import { NONE } from '../buffer.ts'
import { show } from '../show.ts'
import { none } from './none.ts'
import type { PartitionName } from './partition.ts'

/** The place of an event that is for nobody. */
const NOWHERE = 0xffffffff

export interface SplitterOptions<Out> {
  readonly names: readonly PartitionName[]
  readonly hash: (event: Out) => unknown
  /** The error for an event whose hash threw, or named no partition. */
  readonly failed: (event: Out, thrown: unknown) => Error
}

export class Splitter<Out> {
  /** A batch for each partition, in the order of their names: of the last `split`. Who has sent one takes it away. */
  readonly batches: (readonly Out[])[]
  /** Events of the last `split` that are for nobody. */
  dropped = 0
  readonly #options: SplitterOptions<Out>
  readonly #byName: ReadonlyMap<unknown, number>
  /** They are called 0, 1, 2 ...: a name is its own place. */
  readonly #numbered: boolean
  /** The places of the events of a batch, and how many have each; the arrays are used again for every batch. */
  #places = new Uint32Array(1024)
  readonly #sizes: Uint32Array

  constructor(options: SplitterOptions<Out>) {
    const { names } = options
    this.#options = options
    this.#byName = new Map(names.map((name, place) => [name, place]))
    this.#numbered = names.every((name, place) => name === place)
    this.#sizes = new Uint32Array(names.length)
    this.batches = names.map(() => NONE)
  }

  /** Splits events from the first on, until so many are found that are for somebody; says how many it took. */
  split(events: readonly Out[], wanted: number): number {
    const { hash, failed } = this.#options
    if (this.#places.length < events.length) this.#places = new Uint32Array(2 * events.length)
    const byName = this.#byName
    const numbered = this.#numbered
    const places = this.#places
    const sizes = this.#sizes.fill(0)
    let replaced: Out[] | undefined
    let left = wanted
    let index = 0
    try {
      for (; index < events.length && left > 0; index++) {
        const hashed = hash(events[index] as Out)
        const size = numbered && typeof hashed === 'number' ? sizes[hashed] : undefined
        if (typeof hashed === 'number' && size !== undefined) {
          places[index] = hashed
          sizes[hashed] = size + 1
          left--
          continue
        }
        if (hashed === none) {
          places[index] = NOWHERE
          continue
        }
        let place = byName.get(hashed)
        if (place === undefined) {
          const pair = this.#pairOf(hashed)
          place = pair.place
          replaced ??= [...events]
          replaced[index] = pair.event
        }
        places[index] = place
        sizes[place] = (sizes[place] ?? 0) + 1
        left--
      }
    } catch (thrown) {
      throw failed(events[index] as Out, thrown)
    }
    this.dropped = index - (wanted - left)
    this.#fill(replaced ?? events, index)
    return index
  }

  /** Puts the events into the batches of their places. */
  #fill(events: readonly Out[], count: number): void {
    const { batches } = this
    const places = this.#places
    const sizes = this.#sizes
    const open: Out[][] = []
    for (let place = 0; place < batches.length; place++) {
      const size = sizes[place] ?? 0
      sizes[place] = 0
      batches[place] = open[place] = new Array<Out>(size)
    }
    for (let index = 0; index < count; index++) {
      const place = places[index] ?? NOWHERE
      const batch = open[place]
      if (batch === undefined) continue
      const size = sizes[place] ?? 0
      batch[size] = events[index] as Out
      sizes[place] = size + 1
    }
  }

  /** What a hash says that is more than a name: what the partition gets instead of the event. */
  #pairOf(hashed: unknown): { readonly place: number; readonly event: Out } {
    let name = hashed
    if (typeof hashed === 'object' && hashed !== null && 'event' in hashed && 'partition' in hashed) {
      name = hashed.partition
      const place = this.#byName.get(name)
      if (place !== undefined) return { place, event: hashed.event as Out }
    }
    const expected = this.#options.names.map(show).join(', ')
    throw new TypeError(`it returned ${show(name)}, expected ${expected}, none or { event, partition }`)
  }
}

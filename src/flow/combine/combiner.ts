/** A stage accumulates what it emits for the next step: one accumulator for each stage there, sent on now and then. */

import { None } from '../../stage/dispatchers/none.ts'
import type { Hashed } from '../../stage/dispatchers/partition-dispatcher.ts'
import { Keys } from '../keys.ts'
import type { StageContext, UniqOperation } from '../operation.ts'
import type { Combined, CombinedReducer, Combining } from './combining.ts'

type Events = readonly unknown[]

/** Milliseconds after which what was accumulated is sent on, so that an endless flow sees it. */
export const COMBINED_FOR = 250
/** Events that are accumulated at most. */
const MOST_EVENTS = 1_000_000
/** Keys or elements of an accumulator at most. */
const MOST_KEYS = 50_000

/** What is in front of a dispatcher. */
export interface Combiner {
  /** What is to be sent on now, of these events and those before. */
  take(events: Events): Events
  /** All that is left. */
  flush(): Events
  /** Something waits to be sent on. */
  readonly pending: boolean
}

/** @param context What accumulators are made with: there are no windows here that they could fire. */
export function makeCombiner(combining: Combining, context: StageContext): Combiner {
  return combining.kind === 'uniq' ? new UniqCombiner(combining.operation) : new ReduceCombiner(combining, context)
}

class ReduceCombiner implements Combiner {
  readonly #reducer: CombinedReducer
  readonly #context: StageContext
  readonly #partitionOf: (event: unknown) => Hashed<unknown, number>
  /** By partition. */
  readonly #states = new Map<number, unknown>()
  #events = 0

  constructor({ reducer, dispatch }: Extract<Combining, { readonly kind: 'reduce' }>, context: StageContext) {
    this.#reducer = reducer
    this.#context = context
    this.#partitionOf = dispatch.kind === 'partition' ? dispatch.route(dispatch.partitions) : () => 0
  }

  get pending(): boolean {
    return this.#events > 0
  }

  take(events: Events): Events {
    const states = this.#states
    const { run, initial } = this.#reducer
    for (const each of events) {
      const place = this.#partitionOf(each)
      let event = each
      let partition: number
      if (typeof place === 'number') {
        partition = place
      } else {
        if (place instanceof None) continue
        event = place.event
        partition = place.partition
      }
      let state = states.get(partition)
      const begun = state !== undefined || states.has(partition)
      if (!begun) state = initial(this.#context)
      const next = run(event, state)
      if (!begun || next !== state) states.set(partition, next)
    }
    this.#events += events.length
    return this.#events >= MOST_EVENTS || this.#keys >= MOST_KEYS ? this.flush() : []
  }

  flush(): Events {
    const { sent } = this.#reducer.combine
    const combined: Combined[] = []
    for (const [partition, state] of this.#states) {
      combined.push({ partition, state: sent === undefined ? state : sent(state) })
    }
    this.#states.clear()
    this.#events = 0
    return combined
  }

  get #keys(): number {
    let keys = 0
    for (const state of this.#states.values()) keys += sizeOf(state)
    return keys
  }
}

/** Equal events need to be sent once only; where some are sent again they are found to be equal there. */
class UniqCombiner implements Combiner {
  readonly pending = false
  readonly #keyOf: UniqOperation['key']
  #keys = new Keys()
  #seen = new Set<unknown>()

  constructor({ key }: UniqOperation) {
    this.#keyOf = key
  }

  take(events: Events): Events {
    if (this.#seen.size >= MOST_KEYS) {
      this.#seen = new Set()
      this.#keys = new Keys()
    }
    return events.filter((event) => {
      const key = this.#keys.of(this.#keyOf(event))
      if (this.#seen.has(key)) return false
      this.#seen.add(key)
      return true
    })
  }

  flush(): Events {
    return []
  }
}

function sizeOf(state: unknown): number {
  if (Array.isArray(state)) return state.length
  if (typeof state !== 'object' || state === null) return 1
  return 'size' in state && typeof state.size === 'number' ? state.size : 1
}

/** A stage accumulates what it emits for the next step: one accumulator for each stage there, sent on now and then. */

import { None } from '../../stage/dispatchers/none.ts'
import type { Hashed } from '../../stage/dispatchers/partition-dispatcher.ts'
import type { Dispatch } from '../definition.ts'
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
  return combining.kind === 'uniq' ? new UniqCombiner(combining) : new ReduceCombiner(combining, context)
}

class ReduceCombiner implements Combiner {
  readonly #reducer: CombinedReducer
  readonly #context: StageContext
  readonly #placeOf: PlaceOf
  /** By partition. */
  readonly #states = new Map<number, unknown>()
  #events = 0

  constructor({ reducer, dispatch }: Extract<Combining, { readonly kind: 'reduce' }>, context: StageContext) {
    this.#reducer = reducer
    this.#context = context
    this.#placeOf = placeFunction(dispatch)
  }

  get pending(): boolean {
    return this.#events > 0
  }

  take(events: Events): Events {
    const states = this.#states
    const { run, initial } = this.#reducer
    for (const each of events) {
      const place = this.#placeOf(each)
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

/**
 * Equal events need to be sent to a stage once only; where some are sent again they are found to be equal there. What one stage has
 * had says nothing about the others.
 */
class UniqCombiner implements Combiner {
  readonly pending = false
  readonly #keyOf: UniqOperation['key']
  readonly #placeOf: PlaceOf
  /** By partition. */
  readonly #seen = new Map<number, { readonly keys: Keys; readonly seen: Set<unknown> }>()

  constructor({ operation, dispatch }: Extract<Combining, { readonly kind: 'uniq' }>) {
    this.#keyOf = operation.key
    this.#placeOf = placeFunction(dispatch)
  }

  take(events: Events): Events {
    return events.filter((event) => {
      const place = this.#placeOf(event)
      if (place instanceof None) return false
      if (typeof place === 'number') return this.#isNew(place, event)
      return this.#isNew(place.partition, place.event)
    })
  }

  flush(): Events {
    return []
  }

  #isNew(partition: number, event: unknown): boolean {
    let known = this.#seen.get(partition)
    if (known === undefined || known.seen.size >= MOST_KEYS) {
      known = { keys: new Keys(), seen: new Set() }
      this.#seen.set(partition, known)
    }
    const key = known.keys.of(this.#keyOf(event))
    if (known.seen.has(key)) return false
    known.seen.add(key)
    return true
  }
}

function sizeOf(state: unknown): number {
  if (Array.isArray(state)) return state.length
  if (typeof state !== 'object' || state === null) return 1
  return 'size' in state && typeof state.size === 'number' ? state.size : 1
}

type PlaceOf = (event: unknown) => Hashed<unknown, number>

/** Which stage gets an event; by demand any may, so there is one accumulator for all. */
function placeFunction(dispatch: Dispatch): PlaceOf {
  return dispatch.kind === 'partition' ? dispatch.route(dispatch.partitions ?? 1) : () => 0
}

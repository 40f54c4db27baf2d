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
  if (combining.kind === 'uniq') return new UniqCombiner(combining)
  const { reducer, dispatch, sameKey } = combining
  const parts = sameKey && dispatch.kind === 'partition' ? reducer.combine.parts : undefined
  if (parts === undefined) return new ReduceCombiner(reducer, placeFunction(dispatch), context)
  return new KeyedCombiner(reducer, (state) => parts(state, partitionsOf(dispatch)), context)
}

/** The key of the reducer is that of the partition: where a key goes is asked once, when all events with it are one. */
class KeyedCombiner implements Combiner {
  readonly #reducer: CombinedReducer
  readonly #partsOf: (state: unknown) => readonly unknown[]
  readonly #context: StageContext
  #state: unknown = undefined
  #events = 0

  constructor(reducer: CombinedReducer, partsOf: (state: unknown) => readonly unknown[], context: StageContext) {
    this.#reducer = reducer
    this.#partsOf = partsOf
    this.#context = context
  }

  get pending(): boolean {
    return this.#events > 0
  }

  take(events: Events): Events {
    const { run, initial } = this.#reducer
    let state = this.#events === 0 ? initial(this.#context) : this.#state
    for (let index = 0; index < events.length; index++) state = run(events[index], state)
    this.#state = state
    this.#events += events.length
    return this.#events >= MOST_EVENTS || sizeOf(state) >= MOST_KEYS ? this.flush() : []
  }

  flush(): Events {
    if (this.#events === 0) return []
    const combined: Combined[] = []
    for (const [partition, state] of this.#partsOf(this.#state).entries()) {
      if (state !== undefined) combined.push({ partition, state })
    }
    this.#state = undefined
    this.#events = 0
    return combined
  }
}

class ReduceCombiner implements Combiner {
  readonly #reducer: CombinedReducer
  readonly #context: StageContext
  readonly #placeOf: PlaceOf
  /** By partition. */
  #states: unknown[] = []
  #events = 0

  constructor(reducer: CombinedReducer, placeOf: PlaceOf, context: StageContext) {
    this.#reducer = reducer
    this.#context = context
    this.#placeOf = placeOf
  }

  get pending(): boolean {
    return this.#events > 0
  }

  take(events: Events): Events {
    const states = this.#states
    const placeOf = this.#placeOf
    const { run, initial } = this.#reducer
    for (let index = 0; index < events.length; index++) {
      let event = events[index]
      let partition = placeOf(event)
      if (typeof partition !== 'number') {
        if (partition instanceof None) continue
        event = partition.event
        partition = partition.partition
      }
      const state = states[partition]
      const begun = state !== undefined || partition in states
      const next = run(event, begun ? state : initial(this.#context))
      if (!begun || next !== state) states[partition] = next
    }
    this.#events += events.length
    return this.#events >= MOST_EVENTS || this.#keys >= MOST_KEYS ? this.flush() : []
  }

  flush(): Events {
    const { sent } = this.#reducer.combine
    const combined: Combined[] = []
    // Also those that a hash has named and that are not there, so that the dispatcher refuses them.
    for (const [partition, state] of Object.entries(this.#states)) {
      combined.push({ partition: Number(partition), state: sent === undefined ? state : sent(state) })
    }
    this.#states = []
    this.#events = 0
    return combined
  }

  get #keys(): number {
    let keys = 0
    for (const state of Object.values(this.#states)) keys += sizeOf(state)
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

  constructor({ operation, dispatch, sameKey }: Extract<Combining, { readonly kind: 'uniq' }>) {
    this.#keyOf = operation.key
    // What is equal goes to the same stage: nobody needs to know which.
    this.#placeOf = sameKey ? () => 0 : placeFunction(dispatch)
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
  return dispatch.kind === 'partition' ? dispatch.route(partitionsOf(dispatch)) : () => 0
}

function partitionsOf(dispatch: Dispatch): number {
  return dispatch.kind === 'partition' ? (dispatch.partitions ?? 1) : 1
}

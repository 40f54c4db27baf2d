/** Important events first: what waits for demand leaves by priority, not in the order in which it came. */

import type { BufferKeep, EventBuffer, Info } from '../buffer.ts'
import { StageError } from '../errors.ts'
import type { Subscription } from '../subscription.ts'
import type { DispatcherOption, SubscriptionOptions } from '../subscription-options.ts'
import { DemandDispatcher } from './demand-dispatcher.ts'
import type { Dispatcher, DispatcherHost } from './dispatcher.ts'
import { type Levels, PriorityBuffer } from './priority-buffer.ts'

/** The levels of priority: their names, the highest first, or how many there are, 0 being the highest. */
export type PriorityLevels = readonly string[] | number

export interface PriorityDispatcherOptions<Out, Given extends PriorityLevels> {
  /** The levels: their names, the highest first, or how many there are, then they are 0 (the highest), 1, 2 ... */
  readonly levels: Given
  /** The level of an event. It is asked more than once, so it should be quick and give the same answer. */
  readonly priority: (event: Out) => Given extends readonly (infer Name)[] ? Name : number
  /**
   * Events of higher levels that may go before one of a level that waits, >= 1. Default `Infinity`: lower levels wait as long
   * as there is anything higher.
   */
  readonly patience?: number | undefined
  /** Decides which consumer gets the events. Default `new DemandDispatcher()`. */
  readonly dispatcher?: Dispatcher<NoInfer<Out>> | undefined
}

/**
 * Sends important events first: what is emitted at once leaves by priority, and so does what waits because nobody has asked.
 * Who gets the events is decided by another dispatcher. Order is kept within a level.
 *
 * ```text
 *               ┌ urgent  7      ┐
 *   emitted ──> │ normal  2 5 6  │ ──> 7 2 5 6 1 3 4 ──> DemandDispatcher ──> consumers
 *               └ bulk    1 3 4  ┘
 *                 bufferSize in all
 * ```
 * When the buffer is full the lowest level that holds anything pays: with `bufferKeep: 'last'` it loses its oldest events, with
 * `'first'` its newest. What has been sent to a consumer is not overtaken any more, so a small `maxDemand` serves important
 * events sooner. Elixir has none.
 *
 * @example
 * ```ts
 * import { PriorityDispatcher, Producer } from 'sluice'
 *
 * interface Order { readonly express: boolean }
 * class Orders extends Producer<Order> {
 *   constructor() {
 *     super({
 *       bufferSize: 1000,
 *       dispatcher: new PriorityDispatcher({
 *         levels: ['express', 'normal'],
 *         priority: ({ express }) => express ? 'express' : 'normal',
 *         patience: 20,                        // after 20 express orders a normal one goes
 *       }),
 *     })
 *   }
 *   override handleDemand() {}
 *   order(...orders: Order[]) { this.emit(orders) }
 * }
 * ```
 */
export class PriorityDispatcher<Out, const Given extends PriorityLevels = PriorityLevels> implements Dispatcher<Out> {
  readonly #levels: Levels<Out>
  readonly #patience: number
  readonly #dispatcher: Dispatcher<Out>

  /** @throws `StageError` `bad_options`, which names the option, the value and what is allowed. */
  constructor(options: PriorityDispatcherOptions<Out, Given>) {
    const { levels, priority, patience = Infinity, dispatcher = new DemandDispatcher() } = options
    this.#levels = { count: countOf(levels), of: levelOf(levels, priority) }
    if (!(patience === Infinity || Number.isInteger(patience)) || patience < 1) {
      throw bad('patience', patience, 'a whole number >= 1 or Infinity')
    }
    if ('buffer' in dispatcher) {
      throw bad('dispatcher', dispatcher.constructor.name, 'one that leaves it to the stage where events wait')
    }
    this.#patience = patience
    this.#dispatcher = dispatcher
  }

  buffer(size: number, keep: BufferKeep): EventBuffer<unknown> {
    return new PriorityBuffer(size, keep, this.#levels, this.#patience)
  }

  // The rest is the other dispatcher's business.

  get options(): readonly DispatcherOption[] {
    return this.#dispatcher.options ?? []
  }

  get ready(): number {
    return this.#dispatcher.ready
  }

  get kept(): number {
    return this.#dispatcher.kept ?? 0
  }

  check(options: SubscriptionOptions<never>): string | undefined {
    return this.#dispatcher.check?.(options)
  }

  attach(host: DispatcherHost): void {
    this.#dispatcher.attach(host)
  }

  subscribe(subscription: Subscription): ReturnType<Dispatcher['subscribe']> {
    return this.#dispatcher.subscribe(subscription)
  }

  cancel(subscription: Subscription): number {
    return this.#dispatcher.cancel(subscription)
  }

  ask(demand: number, subscription: Subscription): number {
    return this.#dispatcher.ask(demand, subscription)
  }

  dispatch(events: readonly Out[]): readonly unknown[] {
    return this.#dispatcher.dispatch(events)
  }

  info(info: Info): void {
    this.#dispatcher.info(info)
  }
}

function countOf(levels: PriorityLevels): number {
  const count = typeof levels === 'number' ? levels : new Set(levels).size
  if (Number.isInteger(count) && count >= 1 && (typeof levels === 'number' || levels.length === count)) return count
  throw bad('levels', String(levels), 'a whole number >= 1, or the names of the levels, each once')
}

/** Gives the level of an event as a number; an answer that is no level ends the producer. */
function levelOf<Out>(levels: PriorityLevels, priority: (event: Out) => unknown): (event: Out) => number {
  const known =
    typeof levels === 'number' ? undefined : new Map<unknown, number>(levels.map((name, level) => [name, level]))
  const count = countOf(levels)
  return (event) => {
    const answer = priority(event)
    const level = known === undefined ? answer : known.get(answer)
    if (typeof level === 'number' && Number.isInteger(level) && level >= 0 && level < count) return level
    const expected = known === undefined ? `a whole number from 0 to ${count - 1}` : [...known.keys()].join(', ')
    throw new StageError('bad_return', `priority of a PriorityDispatcher gave ${String(answer)}, expected ${expected}`)
  }
}

function bad(option: string, value: unknown, expected: string): StageError {
  return new StageError('bad_options', `${option} of a PriorityDispatcher: expected ${expected}, got ${String(value)}`)
}

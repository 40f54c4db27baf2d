/**
 * A dispatcher that is held to its contract: what it returns is checked where it is cheap to, and a breach becomes an error
 * that names the dispatcher, the producer and the rule.
 */

import type { ExitReason } from '../../process/exit-reason.ts'
import { errand } from '../../process/message.ts'
import type { Process } from '../../process/process.ts'
import { Buffer, type BufferKeep, type EventBuffer, type Info } from '../buffer.ts'
import { StageError } from '../errors.ts'
import { show } from '../show.ts'
import type { Subscription } from '../subscription.ts'
import { DISPATCHER_OPTIONS, type SubscriptionOptions } from '../subscription-options.ts'
import type { Dispatcher } from './dispatcher.ts'

/** The producer of each dispatcher: it has only one. */
const producers = new WeakMap<Dispatcher, string>()

export class CheckedDispatcher {
  readonly #dispatcher: Dispatcher
  readonly #process: Process

  /** `demand` takes demand that the dispatcher has by itself. */
  constructor(dispatcher: Dispatcher, process: Process, demand: (count: number) => void) {
    this.#dispatcher = dispatcher
    this.#process = process
    const producer = `${process}`
    const other = producers.get(dispatcher)
    if (other !== undefined) {
      throw new StageError(
        'bad_dispatcher',
        `the ${this.name} of ${other} was given to ${producer} too: make one in each constructor`,
      )
    }
    producers.set(dispatcher, producer)
    try {
      dispatcher.attach({
        producer,
        logger: process.runtime.logger,
        random: process.runtime.random,
        demand: (count) => {
          this.#demand('it asked the host for', count)
          process.deliver(
            errand(() => demand(count)),
            [],
          )
        },
      })
    } catch (thrown) {
      throw this.#thrown('attach', thrown)
    }
  }

  /** Name of the dispatcher's class. */
  get name(): string {
    const { name } = this.#dispatcher.constructor
    return name === 'Object' ? 'dispatcher' : name
  }

  /** Where events wait that it gives back. */
  buffer(size: number, keep: BufferKeep): EventBuffer<unknown> {
    try {
      return this.#dispatcher.buffer?.(size, keep) ?? new Buffer(size, keep)
    } catch (thrown) {
      throw this.#thrown('buffer', thrown)
    }
  }

  get kept(): number {
    return this.#dispatcher.kept ?? 0
  }

  /** Shows the events that the dispatcher keeps, as far as it does. */
  eachKept(see: (events: readonly unknown[]) => void): void {
    this.#dispatcher.eachKept?.(see)
  }

  /** What is wrong with the options of a subscription. */
  problem(options: SubscriptionOptions<never>): string | undefined {
    const taken: readonly string[] = this.#dispatcher.options ?? []
    for (const [option, usual] of DISPATCHER_OPTIONS) {
      if (options[option] === undefined || taken.includes(option)) continue
      return `it has a ${this.name}, which takes no ${option}; leave it out, or give the producer a dispatcher that does, as ${usual}`
    }
    try {
      return this.#dispatcher.check?.(options)
    } catch (thrown) {
      throw this.#thrown('check', thrown)
    }
  }

  /** The new demand, or why the subscription is refused. */
  subscribe(subscription: Subscription): number | { readonly refused: ExitReason } {
    let answer: ReturnType<Dispatcher['subscribe']>
    try {
      answer = this.#dispatcher.subscribe(subscription)
    } catch (thrown) {
      throw this.#thrown('subscribe', thrown)
    }
    if (typeof answer === 'object' && answer !== null && 'refused' in answer) return answer
    return this.#demand('subscribe returned', answer)
  }

  cancel(subscription: Subscription): number {
    let demand: number
    try {
      demand = this.#dispatcher.cancel(subscription)
    } catch (thrown) {
      throw this.#thrown('cancel', thrown)
    }
    return this.#demand('cancel returned', demand)
  }

  ask(demand: number, subscription: Subscription): number {
    let granted: number
    try {
      granted = this.#dispatcher.ask(demand, subscription)
    } catch (thrown) {
      throw this.#thrown('ask', thrown)
    }
    return this.#demand('ask returned', granted)
  }

  /** Events that `dispatch` takes now. */
  get ready(): number {
    const { ready } = this.#dispatcher
    if (ready >= 0) return ready
    throw this.#broken(`ready is ${show(ready)}, expected a number >= 0`)
  }

  /** What the dispatcher said it would take came back. */
  bounced(ready: number, events: readonly unknown[]): StageError {
    return this.#broken(`ready was ${ready}, but dispatch gave back ${events.length} of no more events`)
  }

  dispatch(events: readonly unknown[]): readonly unknown[] {
    let left: readonly unknown[]
    try {
      left = this.#dispatcher.dispatch(events)
    } catch (thrown) {
      throw this.#thrown('dispatch', thrown)
    }
    if (!Array.isArray(left) || left.length > 0) this.#checkLeftover(events, left)
    return left
  }

  info(info: Info): void {
    try {
      this.#dispatcher.info(info)
    } catch (thrown) {
      throw this.#thrown('info', thrown)
    }
  }

  #demand(method: string, demand: number): number {
    if (Number.isInteger(demand) && demand >= 0) return demand
    throw this.#broken(`${method} ${show(demand)}, expected new demand, a whole number >= 0`)
  }

  /** Its ends are looked at, not all of it: a leftover may be long. */
  #checkLeftover(events: readonly unknown[], left: unknown): void {
    if (!Array.isArray(left)) {
      throw this.#broken(`dispatch returned ${show(left)}, expected an array of the events that it gives back`)
    }
    const from = events.length - left.length
    if (from < 0) {
      throw this.#broken(`dispatch was given ${events.length} events and gave back ${left.length}`)
    }
    if (!Object.is(left[0], events[from]) || !Object.is(left.at(-1), events.at(-1))) {
      throw this.#broken(
        `dispatch gave back ${left.length} events that are not the last ${left.length} it was given, in their order`,
      )
    }
    const { ready } = this
    if (ready > 0) {
      throw this.#broken(`dispatch gave back ${left.length} events, but ready is ${ready}: expected 0`)
    }
  }

  #thrown(method: string, thrown: unknown): StageError {
    if (thrown instanceof StageError) return thrown
    const cause = thrown instanceof Error ? thrown : new Error(show(thrown))
    return this.#broken(`${method} threw ${cause}`, cause)
  }

  #broken(text: string, cause?: Error): StageError {
    const message = `the ${this.name} of ${this.#process} breaks the contract of dispatchers: ${text}`
    return new StageError('bad_dispatcher', message, cause)
  }
}

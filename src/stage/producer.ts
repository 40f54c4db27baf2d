/** Producer: the stage where events come from. */

import { defineBase } from '../otp/definition.ts'
import { members, serverOf } from '../otp/gen-server.ts'
import { ProducerBehaviour } from './producer-behaviour.ts'
import type { ProducerOptions } from './producer-options.ts'
import { Stage } from './stage.ts'

/** What a callback that emits may return: events, or nothing, now or later. */
// biome-ignore lint/suspicious/noConfusingVoidType: an async callback without a return has this type
export type Emitted<Out> = readonly Out[] | void | Promise<readonly Out[] | void>

/**
 * A stage that emits events when they are asked for. Demand is asked once and adds up: what `handleDemand` does not return
 * now must be emitted later, with `this.emit`, without being asked again.
 *
 * @example
 * ```ts
 * import { Consumer, Producer, start } from 'sluice'
 *
 * class Counter extends Producer<number> {
 *   #next = 0
 *   override handleDemand(demand: number) { return Array.from({ length: demand }, () => this.#next++) }
 * }
 * class Printer extends Consumer<number> {
 *   override handleEvents(numbers: readonly number[]) { console.log(numbers) }
 * }
 * const counter = await start(Counter)
 * const printer = await start(Printer, { subscribeTo: [{ to: counter, maxDemand: 10 }] })
 * await printer.stop()
 * await counter.stop()
 * ```
 * Elixir: `GenStage` with `{:producer, state, options}`.
 */
export abstract class Producer<Out> extends Stage<undefined, Emitted<Out>> {
  declare readonly $base?: Producer<unknown> | undefined
  /** The type of the events; exists for the compiler only. */
  declare readonly $emits: Out

  /** @param options Stage options; what a subclass passes to `super`. */
  constructor(options: ProducerOptions<Out> = {}) {
    super(options)
  }

  /** Consumers asked for `demand` more events, > 0. Never called with what was asked before. */
  abstract handleDemand(demand: number): Emitted<Out>

  /** The buffer overflowed and `count` events were discarded. Return false to keep the warning out of the log. */
  formatDiscarded(_count: number): boolean {
    return true
  }

  /** Emits events, at any time while the process lives: to those who asked, the rest waits in the buffer. */
  declare readonly emit: (events: readonly Out[]) => void

  static {
    members(Producer.prototype, { emit })
  }
}

/** `emit` of the stages that have it. */
export function emit(this: Stage, events: readonly unknown[]): void {
  const behaviour = serverOf(this)
  if (behaviour !== undefined && 'emit' in behaviour && typeof behaviour.emit === 'function') behaviour.emit(events)
}

defineBase(Producer, (process, definition) => new ProducerBehaviour(process, definition), {
  abstractCallbacks: ['handleDemand'],
})

/** ProducerConsumer: the stage in the middle. */

import { defineBase } from '../otp/definition.ts'
import { members } from '../otp/gen-server.ts'
import type { ConsumerOptions } from './consumer.ts'
import { type Emitted, emit } from './producer.ts'
import { ProducerConsumerBehaviour } from './producer-consumer-behaviour.ts'
import type { ProducerConsumerOutOptions } from './producer-options.ts'
import { Stage } from './stage.ts'
import type { manual } from './stage-behaviour.ts'
import { subscribeFromInside } from './subscribe.ts'
import type { Subscription } from './subscription.ts'
import type { SubscribeTo } from './subscription-options.ts'

/** Options of stages in the middle. */
export interface ProducerConsumerOptions<In, Out> extends ConsumerOptions<In>, ProducerConsumerOutOptions<Out> {}

/**
 * A stage that takes events and emits others. It handles events only while somebody downstream has asked, so that a slow
 * consumer slows down everything above it; what it emits beyond the demand waits in its buffer.
 *
 * Elixir: `GenStage` with `{:producer_consumer, state, options}`.
 */
export abstract class ProducerConsumer<In, Out> extends Stage<typeof manual, Emitted<Out>> {
  declare readonly $base?: ProducerConsumer<unknown, unknown> | undefined
  declare readonly $options?: ConsumerOptions<In> | undefined
  /** The type of the events it emits; exists for the compiler only. */
  declare readonly $emits: Out
  /** The type of the events it handles; exists for the compiler only. */
  declare readonly $handles: (event: In) => void

  /** @param options Stage options; what a subclass passes to `super`. */
  constructor(options: ProducerConsumerOptions<In, Out> = {}) {
    super(options)
  }

  /** Events to handle, at least one. What it returns is emitted before more is asked for. */
  abstract handleEvents(events: readonly In[], subscription: Subscription): Emitted<Out>

  /** The buffer overflowed and `count` events were discarded. Return false to keep the warning out of the log. */
  formatDiscarded(_count: number): boolean {
    return true
  }

  /** Emits events, at any time while the process lives: to those who asked, the rest waits in the buffer. */
  declare readonly emit: (events: readonly Out[]) => void
  /** Subscribes this stage to a producer while it runs. */
  declare readonly subscribe: (to: SubscribeTo<In>) => Subscription

  static {
    members(ProducerConsumer.prototype, { emit, subscribe: subscribeFromInside })
  }
}

defineBase(ProducerConsumer, (process, definition) => new ProducerConsumerBehaviour(process, definition), {
  options: ['subscribeTo'],
  abstractCallbacks: ['handleEvents'],
})

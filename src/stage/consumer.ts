/** Consumer: the stage where events end. */

import { defineBase } from '../otp/definition.ts'
import { members } from '../otp/gen-server.ts'
import { ConsumerBehaviour } from './consumer-behaviour.ts'
import { Stage } from './stage.ts'
import type { manual } from './stage-behaviour.ts'
import { subscribeFromInside } from './subscribe.ts'
import type { Subscription } from './subscription.ts'
import type { SubscribeTo } from './subscription-options.ts'
import type { Subscribing } from './subscription-target.ts'

/** Options of stages that take events. */
export interface ConsumerOptions<In> {
  /** Where the events come from; made in order when the stage starts. */
  readonly subscribeTo?: readonly Subscribing<In>[] | undefined
}

/**
 * A stage that handles events. It asks for `maxDemand` events and, as they are handled, for more whenever no more than
 * `minDemand` are still to come; batches are at most `maxDemand - minDemand` long. An event is lost when its consumer
 * crashes: there is no redelivery in this layer.
 *
 * Elixir: `GenStage` with `{:consumer, state, options}`.
 */
export abstract class Consumer<In> extends Stage<typeof manual, void | Promise<void>> {
  declare readonly $base?: Consumer<unknown> | undefined
  declare readonly $options?: ConsumerOptions<In> | undefined
  /** The type of the events; exists for the compiler only. */
  declare readonly $handles: (event: In) => void

  /** @param options Stage options; what a subclass passes to `super`. */
  constructor(options: ConsumerOptions<In> = {}) {
    super(options)
  }

  /** Events to handle, at least one, in the order of their emission. More is asked for when the callback is done. */
  abstract handleEvents(events: readonly In[], subscription: Subscription): void | Promise<void>

  /** Subscribes this stage to a producer while it runs. */
  declare readonly subscribe: (to: SubscribeTo<In>) => Subscription

  static {
    members(Consumer.prototype, { subscribe: subscribeFromInside })
  }
}

defineBase(Consumer, (process, definition) => new ConsumerBehaviour(process, definition), {
  options: ['subscribeTo'],
  abstractCallbacks: ['handleEvents'],
})

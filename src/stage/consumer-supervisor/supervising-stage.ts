/** The base of ConsumerSupervisor: a stage that takes events and has children, below the messages of its API. */

import { defineBase } from '../../otp/definition.ts'
import { members } from '../../otp/gen-server.ts'
import type { ConsumerOptions } from '../consumer.ts'
import { Stage } from '../stage.ts'
import { subscribeFromInside } from '../subscribe.ts'
import type { Subscription } from '../subscription.ts'
import type { SubscribeTo } from '../subscription-options.ts'
import { ConsumerSupervisorBehaviour } from './consumer-supervisor-behaviour.ts'

export abstract class SupervisingStage<In> extends Stage<undefined, void | Promise<void>> {
  declare readonly $base?: SupervisingStage<unknown> | undefined
  declare readonly $options?: ConsumerOptions<In> | undefined
  /** The type of the events; exists for the compiler only. */
  declare readonly $handles: (event: In) => void

  static override readonly childType: 'worker' | 'supervisor' = 'supervisor'
  static override readonly callTimeout: number = Infinity
  /** Each child has its own deadline. */
  static override readonly stopTimeout: number = Infinity

  /** Subscribes this stage to a producer while it runs. */
  declare readonly subscribe: (to: SubscribeTo<In>) => Subscription

  static {
    members(SupervisingStage.prototype, { subscribe: subscribeFromInside })
  }
}

defineBase(SupervisingStage, (process, definition) => new ConsumerSupervisorBehaviour(process, definition), {
  options: ['subscribeTo'],
})

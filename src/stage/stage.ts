/** What all kinds of stages have in common: the callbacks about subscriptions, and the options given to `super`. */

import { GenServer } from '../otp/gen-server.ts'
import type { ExitReason } from '../process/exit-reason.ts'
import type { Subscription } from './subscription.ts'

/** How a subscription ended: it was cancelled, or the other side is down. */
export interface Cancellation {
  readonly kind: 'cancel' | 'down'
  readonly reason: ExitReason
}

/** The options that a stage gave to `super`. */
export let optionsOf: (stage: Stage) => object

/** `Subscribed` is what `handleSubscribe` may return beside nothing, `Returned` what the other callbacks may. */
export abstract class Stage<Subscribed = unknown, Returned = unknown> extends GenServer {
  declare readonly $base?: Stage | undefined
  readonly #options: object

  constructor(options: object) {
    super()
    this.#options = options
  }

  /**
   * A subscription begins. `peer` says what the other side is. A consumer returns `manual` to ask by hand with
   * `subscription.ask(n)`; nothing means that the stage asks by itself.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: an override that returns nothing has the type void.
  handleSubscribe(_peer: 'producer' | 'consumer', _subscription: Subscription): Subscribed | void {
    return undefined
  }

  /** A subscription ended. What a stage that emits returns is emitted. The consumer's cancel mode is applied afterwards. */
  handleCancel(_cancellation: Cancellation, _subscription: Subscription): Returned | undefined {
    return undefined
  }

  /** As in any server. What a stage that emits returns is emitted. */
  override handleInfo(message: unknown): Returned | undefined {
    super.handleInfo(message)
    return undefined
  }

  /** As in any server. What a stage that emits returns is emitted. */
  override handleContinue(step: unknown): Returned | undefined {
    super.handleContinue(step)
    return undefined
  }

  static {
    optionsOf = (stage) => stage.#options
  }
}

/** The loop of a gate: that of a producer-consumer, whose events do not wait for demand, and which ends when it is empty. */

import type { ExitReason } from '../../process/exit-reason.ts'
import { ProducerConsumerBehaviour } from '../producer-consumer-behaviour.ts'
import type { Gate } from './gate.ts'

export class GateBehaviour extends ProducerConsumerBehaviour {
  declare instance: Gate<unknown, unknown>
  /** Nothing more comes: it ends with this reason when it is empty. */
  #ending: ExitReason | undefined = undefined

  override held: () => number = () => this.instance.holding

  protected override get mayHandle(): boolean {
    return true
  }

  /** Demand is served when its message is done, as everything else. */
  override onDemand(): void {}

  protected override endWhenFlushed(reason: ExitReason): void {
    if (this.#ending !== undefined) return
    this.#ending = reason
    this.instance.handleEnding()
  }

  override finish(): void {
    if (!this.stopRequested) {
      this.instance.handlePass(this.outlet.ready, this.outlet.unanswered)
      if (this.#ending !== undefined && this.instance.holding === 0) super.endWhenFlushed(this.#ending)
    }
    super.finish()
  }
}

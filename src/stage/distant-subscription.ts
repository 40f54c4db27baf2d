/** A subscription of a consumer in another thread, for who has asked it to subscribe. */

import type { ExitReason } from '../process/exit-reason.ts'
import { CAST, Tag } from '../process/message.ts'
import { askSubscription, asMethod, cancelSubscription } from './stage-requests.ts'
import { Subscription } from './subscription.ts'

/** It bears the number that the consumer gave it, and whatever is done with it the consumer does. */
export class DistantSubscription extends Subscription {
  override ask(demand: number): void {
    if (demand > 0 && Number.isInteger(demand)) this.#request(askSubscription, demand)
    else super.ask(demand)
  }

  override cancel(reason: ExitReason = 'normal'): void {
    this.#request(cancelSubscription, reason)
  }

  #request(request: Parameters<typeof asMethod>[0], value: unknown): void {
    this.ends.consumer.deliver(new Tag(CAST, asMethod(request)), [this.id, value])
  }
}

/** A stage that handles its events in batches, with `handleEvents`: consumers and producer-consumers build on it. */

import { type BatchHost, BatchLoop } from './batch-loop.ts'
import type { Consumer } from './consumer.ts'
import { ConsumingBehaviour } from './consuming-behaviour.ts'
import type { ProducerConsumer } from './producer-consumer.ts'
import type { Subscription } from './subscription.ts'

export abstract class BatchingBehaviour extends ConsumingBehaviour implements BatchHost {
  declare instance: Consumer<unknown> | ProducerConsumer<unknown, unknown>
  protected readonly loop: BatchLoop = new BatchLoop(this)

  handleBatch(events: readonly unknown[], subscription: Subscription): unknown {
    return this.instance.handleEvents(events, subscription)
  }

  override eachHeld(see: (events: readonly unknown[]) => void): void {
    this.loop.each(see)
    super.eachHeld(see)
  }

  abstract messageDone(): void
}

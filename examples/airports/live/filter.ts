/** The stage in the middle: drops the airports that are closed. */

import { type Cancellation, name, ProducerConsumer, type Subscription } from 'sluice'
import type { Batch } from './batch.ts'
import { Reader } from './reader.ts'

export class Filter extends ProducerConsumer<Batch, Batch> {
  constructor() {
    super({ subscribeTo: [{ to: Reader, maxDemand: 8 }] })
  }

  override handleEvents(batches: readonly Batch[]) {
    return batches.map((batch) => ({ ...batch, airports: batch.airports.filter(({ type }) => type !== 'closed') }))
  }

  /** A counter is gone, and nobody else tells the reader. */
  override handleCancel(_cancellation: Cancellation, subscription: Subscription) {
    if (subscription.producer === this.self) name(Reader).cast.redeliver()
  }
}

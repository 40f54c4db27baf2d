/** The loop of a consumer: the mailbox is its queue, each message of events is handled when its turn comes. */

import { BatchingBehaviour } from './batching-behaviour.ts'
import type { Info } from './buffer.ts'
import type { Consumer } from './consumer.ts'
import { refuseUnknownOptions } from './producer-options.ts'
import { optionsOf } from './stage.ts'
import type { Subscription } from './subscription.ts'

export class ConsumerBehaviour extends BatchingBehaviour {
  override readonly outlet = undefined

  override configure(instance: Consumer<unknown>, options: Readonly<Record<string, unknown>>): void {
    refuseUnknownOptions(`${this.process}`, optionsOf(instance), ['subscribeTo'])
    super.configure(instance, options)
  }

  protected override eventsArrived(subscription: Subscription, events: readonly unknown[]): void {
    if (this.loop.run(subscription, events)) this.finish()
  }

  protected override returned(_callback: string, value: unknown): void {
    this.handled(value)
  }

  override handled(result: unknown): void {
    if (result === undefined) return
    const text = `${this.process} is a consumer and returned something from a callback; it was dropped. A ProducerConsumer emits`
    this.process.runtime.logger.error({ process: `${this.process}` }, text)
  }

  protected override info(info: Info): void {
    info()
  }

  override messageDone(): void {
    this.settled()
  }
}

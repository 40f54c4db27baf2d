/** A batch processor: it handles one batch after another, and acknowledges its messages. */

import { serverOf } from '../../otp/gen-server.ts'
import type { Later } from '../../process/later.ts'
import type { Name } from '../../process/name.ts'
import { Exit } from '../../process/signals.ts'
import { Consumer } from '../../stage/consumer.ts'
import { manual, StageBehaviour } from '../../stage/stage-behaviour.ts'
import type { Subscription } from '../../stage/subscription.ts'
import type { Emits } from '../../stage/subscription-options.ts'
import type { Batch } from '../batch.ts'
import type { CheckedBatcher } from '../options/checked-options.ts'
import { BatchWork } from './batch-work.ts'
import { Ending } from './ending.ts'
import { Here, type Place } from './place.ts'
import { RETRY } from './retry-policy.ts'

export interface BatchProcessorArgument {
  readonly place: Place
  readonly batcher: CheckedBatcher
  readonly from: Name<Emits<Batch>>
  /** Its number, when the batcher has partitions. */
  readonly partition: number | undefined
}

export class BatchProcessor extends Consumer<Batch> {
  readonly pipeline: string
  readonly key: string
  readonly index: number
  readonly #here: Here
  readonly #work: BatchWork
  readonly #ending: Ending
  // Only with retries: it asks for the next batch when nothing of this one is left.
  #from: Subscription | undefined = undefined
  #waiting: Batch | undefined = undefined
  /** One that waited, and is handled now. */
  #again: Batch | undefined = undefined
  #gone = false
  #passing: Later<void>[] = []

  constructor(argument: () => BatchProcessorArgument) {
    const { place, batcher, from, partition } = argument()
    // One batch at a time, and the next one only when it is done.
    super({ subscribeTo: [{ to: from, cancel: 'temporary', maxDemand: 1, minDemand: 0, partition }] })
    this.pipeline = place.pipeline
    this.key = place.key
    this.index = place.index
    this.#here = new Here(this, place)
    this.#work = new BatchWork(this.#here, batcher)
    this.#ending = new Ending(this)
    const behaviour = serverOf(this)
    if (behaviour instanceof StageBehaviour) behaviour.held = () => (this.#waiting ?? this.#again)?.messages.length ?? 0
  }

  override init(): void {
    this.trapExits(true)
  }

  override handleEvents([batch]: readonly Batch[]): void | Promise<void> {
    return batch && this.#handle(batch)
  }

  override handleSubscribe(_peer: 'producer' | 'consumer', subscription: Subscription): typeof manual | undefined {
    if (this.#work.policy === undefined) return undefined
    this.#from = subscription
    subscription.ask(1)
    return manual
  }

  override handleCancel(): undefined {
    this.#gone = true
    this.#endIfDone()
    return undefined
  }

  override handleInfo(message: unknown): void | Promise<void> {
    if (message === RETRY) return this.#retry()
    if (!(message instanceof Exit)) return super.handleInfo(message)
    this.#here.trapped(message)
  }

  /** Replies when what it has now has been handled: its mailbox is its queue, and only what is to be handled again is left. */
  passed(): Later<void> {
    const later = this.later<void>()
    if (this.#waiting === undefined) later.reply(undefined)
    else this.#passing.push(later)
    return later
  }

  /** The pipeline ends: what waits is handled now, and not once more. */
  willTerminate(): void {
    this.#work.policy?.end()
    this.self.send(RETRY)
  }

  /** Replies when all batches have been handled. */
  drained(): Later<void> {
    return this.#ending.reached()
  }

  #handle(batch: Batch): void | Promise<void> {
    const handled = this.#work.handle(batch)
    if (this.#work.policy === undefined) return handled
    return handled === undefined ? this.#next(batch) : handled.then(() => this.#next(batch))
  }

  /** The batch has been handled, and some of its messages may have to be handled again: in front of the next one. */
  #next(batch: Batch): void {
    const again = this.#work.takeAgain(batch)
    if (again === undefined) {
      this.#from?.ask(1)
      for (const later of this.#passing.splice(0)) later.reply(undefined)
      return
    }
    this.#waiting = again.batch
    this.sendAfter(RETRY, again.delay)
  }

  #retry(): void | Promise<void> {
    const batch = this.#waiting
    if (batch === undefined) return
    this.#waiting = undefined
    this.#again = batch
    const handled = this.#handle(batch)
    return handled === undefined ? this.#endIfDone() : handled.then(() => this.#endIfDone())
  }

  #endIfDone(): void {
    this.#again = undefined
    if (this.#gone && this.#waiting === undefined) this.#ending.reach()
  }
}

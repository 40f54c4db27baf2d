/** A batcher: it takes messages from every processor, and gives batches to its batch processors. */

import { serverOf } from '../../otp/gen-server.ts'
import type { Timer } from '../../process/clock.ts'
import type { Later } from '../../process/later.ts'
import type { Name } from '../../process/name.ts'
import type { Dispatcher } from '../../stage/dispatchers/dispatcher.ts'
import type { Emitted } from '../../stage/producer.ts'
import { ProducerConsumer } from '../../stage/producer-consumer.ts'
import type { Cancellation } from '../../stage/stage.ts'
import { StageBehaviour } from '../../stage/stage-behaviour.ts'
import type { Subscription } from '../../stage/subscription.ts'
import type { Emits } from '../../stage/subscription-options.ts'
import type { Batch } from '../batch.ts'
import type { Message } from '../message.ts'
import type { CheckedBatcher } from '../options/checked-options.ts'
import { behindAll, Passed } from './barrier.ts'
import { Batching, PendingBatch } from './batching.ts'
import { cancelConsumers, LEAVE, leaveSoon } from './leaving.ts'
import type { Place } from './place.ts'
import { StageTelemetry } from './stage-telemetry.ts'

export interface BatcherArgument {
  readonly place: Place
  readonly batcher: CheckedBatcher
  readonly processors: readonly Name<Emits<Message>>[]
  /** The processors have partitions, one for each batcher. */
  readonly partitioned: boolean
  readonly dispatcher: () => Dispatcher<Batch>
}

export class Batcher extends ProducerConsumer<Message, Batch> {
  readonly #telemetry: StageTelemetry
  readonly #batching: Batching
  readonly #timers = new Map<PendingBatch, Timer>()
  readonly #processors = new Set<Subscription>()
  /** All batches that it had are taken, and there will be no more. */
  #left = false

  constructor(argument: () => BatcherArgument) {
    const { place, batcher, processors, partitioned, dispatcher } = argument()
    const { key, maxDemand, batchTimeout } = batcher
    const partition = partitioned ? key : undefined
    super({
      subscribeTo: processors.map((to) => ({ to, cancel: 'temporary', maxDemand, partition })),
      dispatcher: dispatcher(),
    })
    this.#telemetry = new StageTelemetry(this, place)
    this.#batching = new Batching(batcher, {
      start: (batch) => this.#timers.set(batch, this.sendAfter(batch, batchTimeout)),
      cancel: (batch) => {
        this.#timers.get(batch)?.cancel()
        this.#timers.delete(batch)
      },
    })
    const behaviour = serverOf(this)
    if (behaviour instanceof StageBehaviour) behaviour.held = () => this.#batching.size
  }

  override handleSubscribe(peer: 'producer' | 'consumer', subscription: Subscription): undefined {
    if (peer === 'producer') this.#processors.add(subscription)
    // It comes in the place of one that has died meanwhile, and is not to wait for more.
    else if (this.#left) leaveSoon(this)
    return undefined
  }

  override handleEvents(messages: readonly Message[]): readonly Batch[] {
    if (!this.#telemetry.watchesBatcher) return this.#told(this.#batching.add(messages))
    return this.#telemetry.batcher(messages, () => this.#told(this.#batching.add(messages)))
  }

  override handleInfo(message: unknown): Emitted<Batch> {
    if (message instanceof PendingBatch) return this.#told(this.#batching.timeout(message))
    if (message === LEAVE) this.#leave()
    else if (message instanceof FlushThen) {
      this.emit(this.#told(this.#batching.flush()))
      behindAll(this, new Passed(message.later))
    } else if (message instanceof Passed) message.later.reply(undefined)
    else return super.handleInfo(message)
  }

  /** Lets batches leave that are not complete; replies when batch processors have taken what it has now. */
  passed(): Later<void> {
    return behindAll(this, new FlushThen(this.later<void>()))
  }

  override handleCancel(_cancellation: Cancellation, subscription: Subscription): readonly Batch[] | undefined {
    if (!this.#processors.delete(subscription) || this.#processors.size > 0) return undefined
    // Nothing more comes, and processors that come back bring a new batcher with them. What leaves now goes in front of the end.
    leaveSoon(this)
    return this.#told(this.#batching.flush())
  }

  #leave(): void {
    this.#left = true
    cancelConsumers(this)
  }

  #told(batches: readonly Batch[]): readonly Batch[] {
    this.#telemetry.batches(batches)
    return batches
  }
}

/** Comes when all messages that it had are in batches. */
class FlushThen extends Passed {}

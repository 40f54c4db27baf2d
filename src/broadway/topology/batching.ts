/**
 * How messages become batches: one that is not complete yet for each batch key and partition, which leaves when it is, when its time
 * is up, or when a message wants it to. It knows no processes: the stage keeps the time. Source: `Broadway.Topology.BatcherStage`.
 */

import type { Batch } from '../batch.ts'
import type { BatchTrigger } from '../batch-info.ts'
import type { Message } from '../message.ts'
import type { CheckedBatcher } from '../options/checked-options.ts'
import { emit } from '../options/pipeline-options.ts'
import { fail, failureOf } from './failing.ts'
import { partitionOf } from './partitions.ts'

/** A batch that is not complete. */
export class PendingBatch {
  readonly key: unknown
  /** The batch processor that it is for; `undefined` when it is for any. */
  readonly partition: number | undefined
  readonly messages: Message[] = []
  /** State of the splitter; nothing when there is none. */
  state: unknown

  constructor(key: unknown, partition: number | undefined, state: unknown) {
    this.key = key
    this.partition = partition
    this.state = state
  }
}

/** Who keeps the time of a batch. */
export interface BatchTimers {
  start(batch: PendingBatch): void
  cancel(batch: PendingBatch): void
}

export class Batching {
  readonly #batcher: CheckedBatcher
  readonly #timers: BatchTimers
  /** By partition, and by batch key in there. Without partitions there is one. */
  readonly #pending: readonly Map<unknown, PendingBatch>[]

  constructor(batcher: CheckedBatcher, timers: BatchTimers) {
    this.#batcher = batcher
    this.#timers = timers
    const partitions = batcher.partitionBy === undefined ? 1 : batcher.concurrency
    this.#pending = Array.from({ length: partitions }, () => new Map())
  }

  /** Messages in batches that are not complete. */
  get size(): number {
    let size = 0
    for (const batches of this.#pending) for (const { messages } of batches.values()) size += messages.length
    return size
  }

  /**
   * Takes messages that came together; gives the batches that leave. A message that wants to leave at once takes along what waits
   * for its batch, and the messages of the same batch that come right behind it, as far as there is room.
   */
  add(messages: readonly Message[]): readonly Batch[] {
    const batches: Batch[] = []
    let batch: PendingBatch | undefined
    let flush = false
    for (const message of messages) {
      let partition: number | undefined
      try {
        partition = this.#partitionOf(message)
      } catch (thrown) {
        batches.push(this.#failed(message.batchKey, 0, [message], thrown, 'partitionBy'))
        continue
      }
      if (batch === undefined || batch.key !== message.batchKey || batch.partition !== partition) {
        if (batch !== undefined && flush) batches.push(this.#leave(batch, 'flush'))
        batch = this.#batchOf(message.batchKey, partition)
        flush = false
      }
      batch.messages.push(message)
      if (message.batchMode === 'flush') flush = true
      try {
        if (!this.#completes(batch, message)) continue
        batches.push(this.#leave(batch, 'size'))
      } catch (thrown) {
        const { messages: taken } = this.#leave(batch, 'flush')
        batches.push(this.#failed(batch.key, partition, taken, thrown, 'the splitter of batchSize'))
      }
      batch = undefined
    }
    if (batch !== undefined && flush) batches.push(this.#leave(batch, 'flush'))
    return batches
  }

  /** The time of a batch is up; nothing when it has left already. */
  timeout(batch: PendingBatch): readonly Batch[] {
    return this.#batchesIn(batch.partition).get(batch.key) === batch ? [this.#leave(batch, 'timeout')] : []
  }

  /** All batches leave, complete or not. */
  flush(): readonly Batch[] {
    return this.#pending.flatMap((batches) => [...batches.values()].map((batch) => this.#leave(batch, 'flush')))
  }

  #partitionOf(message: Message): number | undefined {
    const { partitionBy, concurrency } = this.#batcher
    return partitionBy && partitionOf(message, partitionBy, concurrency)
  }

  #batchesIn(partition = 0): Map<unknown, PendingBatch> {
    const batches = this.#pending[partition]
    if (batches === undefined) throw new Error(`there is no partition ${partition}`)
    return batches
  }

  #batchOf(key: unknown, partition: number | undefined): PendingBatch {
    const batches = this.#batchesIn(partition)
    const known = batches.get(key)
    if (known !== undefined) return known
    const { batchSize } = this.#batcher
    const batch = new PendingBatch(key, partition, typeof batchSize === 'number' ? undefined : batchSize.initial)
    batches.set(key, batch)
    this.#timers.start(batch)
    return batch
  }

  #completes(batch: PendingBatch, message: Message): boolean {
    const { batchSize } = this.#batcher
    if (typeof batchSize === 'number') return batch.messages.length >= batchSize
    batch.state = batchSize.splitter(message, batch.state)
    return batch.state === emit
  }

  #leave(batch: PendingBatch, trigger: BatchTrigger): Batch {
    const { key: batchKey, partition, messages } = batch
    this.#batchesIn(partition).delete(batchKey)
    this.#timers.cancel(batch)
    return { messages, info: { batcher: this.#batcher.key, batchKey, partition, size: messages.length, trigger } }
  }

  /** Messages that cannot be batched go on as what they are, failed, to be acknowledged in their turn. */
  #failed(
    batchKey: unknown,
    partition: number | undefined,
    messages: readonly Message[],
    thrown: unknown,
    culprit: string,
  ): Batch {
    const failure = failureOf(thrown)
    const info = { batcher: this.#batcher.key, batchKey, partition, size: messages.length, trigger: 'flush' } as const
    return { messages: messages.map((message) => fail(message, failure)), info, culprit }
  }
}

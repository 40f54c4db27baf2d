/**
 * What a stage of a pipeline tells its listeners. It is asked once for each list of messages whether there are any; all the rest
 * is done for them only.
 */

import type { GenServer } from '../../otp/gen-server.ts'
import { isPromise } from '../../otp/server-behaviour.ts'
import type { Process } from '../../process/process.ts'
import { processOf } from '../../process/ref.ts'
import type { PipelinePlace, PipelineSpan } from '../../telemetry/broadway-events.ts'
import type { TypedChannel } from '../../telemetry/channel.ts'
import { channels } from '../../telemetry/channels.ts'
import { type AckGroup, type AckListener, publishAck } from '../acknowledger.ts'
import type { Batch } from '../batch.ts'
import { Message } from '../message.ts'
import { failureOf, isMessages } from './failing.ts'
import type { Place } from './place.ts'

type Messages = readonly Message[]

/** Of the piece of work that was begun last, in any pipeline. */
let lastSpan = 0

export class StageTelemetry implements AckListener {
  readonly #server: GenServer
  readonly #place: Place
  #described: PipelinePlace | undefined
  /** The span of the list or batch in hand. */
  #span: number | undefined
  /** What has become of the messages in hand, while somebody wants to know. */
  #outcome: { successful: Messages; failed: Messages } | undefined

  constructor(server: GenServer, place: Place) {
    this.#server = server
    this.#place = place
  }

  get watchesProcessor(): boolean {
    return channels.broadwayProcessorStart.hasSubscribers || channels.broadwayProcessorStop.hasSubscribers
  }

  get watchesBatcher(): boolean {
    return channels.broadwayBatcherStart.hasSubscribers || channels.broadwayBatcherStop.hasSubscribers
  }

  get watchesBatchProcessor(): boolean {
    return channels.broadwayBatchProcessorStart.hasSubscribers || channels.broadwayBatchProcessorStop.hasSubscribers
  }

  get watchesMessages(): boolean {
    const { broadwayMessageStart, broadwayMessageStop, broadwayMessageException } = channels
    return (
      broadwayMessageStart.hasSubscribers ||
      broadwayMessageStop.hasSubscribers ||
      broadwayMessageException.hasSubscribers
    )
  }

  get watchesHandleFailed(): boolean {
    const { broadwayHandleFailedStart, broadwayHandleFailedStop, broadwayHandleFailedException } = channels
    return (
      broadwayHandleFailedStart.hasSubscribers ||
      broadwayHandleFailedStop.hasSubscribers ||
      broadwayHandleFailedException.hasSubscribers
    )
  }

  get watchesAcks(): boolean {
    return channels.broadwayAck.hasSubscribers
  }

  // ---- Spans

  /** A processor's list, from its coming to the acknowledgement of those that end here. */
  processor<T>(messages: Messages, forwards: boolean, run: () => T | Promise<T>): T | Promise<T> {
    const { broadwayProcessorStart, broadwayProcessorStop } = channels
    const start = { ...this.#begin(), messages }
    return this.#watch(broadwayProcessorStart, start, this.#inSpan(start, run), (_, duration) => {
      const { successful, failed } = this.#ended()
      if (!broadwayProcessorStop.hasSubscribers) return
      const successfulToAck = forwards ? [] : successful
      const successfulToForward = forwards ? successful : []
      broadwayProcessorStop.publish({ ...start, duration, successfulToAck, successfulToForward, failed })
    })
  }

  /** One call of `handleMessage`; `wrong` says what is wrong with what it returned. */
  message(message: Message, run: () => unknown, wrong: (returned: unknown) => unknown): unknown {
    const { broadwayMessageStart, broadwayMessageStop, broadwayMessageException } = channels
    const start = { ...this.#begin(), message }
    const threw = (thrown: unknown, duration: number): void => {
      if (broadwayMessageException.hasSubscribers)
        broadwayMessageException.publish({ ...start, duration, ...failureOf(thrown) })
    }
    const ended = (returned: unknown, duration: number): void => {
      const error = wrong(returned)
      if (error !== undefined) threw(error, duration)
      else if (broadwayMessageStop.hasSubscribers && returned instanceof Message)
        broadwayMessageStop.publish({ ...start, duration, message: returned })
    }
    return this.#watch(broadwayMessageStart, start, run, ended, threw)
  }

  /** A batcher's list. */
  batcher<T>(messages: Messages, run: () => T): T {
    const { broadwayBatcherStart, broadwayBatcherStop } = channels
    const start = { ...this.#begin(), messages }
    const begun = this.now()
    if (broadwayBatcherStart.hasSubscribers) broadwayBatcherStart.publish(start)
    const result = run()
    if (broadwayBatcherStop.hasSubscribers) broadwayBatcherStop.publish({ ...start, duration: this.now() - begun })
    return result
  }

  /** A batch, from its coming to the acknowledgement. */
  batchProcessor<T>({ messages, info }: Batch, run: () => T | Promise<T>): T | Promise<T> {
    const { broadwayBatchProcessorStart, broadwayBatchProcessorStop } = channels
    const start = { ...this.#begin(), batch: info, messages }
    return this.#watch(broadwayBatchProcessorStart, start, this.#inSpan(start, run), (_, duration) => {
      const outcome = this.#ended()
      if (broadwayBatchProcessorStop.hasSubscribers)
        broadwayBatchProcessorStop.publish({ ...start, duration, ...outcome })
    })
  }

  /** One call of `handleFailed`. */
  handleFailed(messages: Messages, run: () => unknown): unknown {
    const { broadwayHandleFailedStart, broadwayHandleFailedStop, broadwayHandleFailedException } = channels
    const start = { ...this.#begin(), messages }
    const ended = (returned: unknown, duration: number): void => {
      if (!broadwayHandleFailedStop.hasSubscribers) return
      broadwayHandleFailedStop.publish({ ...start, duration, messages: isMessages(returned) ? returned : messages })
    }
    return this.#watch(broadwayHandleFailedStart, start, run, ended, (thrown, duration) => {
      if (broadwayHandleFailedException.hasSubscribers)
        broadwayHandleFailedException.publish({ ...start, duration, ...failureOf(thrown) })
    })
  }

  /** Messages of the span in hand have ended here, or go on. `taken` have failed, and `deadLetter` has them. */
  outcome(successful: Messages, failed: Messages, taken: Messages): void {
    const before = this.#outcome
    if (before === undefined) return
    this.#outcome = {
      successful: [...before.successful, ...successful],
      failed: [...before.failed, ...failed, ...taken],
    }
  }

  // ---- Single events

  batches(batches: readonly Batch[]): void {
    const { broadwayBatch } = channels
    if (!broadwayBatch.hasSubscribers) return
    for (const { info, messages } of batches) broadwayBatch.publish({ ...this.#where, batch: info, messages })
  }

  acknowledged(group: AckGroup, duration: number, error: unknown): void {
    publishAck(group, duration, error, this.#where, this.#span)
  }

  now(): number {
    return this.#process.runtime.clock.now()
  }

  // ---- Parts

  get #process(): Process {
    return processOf(this.#server.self)
  }

  get #where(): PipelinePlace {
    const { pipeline, key, index, context, producer } = this.#place
    const process = this.#process
    this.#described ??= { pipeline, id: process.id, stage: `${process}`, key, index, context, producer }
    return this.#described
  }

  #begin(): PipelineSpan {
    return { ...this.#where, span: ++lastSpan, parent: this.#span }
  }

  /** What is begun meanwhile is a part of the span. A stage has one list in hand at a time. */
  #inSpan<T>({ span }: PipelineSpan, run: () => T): () => T {
    return () => {
      this.#span = span
      this.#outcome = { successful: [], failed: [] }
      return run()
    }
  }

  #ended(): { readonly successful: Messages; readonly failed: Messages } {
    const outcome = this.#outcome
    this.#span = this.#outcome = undefined
    return outcome ?? { successful: [], failed: [] }
  }

  #watch<T, Start = PipelineSpan>(
    channel: TypedChannel<Start>,
    start: Start,
    run: () => T | Promise<T>,
    ended: (result: T, duration: number) => void,
    threw: (thrown: unknown, duration: number) => void = () => {},
  ): T | Promise<T> {
    const begun = this.now()
    const done = (result: T): T => {
      ended(result, this.now() - begun)
      return result
    }
    const failed = (thrown: unknown): never => {
      threw(thrown, this.now() - begun)
      throw thrown
    }
    let result: T | Promise<T>
    try {
      result = channel.hasSubscribers ? channel.runStores(start, run) : run()
    } catch (thrown) {
      return failed(thrown)
    }
    return isPromiseOf(result) ? Promise.resolve(result).then(done, failed) : done(result)
  }
}

function isPromiseOf<T>(value: T | Promise<T>): value is Promise<T> {
  return isPromise(value)
}

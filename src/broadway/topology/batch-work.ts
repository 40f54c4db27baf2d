/** What a batch processor does with one batch: handles it, tells of those that have failed, acknowledges all. */

import { isPromise } from '../../otp/server-behaviour.ts'
import { show } from '../../stage/show.ts'
import { type AckGroup, acknowledge } from '../acknowledger.ts'
import type { Batch } from '../batch.ts'
import { BroadwayError } from '../errors.ts'
import { type Message, onAttempt, originOf } from '../message.ts'
import type { CheckedBatcher } from '../options/checked-options.ts'
import { endFailed } from './dead-letters.ts'
import { fail, failureOf, isMessages } from './failing.ts'
import type { Here } from './place.ts'
import { RetryPolicy } from './retry-policy.ts'
import { mismatch, type Returned, sortReturned } from './returned.ts'

const NONE: readonly Message[] = []

/** Messages of a batch that are to be handled again, as a batch. */
export interface Again {
  readonly batch: Batch
  /** Milliseconds. */
  readonly delay: number
}

export class BatchWork {
  /** Says which messages are handled again; `undefined` when none is. */
  readonly policy: RetryPolicy | undefined
  readonly #here: Here
  readonly #batcher: CheckedBatcher
  #again: Message[] = []
  #delay = 0

  constructor(here: Here, batcher: CheckedBatcher) {
    this.#here = here
    this.#batcher = batcher
    this.policy = batcher.retry && new RetryPolicy(here, batcher.retry)
  }

  /** What is left of a batch that has been handled. */
  takeAgain({ info }: Batch): Again | undefined {
    const messages = this.#again
    if (messages.length === 0) return undefined
    const delay = this.#delay
    this.#again = []
    this.#delay = 0
    return { batch: { messages, info: { ...info, size: messages.length } }, delay }
  }

  /** Handles a batch to its end. */
  handle(batch: Batch): Promise<void> | undefined | void {
    const { telemetry } = this.#here
    if (!telemetry.watchesBatchProcessor) return this.#handle(batch)
    return telemetry.batchProcessor<void>(batch, () => this.#handle(batch))
  }

  #handle(batch: Batch): Promise<void> | undefined {
    if (batch.culprit !== undefined) return this.#neverBatched(batch)
    const { context, stage } = this.#here
    let result: unknown
    try {
      result = this.#batcher.handleBatch(batch.messages, batch.info, context, stage)
    } catch (thrown) {
      return this.#threw(batch, thrown)
    }
    if (Array.isArray(result) || !isPromise(result)) return this.#handled(batch, result)
    this.#here.waitsFor = 'handleBatch'
    return Promise.resolve(result).then(
      (value) => this.#handled(batch, value),
      (thrown) => this.#threw(batch, thrown),
    )
  }

  #neverBatched({ messages, culprit }: Batch): Promise<void> | undefined {
    this.#here.failedBefore(`${culprit}`, messages)
    return this.#finish(NONE, messages)
  }

  #threw({ messages }: Batch, thrown: unknown): Promise<void> | undefined {
    this.#here.report(`handleBatch failed, and with it ${messages.length} messages`, thrown)
    const failure = failureOf(thrown)
    const failed: Message[] = []
    for (const message of messages) {
      const each = fail(message, failure)
      if (!this.#keeps(message, each)) failed.push(each)
    }
    return this.#finish(NONE, failed)
  }

  #handled(batch: Batch, result: unknown): Promise<void> | undefined {
    if (!isMessages(result)) {
      const got = Array.isArray(result) ? 'an array with something else in it' : show(result)
      const text = `handleBatch returned ${got}, expected an array of messages: those that it got, or ones made from them`
      return this.#threw(batch, new BroadwayError('bad_return', text))
    }
    const returned = sortReturned(batch.messages, result)
    const { messages } = returned
    const missing = this.#missing(batch, returned)
    if (missing.length === 0 && messages.every(({ status }) => status === 'ok')) return this.#finish(messages, NONE)
    const successful = messages.filter(({ status }) => status === 'ok')
    const bad = messages.filter(({ status }) => status !== 'ok')
    const failed = this.policy === undefined ? bad : this.#givenUp(batch, bad)
    return this.#finish(successful, [...failed, ...missing])
  }

  /** Those that `handleBatch` has not returned, failed: a mistake of the program, so they are not handled again. */
  #missing({ messages }: Batch, returned: Returned): readonly Message[] {
    const text = mismatch('handleBatch', messages.length, returned)
    if (text === undefined) return NONE
    this.#here.report(text)
    const failure = failureOf(new BroadwayError('bad_return', text))
    return returned.missing.map((message) => fail(message, failure))
  }

  /** Those of the failed messages that are not handled again. */
  #givenUp({ messages }: Batch, failed: readonly Message[]): readonly Message[] {
    const came = new Map(messages.map((message) => [originOf(message), message]))
    return failed.filter((each) => {
      const message = came.get(originOf(each))
      return message === undefined || !this.#keeps(message, each)
    })
  }

  #keeps(message: Message, failed: Message): boolean {
    const delay = this.policy?.delay(message, failed)
    if (delay === undefined) return false
    this.#again.push(onAttempt(message, message.attempts + 1))
    this.#delay = Math.max(this.#delay, delay)
    return true
  }

  #finish(successful: readonly Message[], failed: readonly Message[]): Promise<void> | undefined {
    const end = (lost: readonly Message[], taken: readonly Message[]): Promise<void> | undefined => {
      const { telemetry } = this.#here
      telemetry.outcome(successful, lost, taken)
      const all = taken.length > 0 ? [...successful, ...taken] : successful
      const waiting = acknowledge(all, lost, this.#notAcknowledged, telemetry)
      if (waiting !== undefined) this.#here.waitsFor = 'ack'
      return waiting
    }
    if (failed.length === 0) return end(NONE, NONE)
    const ending = endFailed<void>(this.#here, failed, end)
    return isPromise(ending) ? Promise.resolve(ending) : undefined
  }

  readonly #notAcknowledged = (error: unknown, { successful, failed }: AckGroup): void => {
    this.#here.report(`${successful.length + failed.length} messages could not be acknowledged`, error)
  }
}

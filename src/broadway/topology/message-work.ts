/**
 * What a processor does with the messages that came together: prepares them, handles one after another, tells of those that have
 * failed. As long as no callback returns a promise nothing here does either.
 */

import { isPromise } from '../../otp/server-behaviour.ts'
import { show } from '../../stage/show.ts'
import { type AckGroup, acknowledge } from '../acknowledger.ts'
import { BroadwayError } from '../errors.ts'
import { Message, originOf } from '../message.ts'
import type { CheckedProcessors } from '../options/checked-options.ts'
import { endFailed } from './dead-letters.ts'
import { fail, failureOf, isMessages } from './failing.ts'
import type { Here } from './place.ts'
import { mismatch, sortReturned } from './returned.ts'

const NONE: readonly Message[] = []

/** The messages of one list, and what has become of them so far. */
interface Run {
  readonly messages: readonly Message[]
  readonly handleMessage: CheckedProcessors['handleMessage']
  readonly successful: Message[]
  /** Made with the first one. */
  failed: Message[] | undefined
}

/** Keeps messages that are handled again later, instead of ending them. */
export interface Gate {
  /** The message has to wait behind another one. */
  parks(message: Message): boolean
  /** The message, which has failed, is handled again later. */
  keeps(message: Message, failed: Message): boolean
}

export class MessageWork {
  readonly #here: Here
  readonly #processors: CheckedProcessors
  /** Where messages may go; `undefined` without batchers. */
  readonly #batchers: ReadonlySet<string> | undefined
  readonly #gate: Gate | undefined

  constructor(here: Here, processors: CheckedProcessors, batchers: ReadonlySet<string> | undefined, gate?: Gate) {
    this.#here = here
    this.#processors = processors
    this.#batchers = batchers
    this.#gate = gate
  }

  /** Handles messages; gives those that go on to a batcher. */
  handle(messages: readonly Message[]): readonly Message[] | Promise<readonly Message[]> {
    const { telemetry } = this.#here
    if (!telemetry.watchesProcessor) return this.#handle(messages)
    return telemetry.processor(messages, this.#batchers !== undefined, () => this.#handle(messages))
  }

  #handle(messages: readonly Message[]): readonly Message[] | Promise<readonly Message[]> {
    const { partitionBy } = this.#processors
    if (partitionBy === undefined || messages.every(isOk)) return this.#prepare(messages)
    // They are nobody's: partitionBy has failed for them.
    const lost = messages.filter((message) => !isOk(message))
    this.#here.failedBefore('partitionBy', lost)
    const acknowledged = this.#finish(NONE, lost)
    const left = messages.filter(isOk)
    const goOn = (): readonly Message[] | Promise<readonly Message[]> => (left.length > 0 ? this.#prepare(left) : NONE)
    return isPromise(acknowledged) ? Promise.resolve(acknowledged).then(goOn) : goOn()
  }

  #prepare(messages: readonly Message[]): readonly Message[] | Promise<readonly Message[]> {
    const { prepareMessages } = this.#processors
    if (prepareMessages === undefined) return this.#handleAll(messages)
    const { context, stage } = this.#here
    let prepared: unknown
    try {
      prepared = prepareMessages(messages, context, stage)
    } catch (thrown) {
      return this.#unprepared(messages, thrown)
    }
    if (!isPromise(prepared)) return this.#prepared(messages, prepared)
    this.#here.waitsFor = 'prepareMessages'
    return Promise.resolve(prepared).then(
      (value) => this.#prepared(messages, value),
      (thrown) => this.#unprepared(messages, thrown),
    )
  }

  #prepared(messages: readonly Message[], prepared: unknown): readonly Message[] | Promise<readonly Message[]> {
    if (!isMessages(prepared)) {
      const text = `prepareMessages returned ${show(prepared)}, expected an array of messages`
      return this.#unprepared(messages, new BroadwayError('bad_return', text))
    }
    const text = mismatch('prepareMessages', messages.length, sortReturned(messages, prepared))
    if (text === undefined) return this.#handleAll(prepared)
    return this.#unprepared(messages, new BroadwayError('bad_return', text))
  }

  #unprepared(messages: readonly Message[], thrown: unknown): readonly Message[] | Promise<readonly Message[]> {
    this.#here.report(`prepareMessages failed, and with it ${messages.length} messages`, thrown)
    const { handleMessage } = this.#processors
    const run: Run = { messages, handleMessage, successful: [], failed: undefined }
    const failure = failureOf(thrown)
    for (const message of messages) {
      if (this.#gate?.parks(message) !== true) this.#failed(run, message, fail(message, failure))
    }
    return this.#finish(NONE, run.failed ?? NONE)
  }

  #handleAll(messages: readonly Message[]): readonly Message[] | Promise<readonly Message[]> {
    const handleMessage = this.#here.telemetry.watchesMessages ? this.#watched : this.#processors.handleMessage
    const run: Run = { messages, handleMessage, successful: [], failed: undefined }
    const { context, stage } = this.#here
    const gate = this.#gate
    // With a gate each has to know what became of the one before.
    if (this.#processors.worker !== undefined && gate === undefined) return this.#handleTogether(run)
    for (let index = 0; index < messages.length; index++) {
      const message = messages[index]
      if (message === undefined || gate?.parks(message) === true) continue
      let result: unknown
      try {
        result = handleMessage(message, context, stage)
      } catch (thrown) {
        this.#threw(run, message, thrown)
        continue
      }
      if (!(result instanceof Message) && isPromise(result)) return this.#goOn(run, index, result)
      this.#handled(run, message, result)
    }
    return this.#finish(run.successful, run.failed ?? NONE)
  }

  /** The rest of a list, from the message on whose answer is waited for. */
  async #goOn(run: Run, from: number, first: PromiseLike<unknown>): Promise<readonly Message[]> {
    const { handleMessage } = run
    const { context, stage } = this.#here
    this.#here.waitsFor = 'handleMessage'
    for (let index = from; index < run.messages.length; index++) {
      const message = run.messages[index]
      if (message === undefined || (index > from && this.#gate?.parks(message) === true)) continue
      try {
        const answer = index === from ? first : handleMessage(message, context, stage)
        this.#handled(run, message, isPromise(answer) ? await answer : answer)
      } catch (thrown) {
        this.#threw(run, message, thrown)
      }
    }
    return await this.#finish(run.successful, run.failed ?? NONE)
  }

  /** Messages that are handled elsewhere: all are sent at once, are handled there one after another, and fail one by one. */
  async #handleTogether(run: Run): Promise<readonly Message[]> {
    const { context, stage } = this.#here
    const answers = run.messages.map((message) => run.handleMessage(message, context, stage))
    this.#here.waitsFor = 'handleMessage'
    const outcomes = await Promise.allSettled(answers)
    for (const [index, outcome] of outcomes.entries()) {
      const message = run.messages[index]
      if (message === undefined) continue
      if (outcome.status === 'fulfilled') this.#handled(run, message, outcome.value)
      else this.#threw(run, message, outcome.reason)
    }
    return await this.#finish(run.successful, run.failed ?? NONE)
  }

  #handled(run: Run, message: Message, result: unknown): void {
    const wrong = this.#wrong(message, result)
    if (wrong !== undefined || !(result instanceof Message)) this.#threw(run, message, wrong)
    else if (result.status === 'ok') run.successful.push(result)
    else this.#failed(run, message, result)
  }

  /** What is wrong with what `handleMessage` returned for a message. */
  #wrong(message: Message, result: unknown): BroadwayError | undefined {
    if (!(result instanceof Message)) return badReturn(show(result))
    // The one that it got would never be acknowledged.
    if (originOf(result) !== originOf(message)) return badReturn('another message than it got')
    if (result.status !== 'ok' || this.#batchers === undefined || this.#batchers.has(result.batcher)) return undefined
    return unknownBatcher(result, this.#batchers)
  }

  /** `handleMessage` when somebody listens. */
  readonly #watched: CheckedProcessors['handleMessage'] = (message, context, stage) => {
    const { handleMessage } = this.#processors
    return this.#here.telemetry.message(
      message,
      () => handleMessage(message, context, stage),
      (returned) => this.#wrong(message, returned),
    )
  }

  #threw(run: Run, message: Message, thrown: unknown): void {
    this.#here.report('handleMessage failed, and with it one message', thrown)
    this.#failed(run, message, fail(message, failureOf(thrown)))
  }

  #failed(run: Run, message: Message, failed: Message): void {
    if (this.#gate?.keeps(message, failed) !== true) (run.failed ??= []).push(failed)
  }

  /** Acknowledges what ends here; gives what goes on. */
  #finish(
    successful: readonly Message[],
    failed: readonly Message[],
  ): readonly Message[] | Promise<readonly Message[]> {
    if (failed.length === 0) return this.#acknowledge(successful, NONE, NONE)
    return endFailed(this.#here, failed, (lost, taken) => this.#acknowledge(successful, lost, taken))
  }

  /** `taken` have failed too, and are acknowledged as successful. */
  #acknowledge(
    successful: readonly Message[],
    failed: readonly Message[],
    taken: readonly Message[],
  ): readonly Message[] | Promise<readonly Message[]> {
    const forwards = this.#batchers !== undefined
    const { telemetry } = this.#here
    telemetry.outcome(successful, failed, taken)
    const ended = forwards ? NONE : successful
    const done = taken.length > 0 ? [...ended, ...taken] : ended
    const waiting = acknowledge(done, failed, this.#notAcknowledged, telemetry)
    const goOn = forwards ? successful : NONE
    if (waiting === undefined) return goOn
    this.#here.waitsFor = 'ack'
    return waiting.then(() => goOn)
  }

  readonly #notAcknowledged = (error: unknown, { successful, failed }: AckGroup): void => {
    this.#here.report(`${successful.length + failed.length} messages could not be acknowledged`, error)
  }
}

function badReturn(returned: string): BroadwayError {
  const text = `handleMessage returned ${returned}, expected a message: return the one that it got, or one made from it`
  return new BroadwayError('bad_return', text)
}

function unknownBatcher({ batcher }: Message, batchers: ReadonlySet<string>): BroadwayError {
  const known = [...batchers].map(show).join(', ')
  const text = `the message was sent to the batcher ${show(batcher)}, which the pipeline does not have; known are ${known}`
  return new BroadwayError('unknown_batcher', text)
}

function isOk({ status }: Message): boolean {
  return status === 'ok'
}

/** The options of a source over a queue, checked; and what may become of a message. */

import {
  ANSWER_OPTIONS,
  type AnswerKind,
  type Answers,
  type AnswerOption as ConnectorAnswerOption,
  readAnswer,
} from '../../broadway/answers.ts'
import { type Class, isName, type Name } from '../../process/name.ts'
import { ProcessRef, type Ref } from '../../process/ref.ts'
import { isDelay } from '../../stage/option-reader.ts'
import type { Metadata } from '../message.ts'
import { queueOptions, refusal } from '../option-reader.ts'
import type { Queue } from '../queue.ts'

/** A queue: its ref, or a name that it is found by each time. */
export type QueueTarget<T> = Ref<Queue<T>> | Name<Queue<T>> | Class<Queue<T>>

/**
 * What becomes of a message in the queue: it is done with; it is delivered again, after a delay that doubles with each attempt;
 * after a delay in milliseconds; it is given up.
 */
export type Answer = 'ack' | 'retry' | { readonly retryAfter: number } | 'dead_letter'

/** An answer, or a function that chooses it: by the failure in `message.status`, by the attempts in `message.metadata`. */
export type AnswerOption = ConnectorAnswerOption<Answer, QueueMetadata>

/** What a message of a queue says about itself, in a pipeline. */
export interface QueueMetadata {
  /** Its number in the queue. */
  readonly id: number
  readonly key: string | undefined
  /** Deliveries so far, with this one. */
  readonly attempts: number
  /** Milliseconds from the time it was enqueued until it was received. */
  readonly age: number
  /** What was given as `metadata` when it was enqueued. */
  readonly enqueued: Metadata
}

/** How messages are answered for; of a source, or by `message.configureAck` of one message. */
export interface AnswerOptions {
  /** What becomes of a message that was handled. Default `ack`. */
  readonly onSuccess?: AnswerOption | undefined
  /** What becomes of a message that failed. Default `retry`. */
  readonly onFailure?: AnswerOption | undefined
}

export interface QueueSourceOptions<T> extends AnswerOptions {
  readonly queue: QueueTarget<T>
  /** Milliseconds of `retry` after the first attempt; they double with each, up to a minute. >= 0. Default 1000. */
  readonly retryDelay?: number | undefined
  /** Messages received at once at most, >= 1 or `Infinity`. Default `Infinity`: as many as are asked for. */
  readonly maxMessages?: number | undefined
  /** Milliseconds after which what this program does not answer for is delivered to others, > 0. Default 30000. */
  readonly visibilityTimeout?: number | undefined
  /** Keeps messages from being delivered again while the pipeline has them. Default true. */
  readonly heartbeat?: boolean | undefined
  /** Milliseconds after which a message is kept no longer, and taken for lost in the pipeline, > 0. Default 600000. */
  readonly maxExtension?: number | undefined
  /** Milliseconds until a queue that does not run is asked again, > 0. Default 1000. */
  readonly retryInterval?: number | undefined
}

export interface CheckedSourceOptions<T> extends Answers<Answer> {
  readonly queue: QueueTarget<T>
  readonly retryDelay: number
  readonly maxMessages: number
  readonly visibilityTimeout: number
  readonly heartbeat: boolean
  readonly maxExtension: number
  readonly retryInterval: number
}

export const ANSWERS: AnswerKind<Answer> = {
  isAnswer,
  expected: "'ack', 'retry', { retryAfter: milliseconds } or 'dead_letter'",
  unknown: 'retry',
  refusal,
}
const OPTIONS = [
  'queue',
  ...ANSWER_OPTIONS,
  'retryDelay',
  'maxMessages',
  'visibilityTimeout',
  'heartbeat',
  'maxExtension',
  'retryInterval',
]

/** @throws `QueueError` `bad_options`, which names the option, the value and what is allowed. */
export function readSourceOptions<T>(source: string, given: QueueSourceOptions<T>): CheckedSourceOptions<T> {
  const options = queueOptions(source, given, OPTIONS)
  const { queue } = given
  if (!isTarget(queue)) throw options.bad('queue', 'the ref or the name of a Queue')
  return {
    queue,
    onSuccess: readAnswer(ANSWERS, options, 'onSuccess') ?? 'ack',
    onFailure: readAnswer(ANSWERS, options, 'onFailure') ?? 'retry',
    retryDelay: options.delay('retryDelay') ?? 1000,
    maxMessages: options.count('maxMessages') ?? Infinity,
    visibilityTimeout: options.duration('visibilityTimeout') ?? 30_000,
    heartbeat: options.boolean('heartbeat') ?? true,
    maxExtension: options.duration('maxExtension') ?? 600_000,
    retryInterval: options.duration('retryInterval') ?? 1000,
  }
}

function isAnswer(answer: unknown): answer is Answer {
  if (answer === 'ack' || answer === 'retry' || answer === 'dead_letter') return true
  return typeof answer === 'object' && answer !== null && 'retryAfter' in answer && isDelay(answer.retryAfter)
}

function isTarget(queue: unknown): boolean {
  return queue instanceof ProcessRef || (Object(queue) === queue && isName(Object(queue)))
}

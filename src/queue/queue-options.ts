/** The options of a queue and of its messages, checked. */

import { COUNT, DURATION, isCount, isDuration, isObject, type OptionReader } from '../stage/option-reader.ts'
import type { EnqueueOptions, NewMessage, Receipt } from './message.ts'
import { badOption, queueOptions } from './option-reader.ts'
import { QueueStore } from './queue-store.ts'

export interface QueueOptions<T> {
  /** Messages it holds at most, dead letters too, >= 1 or `Infinity`. Default 10000. */
  readonly capacity?: number | undefined
  /** What happens to more: their callers wait for room, or are refused. Default `wait`. */
  readonly overflow?: 'wait' | 'reject' | undefined
  /** With `wait`: messages whose callers may wait for room, >= 1 or `Infinity`. Default 10000. */
  readonly maxWaiting?: number | undefined
  /** Milliseconds after which a message that was received and not answered for is delivered again, > 0. Default 30000. */
  readonly visibilityTimeout?: number | undefined
  /** Deliveries after which a message is given up and becomes a dead letter, >= 1 or `Infinity`. Default 5. */
  readonly maxAttempts?: number | undefined
  /** Where the messages are. Default: in the process, and lost with it. */
  readonly store?: QueueStore<T> | undefined
}

export interface CheckedQueueOptions<T> {
  readonly capacity: number
  readonly overflow: 'wait' | 'reject'
  readonly maxWaiting: number
  readonly visibilityTimeout: number
  readonly maxAttempts: number
  readonly store: QueueStore<T> | undefined
}

export interface ReceiveOptions {
  /** Milliseconds to answer for the messages, > 0. Default: that of the queue. */
  readonly visibilityTimeout?: number | undefined
  /** Milliseconds to wait for the first message, >= 0 or `Infinity`; then there are none. Default `Infinity`. */
  readonly waitTime?: number | undefined
}

export interface NackOptions {
  /** Milliseconds until it can be delivered again, >= 0. Default 0. */
  readonly delay?: number | undefined
  /** Why: what a dead letter will tell. */
  readonly reason?: unknown
  /** False when nobody has worked on it: then the delivery is no attempt. Default true. */
  readonly counted?: boolean | undefined
}

/** What became of messages. */
export interface Settlement {
  readonly ack?: readonly Receipt[] | undefined
  readonly nack?: readonly (NackOptions & { readonly receipt: Receipt })[] | undefined
  readonly deadLetter?: readonly { readonly receipt: Receipt; readonly reason?: unknown }[] | undefined
}

const QUEUE_OPTIONS = ['capacity', 'overflow', 'maxWaiting', 'visibilityTimeout', 'maxAttempts', 'store']
const MESSAGE_OPTIONS = ['delay', 'key', 'metadata']
const NEW_MESSAGE = ['data', ...MESSAGE_OPTIONS]
const RECEIVE_OPTIONS = ['visibilityTimeout', 'waitTime']
const NACK_OPTIONS = ['delay', 'reason', 'counted']
const SETTLEMENT = ['ack', 'nack', 'deadLetter']
const WITH_RECEIPTS = 'an array of objects with a receipt'

/** @throws `QueueError` `bad_options`, which names the option, the value and what is allowed. */
export function readQueueOptions<T>(queue: string, given: QueueOptions<T>): CheckedQueueOptions<T> {
  const options = queueOptions(queue, given, QUEUE_OPTIONS)
  const overflow = options.oneOf('overflow', ['wait', 'reject']) ?? 'wait'
  const maxWaiting = options.count('maxWaiting')
  if (maxWaiting !== undefined && overflow === 'reject') {
    throw options.bad('maxWaiting', "none, because with overflow 'reject' nobody waits")
  }
  const { store } = given
  if (store !== undefined && !(store instanceof QueueStore)) throw options.bad('store', 'a QueueStore')
  return {
    capacity: options.count('capacity') ?? 10_000,
    overflow,
    maxWaiting: maxWaiting ?? 10_000,
    visibilityTimeout: options.duration('visibilityTimeout') ?? 30_000,
    maxAttempts: options.count('maxAttempts') ?? 5,
    store,
  }
}

/** @throws `QueueError` `bad_options`. */
export function checkEnqueue(what: string, options: EnqueueOptions): void {
  checkMessage(queueOptions(what, options, MESSAGE_OPTIONS))
}

/** @throws `QueueError` `bad_options`. */
export function checkMessages(what: string, messages: readonly NewMessage<unknown>[]): void {
  if (!Array.isArray(messages)) throw badOption(what, 'an array of messages', messages)
  for (const [index, message] of messages.entries()) {
    const options = queueOptions(what, message, NEW_MESSAGE, `messages[${index}]`)
    if (!('data' in message)) throw badOption(`messages[${index}] of ${what}`, 'an object with data', message)
    checkMessage(options)
  }
}

function checkMessage(options: OptionReader): void {
  options.delay('delay')
  options.string('key')
  const metadata = options.get('metadata')
  if (metadata !== undefined && !isObject(metadata)) throw options.bad('metadata', 'an object')
}

/** @throws `QueueError` `bad_options`. */
export function checkReceive(what: string, max: number, given: ReceiveOptions): void {
  if (!isCount(max)) throw badOption(`max of ${what}`, COUNT, max)
  const options = queueOptions(what, given, RECEIVE_OPTIONS)
  options.duration('visibilityTimeout')
  const { waitTime = 0 } = given
  if (!(waitTime >= 0)) throw options.bad('waitTime', 'milliseconds >= 0 or Infinity')
}

/** @throws `QueueError` `bad_options`. */
export function checkNack(what: string, given: NackOptions, path?: string): void {
  const options = queueOptions(what, given, NACK_OPTIONS, path)
  options.delay('delay')
  options.boolean('counted')
}

/** @throws `QueueError` `bad_options`. */
export function checkSettlement(what: string, settlement: Settlement): void {
  const options = queueOptions(what, settlement, SETTLEMENT)
  const { ack = [], nack = [], deadLetter = [] } = settlement
  checkNumbers(`ack of ${what}`, ack)
  if (!areWithReceipts(nack)) throw options.bad('nack', WITH_RECEIPTS)
  for (const [index, { receipt, ...given }] of nack.entries()) checkNack(what, given, `nack[${index}]`)
  if (!areWithReceipts(deadLetter)) throw options.bad('deadLetter', WITH_RECEIPTS)
}

/** @throws `QueueError` `bad_options`. */
export function checkNumbers(what: string, numbers: unknown): void {
  if (Array.isArray(numbers) && numbers.every((number) => typeof number === 'number')) return
  throw badOption(what, 'an array of numbers', numbers)
}

/** One receipt, or several. */
export function receiptsOf(what: string, receipts: Receipt | readonly Receipt[]): readonly Receipt[] {
  if (typeof receipts === 'number') return [receipts]
  checkNumbers(`the receipts of ${what}`, receipts)
  return receipts
}

/** @throws `QueueError` `bad_options`. */
export function checkTime(what: string, ms: number): void {
  if (!isDuration(ms)) throw badOption(what, DURATION, ms)
}

function areWithReceipts(values: unknown): boolean {
  return Array.isArray(values) && values.every((value) => typeof Object(value).receipt === 'number')
}

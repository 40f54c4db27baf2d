/** The options of a queue and of its messages, checked. */

import { bad, checker, checkObject, isCount, isDelay, isObject, isPositive } from './check.ts'
import type { EnqueueOptions, NewMessage, Receipt } from './message.ts'
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

/** @throws `QueueError` `bad_options`, which names the option, the value and what is allowed. */
export function checkQueueOptions<T>(queue: string, options: QueueOptions<T>): CheckedQueueOptions<T> {
  checkObject(`the options of ${queue}`, options, QUEUE_OPTIONS)
  const {
    capacity = 10_000,
    overflow = 'wait',
    maxWaiting,
    visibilityTimeout = 30_000,
    maxAttempts = 5,
    store,
  } = options
  const check = checker(queue)
  check('capacity', capacity, isCount(capacity), 'an integer >= 1 or Infinity')
  check('overflow', overflow, overflow === 'wait' || overflow === 'reject', "'wait' or 'reject'")
  check('maxWaiting', maxWaiting, maxWaiting === undefined || isCount(maxWaiting), 'an integer >= 1 or Infinity')
  const waits = maxWaiting === undefined || overflow === 'wait'
  check('maxWaiting', maxWaiting, waits, "none, because with overflow 'reject' nobody waits")
  check('visibilityTimeout', visibilityTimeout, isPositive(visibilityTimeout), 'milliseconds > 0')
  check('maxAttempts', maxAttempts, isCount(maxAttempts), 'an integer >= 1 or Infinity')
  check('store', store, store === undefined || store instanceof QueueStore, 'a QueueStore')
  return { capacity, overflow, maxWaiting: maxWaiting ?? 10_000, visibilityTimeout, maxAttempts, store }
}

/** @throws `QueueError` `bad_options`. */
export function checkEnqueue(what: string, options: EnqueueOptions): void {
  checkObject(`the options of ${what}`, options, MESSAGE_OPTIONS)
  checkMessage(what, options)
}

/** @throws `QueueError` `bad_options`. */
export function checkMessages(what: string, messages: readonly NewMessage<unknown>[]): void {
  if (!Array.isArray(messages)) throw bad(what, 'an array of messages', messages)
  for (const [index, message] of messages.entries()) {
    checkObject(`message ${index} of ${what}`, message, ['data', ...MESSAGE_OPTIONS])
    if (!('data' in message)) throw bad(`message ${index} of ${what}`, 'an object with data', message)
    checkMessage(what, message)
  }
}

function checkMessage(what: string, { delay, key, metadata }: EnqueueOptions): void {
  const check = checker(what)
  check('delay', delay, delay === undefined || isDelay(delay), 'milliseconds >= 0')
  check('key', key, key === undefined || typeof key === 'string', 'a string')
  check('metadata', metadata, metadata === undefined || isObject(metadata), 'an object')
}

/** @throws `QueueError` `bad_options`. */
export function checkReceive(what: string, max: number, options: ReceiveOptions): void {
  checkObject(`the options of ${what}`, options, ['visibilityTimeout', 'waitTime'])
  const { visibilityTimeout, waitTime } = options
  const check = checker(what)
  check('max', max, isCount(max), 'an integer >= 1 or Infinity')
  const visible = visibilityTimeout === undefined || isPositive(visibilityTimeout)
  check('visibilityTimeout', visibilityTimeout, visible, 'milliseconds > 0')
  check('waitTime', waitTime, waitTime === undefined || waitTime >= 0, 'milliseconds >= 0 or Infinity')
}

/** @throws `QueueError` `bad_options`. */
export function checkNack(what: string, options: NackOptions): void {
  checkObject(`the options of ${what}`, options, ['delay', 'reason', 'counted'])
  const { delay, counted } = options
  const check = checker(what)
  check('delay', delay, delay === undefined || isDelay(delay), 'milliseconds >= 0')
  check('counted', counted, counted === undefined || typeof counted === 'boolean', 'a boolean')
}

/** @throws `QueueError` `bad_options`. */
export function checkSettlement(what: string, settlement: Settlement): void {
  checkObject(`the argument of ${what}`, settlement, ['ack', 'nack', 'deadLetter'])
  const { ack = [], nack = [], deadLetter = [] } = settlement
  checkNumbers(`ack of ${what}`, ack)
  const check = checker(what)
  check('nack', nack, Array.isArray(nack) && nack.every(hasReceipt), 'an array of objects with a receipt')
  for (const { receipt, ...options } of nack) checkNack(what, options)
  const letters = Array.isArray(deadLetter) && deadLetter.every(hasReceipt)
  check('deadLetter', deadLetter, letters, 'an array of objects with a receipt')
}

/** @throws `QueueError` `bad_options`. */
export function checkNumbers(what: string, numbers: unknown): void {
  if (Array.isArray(numbers) && numbers.every((number) => typeof number === 'number')) return
  throw bad(what, 'an array of numbers', numbers)
}

/** One receipt, or several. */
export function receiptsOf(what: string, receipts: Receipt | readonly Receipt[]): readonly Receipt[] {
  if (typeof receipts === 'number') return [receipts]
  checkNumbers(`the receipts of ${what}`, receipts)
  return receipts
}

/** @throws `QueueError` `bad_options`. */
export function checkTime(what: string, ms: number): void {
  if (!isPositive(ms)) throw bad(what, 'milliseconds > 0', ms)
}

function hasReceipt(value: unknown): boolean {
  return isObject(value) && 'receipt' in value && typeof value.receipt === 'number'
}

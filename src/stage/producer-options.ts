/** The options of stages that emit, checked. */

import { unknownKey, unknownOptionText } from '../otp/unknown-option.ts'
import type { BufferKeep } from './buffer.ts'
import { DemandDispatcher } from './dispatchers/demand-dispatcher.ts'
import type { Dispatcher } from './dispatchers/dispatcher.ts'
import { StageError } from './errors.ts'

/** `forward` hands demand on at once, `accumulate` keeps it until the mode is set to `forward`. */
export type DemandMode = 'forward' | 'accumulate'

export interface ProducerConsumerOutOptions<Out> {
  /** Events kept when nobody asked for them, >= 1 or `Infinity`. Default 10000, `Infinity` for a ProducerConsumer. */
  readonly bufferSize?: number | undefined
  /** Which events survive when the buffer is full. Default `last`. */
  readonly bufferKeep?: BufferKeep | undefined
  /** Who gets which event. Make it in the constructor. Default `new DemandDispatcher()`. */
  readonly dispatcher?: Dispatcher<Out> | undefined
}

export interface ProducerOptions<Out> extends ProducerConsumerOutOptions<Out> {
  /** Default `forward`. */
  readonly demand?: DemandMode | undefined
}

export interface CheckedProducerOptions {
  readonly demand: DemandMode
  readonly bufferSize: number
  readonly bufferKeep: BufferKeep
  readonly dispatcher: Dispatcher
}

const DEFAULT_BUFFER_SIZE = 10_000
const KNOWN = {
  producer: ['demand', 'bufferSize', 'bufferKeep', 'dispatcher'],
  producer_consumer: ['subscribeTo', 'bufferSize', 'bufferKeep', 'dispatcher'],
}
const DISPATCHER_METHODS = ['attach', 'subscribe', 'cancel', 'ask', 'dispatch', 'info']

/** @throws `StageError` `bad_options`, which names the option, the value and what is allowed. */
export function checkProducerOptions(
  stage: string,
  options: ProducerOptions<never>,
  kind: 'producer' | 'producer_consumer',
): CheckedProducerOptions {
  const bad = (option: string, value: unknown, expected: string): StageError =>
    new StageError('bad_options', `${option} of ${stage}: expected ${expected}, got ${String(value)}`)
  refuseUnknownOptions(stage, options, KNOWN[kind])
  const {
    demand = 'forward',
    bufferSize = kind === 'producer' ? DEFAULT_BUFFER_SIZE : Infinity,
    bufferKeep = 'last',
    dispatcher = new DemandDispatcher(),
  } = options
  if (demand !== 'forward' && demand !== 'accumulate') throw bad('demand', demand, "'forward' or 'accumulate'")
  if (!(bufferSize === Infinity || Number.isInteger(bufferSize)) || bufferSize < 1) {
    throw bad('bufferSize', bufferSize, 'an integer >= 1 or Infinity')
  }
  if (bufferKeep !== 'first' && bufferKeep !== 'last') throw bad('bufferKeep', bufferKeep, "'first' or 'last'")
  const missing = DISPATCHER_METHODS.filter((method) => typeof Reflect.get(Object(dispatcher), method) !== 'function')
  if (missing.length > 0) throw bad('dispatcher', dispatcher, `a dispatcher, which has ${missing.join(', ')}`)
  return { demand, bufferSize, bufferKeep, dispatcher }
}

/** @throws `StageError` `bad_options` when a stage was given an option that its kind does not have. */
export function refuseUnknownOptions(stage: string, options: object, known: readonly string[]): void {
  const unknown = unknownKey(options, known)
  if (unknown !== undefined) throw new StageError('bad_options', unknownOptionText(stage, unknown, known))
}

/** The options of a subscription, checked. */

import { unknownKey, unknownOptionText } from '../otp/unknown-option.ts'
import type { Class, Name } from '../process/name.ts'
import type { Ref } from '../process/ref.ts'
import { StageError } from './errors.ts'

/** Anything that emits events of a type, for the compiler. */
export interface Emits<Out> {
  readonly $emits: Out
}

/** Anything that handles events of a type, for the compiler. */
export interface Handles<In> {
  readonly $handles: (event: In) => void
}

/** Where to subscribe: the class or `name(Class, id)` that a producer bears as its name, or its ref. */
export type ProducerTarget<In> = Class<Emits<In>> | Name<Emits<In>> | Ref<Emits<In>>

/**
 * What the end of a subscription does to the consumer: `permanent` ends it with the same reason, `transient` only when the
 * reason is abnormal, `temporary` never.
 */
export type CancelMode = 'permanent' | 'transient' | 'temporary'

/** Says whether a consumer wants an event. */
export type Selector<Event> = (event: Event) => boolean

/** `Event` is what the consumer handles; without it the options suit any consumer. */
export interface SubscriptionOptions<Event = unknown> {
  /** Default `permanent`. */
  readonly cancel?: CancelMode | undefined
  /** Events that may be on their way at most, >= 1. Default 1000. */
  readonly maxDemand?: number | undefined
  /** More is asked for when so few are still to come; 0 <= minDemand < maxDemand. Default half of `maxDemand`. */
  readonly minDemand?: number | undefined
  /** Which partition of the producer's `PartitionDispatcher` to serve; required there, and refused by other dispatchers. */
  readonly partition?: string | number | undefined
  /**
   * Which events to get from the producer's `BroadcastDispatcher`; refused by other dispatchers. It runs inside the producer.
   * Default all.
   */
  readonly selector?: Selector<Event> | undefined
  /**
   * How many times as much to get from the producer's `FairDispatcher` as a consumer without, a whole number >= 1; refused by
   * other dispatchers. Default 1.
   */
  readonly weight?: number | undefined
  /** Anything for `handleSubscribe` on both sides. */
  readonly data?: unknown
}

/** A subscription to be made. */
export interface SubscribeTo<In> extends SubscriptionOptions<In> {
  readonly to: ProducerTarget<In>
}

/** An option that a dispatcher has to take. */
export type DispatcherOption = 'partition' | 'selector' | 'weight'

/** The options that are for dispatchers, and which dispatcher usually takes them. */
export const DISPATCHER_OPTIONS: readonly (readonly [option: DispatcherOption, dispatcher: string])[] = [
  ['partition', 'PartitionDispatcher'],
  ['selector', 'BroadcastDispatcher'],
  ['weight', 'FairDispatcher'],
]

const DEFAULT_MAX_DEMAND = 1000

/** The options with their defaults. */
export interface CheckedSubscription {
  readonly cancel: CancelMode
  readonly min: number
  readonly max: number
}

const KNOWN = ['to', 'cancel', 'maxDemand', 'minDemand', 'partition', 'selector', 'weight', 'data']
const CANCEL_MODES: readonly unknown[] = ['permanent', 'transient', 'temporary']

/** @throws `StageError` `bad_options`, which names the option, the value and what is allowed. */
export function checkSubscription(options: SubscriptionOptions<never>): CheckedSubscription {
  const unknown = unknownKey(options, KNOWN)
  if (unknown !== undefined) throw new StageError('bad_options', unknownOptionText('a subscription', unknown, KNOWN))
  const { cancel = 'permanent', maxDemand: max = DEFAULT_MAX_DEMAND } = options
  if (!Number.isInteger(max) || max < 1) throw bad('maxDemand', max, 'an integer >= 1')
  const { minDemand: min = Math.floor(max / 2) } = options
  if (!Number.isInteger(min) || min < 0 || min >= max) {
    throw bad('minDemand', min, `an integer from 0 to ${max - 1}, less than maxDemand ${max}`)
  }
  if (!CANCEL_MODES.includes(cancel)) throw bad('cancel', cancel, CANCEL_MODES.join(', '))
  return { cancel, min, max }
}

function bad(option: string, value: unknown, expected: string): StageError {
  return new StageError('bad_options', `${option} of a subscription: expected ${expected}, got ${String(value)}`)
}

/** The options of a step, checked when the flow is built. */

import { stablePartition } from '../otp/stable-hash.ts'
import type { Dispatcher } from '../stage/dispatchers/dispatcher.ts'
import type { none } from '../stage/dispatchers/none.ts'
import type { Hashed } from '../stage/dispatchers/partition-dispatcher.ts'
import { show } from '../stage/show.ts'
import { checkSubscription } from '../stage/subscription-options.ts'
import { FlowError } from './errors.ts'
import type { FlowStage } from './operation.ts'
import { badOption, flowOptions } from './option-reader.ts'
import type { WindowDefinition } from './window/window.ts'

/** Options of the stages that carry a step out. A step without operations has no stages, and no use for most of these. */
export interface StepOptions<in T = unknown> {
  /** How many stages carry the step out. Default 1: raise it when callbacks wait for something, that many then wait at once. */
  readonly stages?: number | undefined
  /** Which events are accumulated together, and when that is emitted: `Window.count(100)`. Default `Window.global()`. */
  readonly window?: WindowDefinition<T> | undefined
  /** Events on their way to each stage at most, from each stage before it. Default 1000. */
  readonly maxDemand?: number | undefined
  /** More is asked for when so few are still to come. Default half of `maxDemand`; batches have at most `maxDemand - minDemand`. */
  readonly minDemand?: number | undefined
  /** Events that each stage keeps when nobody asked for them. Default `Infinity`. */
  readonly bufferSize?: number | undefined
  /** Which events survive when the buffer is full. Default `last`. */
  readonly bufferKeep?: 'first' | 'last' | undefined
  /** Called in each stage as it starts. */
  readonly onInit?: ((stage: FlowStage) => void) | undefined
  /** Who gets which event that the step emits; called once for each stage. Default: what the next step needs. */
  readonly dispatcher?: (() => Dispatcher) | undefined
}

/** A property that elements have; of a union, one that all have. */
export type PropertyOf<T> = T extends readonly unknown[]
  ? Exclude<keyof T, keyof (readonly unknown[])> | number
  : keyof T & string

/** What of an event says where it goes: a function, a property, or the place in a tuple. */
export type PartitionKey<T> =
  | ((event: T) => unknown)
  | (PropertyOf<T> & (string | number))
  | { readonly key: keyof T & string }
  | { readonly elem: number }

/**
 * Where an event goes: the number of a partition; a pair of what goes on instead of the event and that number; or `none`, which
 * drops the event.
 */
export type PartitionHash<T, U> = (event: T) => number | readonly [event: U, partition: number] | typeof none

/** Options of a partition by a key. */
export interface KeyOptions<T> extends StepOptions<T> {
  /** Events with equal keys go to the same stage. Default the event itself. */
  readonly key?: PartitionKey<T> | undefined
  readonly hash?: undefined
}

/** Options of a partition by a hash, which may replace events. */
export interface HashOptions<T, U> extends StepOptions<U> {
  /** Says the stage itself, instead of `key`. */
  readonly hash: PartitionHash<T, U>
  readonly key?: PartitionKey<T> | undefined
}

export type PartitionOptions<T, U = T> = KeyOptions<T> | HashOptions<T, U>

const KNOWN = ['stages', 'window', 'maxDemand', 'minDemand', 'bufferSize', 'bufferKeep', 'onInit', 'dispatcher']

/** @throws `FlowError` `bad_options`, which names the option, the value and what is allowed. */
export function checkStepOptions(what: string, options: unknown, more: readonly string[] = []): void {
  const read = flowOptions(what, options, [...KNOWN, ...more])
  read.integer('stages', 1)
  read.method('onInit', 'a function')
  read.method('dispatcher', 'a function')
  const window = read.get('window')
  if (window !== undefined && typeof Object(window).open !== 'function') {
    throw read.bad('window', 'a window, such as Window.global()')
  }
  const { maxDemand, minDemand }: StepOptions<never> = Object(options)
  try {
    checkSubscription({ maxDemand, minDemand })
  } catch (error) {
    throw new FlowError('bad_options', `${what}: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}

/** Where an event goes, of so many partitions, as the dispatcher wants to be told. */
export type Route = (partitions: number) => (event: unknown) => Hashed<unknown, number>

/** How the events find their partition. @throws `FlowError` `bad_options` for a key or hash that is none. */
export function routeOf({ key, hash }: { readonly key?: unknown; readonly hash?: unknown }): Route {
  if (hash !== undefined) {
    if (typeof hash !== 'function') throw badOption('hash of partition', 'a function of an event', hash)
    return () => (event) => {
      const place = hash(event)
      return Array.isArray(place) ? { event: place[0], partition: place[1] } : place
    }
  }
  const keyOf = keyFunction(key)
  return (partitions) => (event) => stablePartition(keyOf(event), partitions)
}

function keyFunction(key: unknown): (event: unknown) => unknown {
  if (key === undefined) return (event) => event
  if (isKeyFunction(key)) return key
  if (typeof key === 'string') return property(key)
  if (isPlace(key)) return property(key)
  if (typeof key === 'object' && key !== null) {
    if ('key' in key && typeof key.key === 'string') return property(key.key)
    if ('elem' in key && isPlace(key.elem)) return property(key.elem)
  }
  throw badOption(
    'key of partition',
    'one of a function of an event, the name of a property, { key: name }, the place in a tuple, { elem: place }',
    key,
  )
}

/** What it takes only its user knows. It is called as it is: a function around it would be one more call for each event. */
function isKeyFunction(key: unknown): key is (event: unknown) => unknown {
  return typeof key === 'function'
}

function isPlace(key: unknown): key is number {
  return typeof key === 'number' && Number.isInteger(key) && key >= 0
}

function property(name: string | number): (event: unknown) => unknown {
  return (event) => {
    if (typeof event === 'object' && event !== null && name in event) return Reflect.get(event, name)
    throw new TypeError(`${show(event)} has no ${name}, which is the key of its partition`)
  }
}

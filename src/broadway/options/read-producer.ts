/** Reads where the messages of a pipeline come from. */

import { definitionOf } from '../../otp/definition.ts'
import type { Class } from '../../process/name.ts'
import { IterableProducer } from '../../stage/interop/iterable-producer.ts'
import type { OptionReader } from '../../stage/option-reader.ts'
import { Producer } from '../../stage/producer.ts'
import { Message } from '../message.ts'
import type { CheckedProducer } from './checked-options.ts'
import { pipelineOptions } from './option-reader.ts'
import type { RateLimitingOptions, RateLimitingUpdate } from './pipeline-options.ts'

const RATE_LIMITING = ['allowedMessages', 'interval']
const KNOWN = ['module', 'arg', 'source', 'concurrency', 'transformer', 'rateLimiting']

/** @throws `BroadwayError` `bad_options`; `StartError` `bad_class` when the producer cannot run as written. */
export function readProducer(all: OptionReader): CheckedProducer {
  all.entries('producer', 'an object with module or source')
  const options = all.at('producer', KNOWN)
  const source = options.get('source')
  const module = options.get('module')
  const concurrency = options.integer('concurrency', 1) ?? 1
  const transformer = options.method<(event: unknown) => unknown>('transformer', 'a function of an event')
  const rateLimiting = readRateLimiting(options)
  if (source !== undefined) {
    if (module !== undefined) throw options.bad('source', 'either module or source, not both')
    // Given as a function it is neither copied nor frozen.
    const open = typeof source === 'function' ? source : () => source
    const arg = { source: open }
    return { type: IterableProducer, arg, concurrency, transformer: transformer ?? wrap, rateLimiting, finite: true }
  }
  if (!isProducer(module)) throw options.bad('module', 'a class that extends Producer')
  definitionOf(module)
  return { type: module, arg: options.get('arg'), concurrency, transformer, rateLimiting, finite: false }
}

/** Elements of a source are data, unless they are messages. */
function wrap(event: unknown): Message {
  return event instanceof Message ? event : new Message(event)
}

function isProducer(module: unknown): module is Class {
  return typeof module === 'function' && module.prototype instanceof Producer
}

function readRateLimiting(producer: OptionReader): RateLimitingOptions | undefined {
  if (!producer.has('rateLimiting')) return undefined
  const options = producer.at('rateLimiting', RATE_LIMITING)
  const { allowedMessages, interval } = readRate(options)
  if (allowedMessages === undefined) throw options.bad('allowedMessages', 'a whole number >= 1')
  if (interval === undefined) throw options.bad('interval', 'a whole number >= 1')
  return { allowedMessages, interval }
}

/** What a pipeline that runs is to allow from now on. */
export function readRateLimitingUpdate(given: unknown): RateLimitingUpdate {
  const options = pipelineOptions(given, [...RATE_LIMITING, 'reset'], 'updateRateLimiting')
  return { ...readRate(options), reset: options.boolean('reset') ?? false }
}

function readRate(options: OptionReader): RateLimitingUpdate {
  return { allowedMessages: options.integer('allowedMessages', 1), interval: options.integer('interval', 1) }
}

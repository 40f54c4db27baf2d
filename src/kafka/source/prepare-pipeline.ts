/**
 * What the sources of one pipeline have in common: which processor and which batch processor handles which partition, so that its
 * messages keep their order; and their connection, when they share one.
 */

import type { Message } from '../../broadway/message.ts'
import type { PreparedPipeline } from '../../broadway/options/prepare-for-start.ts'
import { readOptions } from '../../broadway/options/read-options.ts'
import { isObject } from '../../stage/option-reader.ts'
import type { TopicPartition } from '../client/port.ts'
import { type SharedConnection, shareConnection } from '../client/shared-connection.ts'
import { KafkaError } from '../errors.ts'
import { Allocator } from './allocator.ts'

export interface PipelineParts {
  readonly allocators: readonly Allocator[]
  readonly shared: SharedConnection
}

/** By the options of the pipeline, as its stages know them. */
const parts = new WeakMap<object, PipelineParts>()

/** @param given The options that the pipeline was prepared with. */
export function partsOf(given: unknown): PipelineParts | undefined {
  return isObject(given) ? parts.get(given) : undefined
}

/**
 * Has all messages of a partition go to one processor, and to one batch processor.
 *
 * @throws `KafkaError` `bad_options` when the options distribute messages themselves.
 */
export function preparePipeline(source: string, given: object): PreparedPipeline {
  refuse(source, given, 'the pipeline')
  const processors = Object(Reflect.get(given, 'processors'))
  refuse(source, processors.default, 'processors.default')
  const batchers = Object.entries(Object(Reflect.get(given, 'batchers')))
  for (const [key, batcher] of batchers) refuse(source, batcher, `batchers.${key}`)
  const checked = readOptions(given)
  const allocators: Allocator[] = []
  const allocatedBy = (concurrency: number): object => {
    const allocator = new Allocator(concurrency)
    allocators.push(allocator)
    return { partitionBy: (message: Message) => slotOf(allocator, message.metadata) }
  }
  const options: Record<string, unknown> = {
    ...given,
    processors: { default: { ...processors.default, ...allocatedBy(checked.processors.concurrency) } },
  }
  if (batchers.length > 0) {
    options['batchers'] = Object.fromEntries(
      checked.batchers.map(({ key, concurrency }) => [
        key,
        { ...Object(new Map(batchers).get(key)), ...allocatedBy(concurrency) },
      ]),
    )
  }
  parts.set(options, { allocators, shared: shareConnection() })
  return { children: [], options }
}

function slotOf(allocator: Allocator, metadata: unknown): number {
  const { topic, partition }: Partial<TopicPartition> = Object(metadata)
  return typeof topic === 'string' && typeof partition === 'number' ? allocator.lookup(topic, partition) : 0
}

function refuse(source: string, options: unknown, where: string): void {
  if (!isObject(options) || Reflect.get(options, 'partitionBy') === undefined) return
  throw new KafkaError(
    'bad_options',
    `partitionBy of ${where}: with ${source} it has to be left out: messages go to processors by their partition of Kafka, or they would lose their order`,
  )
}

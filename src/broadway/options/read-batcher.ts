/** Reads one batcher of a pipeline. */

import { isObject, type OptionReader } from '../../stage/option-reader.ts'
import type { Message } from '../message.ts'
import type { CheckedBatcher, PartitionBy } from './checked-options.ts'
import { pipelineOptions } from './option-reader.ts'
import type { BatchSplitter } from './pipeline-options.ts'
import { type CheckedRetry, readRetry } from './retry-options.ts'

const TWO_ARGUMENTS = 'a function of two arguments, a message and the state'
const KNOWN = ['concurrency', 'batchSize', 'batchTimeout', 'maxDemand', 'partitionBy', 'retry', 'handleBatch']

/** @throws `BroadwayError` `bad_options`. */
export function readBatcher(
  key: string,
  given: unknown,
  partitionBy: PartitionBy | undefined,
  retry: CheckedRetry | undefined,
): CheckedBatcher {
  const options = pipelineOptions(given, KNOWN, `batchers.${key}`)
  const handleBatch = options.required<CheckedBatcher['handleBatch']>('handleBatch', 'a function of messages')
  const batchSize = readBatchSize(options)
  const maxDemand = options.integer('maxDemand', 1) ?? batchSize
  if (typeof maxDemand !== 'number') {
    throw options.bad('maxDemand', 'a whole number >= 1, because batchSize is a splitter and says no number')
  }
  return {
    key,
    concurrency: options.integer('concurrency', 1) ?? 1,
    batchSize,
    batchTimeout: options.integer('batchTimeout', 1) ?? 1000,
    maxDemand,
    partitionBy: options.method<PartitionBy>('partitionBy', 'a function of a message') ?? partitionBy,
    retry: readRetry(options, retry),
    handleBatch,
  }
}

function readBatchSize(options: OptionReader): number | BatchSplitter<Message> {
  const value = options.get('batchSize')
  if (value === undefined || typeof value === 'number') return options.integer('batchSize', 1) ?? 100
  if (!isObject(value) || !('splitter' in value) || !('initial' in value)) {
    throw options.bad('batchSize', 'a whole number >= 1, or { initial, splitter }')
  }
  const split = options.at('batchSize', ['initial', 'splitter'])
  const splitter = split.required<BatchSplitter<Message>['splitter']>('splitter', TWO_ARGUMENTS)
  if (splitter.length !== 2) throw split.bad('splitter', TWO_ARGUMENTS)
  return { initial: value.initial, splitter }
}

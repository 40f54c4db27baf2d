/** Reads who handles the messages of a pipeline one by one. */

import { availableParallelism } from 'node:os'
import type { OptionReader } from '../../stage/option-reader.ts'
import { BroadwayError } from '../errors.ts'
import type { CheckedProcessors, PartitionBy } from './checked-options.ts'
import { readWorker } from './read-worker.ts'
import { type CheckedRetry, readRetry } from './retry-options.ts'

const KNOWN = [
  'concurrency',
  'maxDemand',
  'minDemand',
  'partitionBy',
  'retry',
  'prepareMessages',
  'handleMessage',
  'worker',
]

/** @throws `BroadwayError` `bad_options`. */
export function readProcessors(
  all: OptionReader,
  partitionBy: PartitionBy | undefined,
  retry: CheckedRetry | undefined,
): CheckedProcessors {
  const groups = all.entries('processors', 'an object with default: { handleMessage }')
  if (groups.length > 1) {
    const keys = groups.map(([key]) => key).join(', ')
    const text = `processors of a pipeline: only one set of processors is allowed, got ${keys}; send messages to different batchers, or start several pipelines`
    throw new BroadwayError('bad_options', text)
  }
  const group = all.at('processors', ['default'])
  const options = group.at('default', KNOWN)
  const handleMessage = options.required<CheckedProcessors['handleMessage']>('handleMessage', 'a function of a message')
  const maxDemand = options.integer('maxDemand', 1) ?? 10
  const minDemand = options.integer('minDemand', 0) ?? Math.floor(maxDemand / 2)
  if (minDemand >= maxDemand) {
    throw options.bad('minDemand', `a whole number from 0 to ${maxDemand - 1}, less than maxDemand ${maxDemand}`)
  }
  return {
    key: 'default',
    concurrency: options.integer('concurrency', 1) ?? 2 * availableParallelism(),
    minDemand,
    maxDemand,
    partitionBy: options.method<PartitionBy>('partitionBy', 'a function of a message') ?? partitionBy,
    retry: readRetry(options, retry),
    prepareMessages: options.method('prepareMessages', 'a function of messages'),
    handleMessage,
    worker: readWorker(options),
  }
}

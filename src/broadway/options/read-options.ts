/** Reads the options of a pipeline before anything starts. */

import { isName, type Name } from '../../process/name.ts'
import type { OptionReader } from '../../stage/option-reader.ts'
import type { CheckedBatcher, CheckedPipeline, PartitionBy } from './checked-options.ts'
import { pipelineOptions } from './option-reader.ts'
import { readBatcher } from './read-batcher.ts'
import { readProcessors } from './read-processors.ts'
import { readProducer } from './read-producer.ts'
import { type CheckedRetry, readRetry } from './retry-options.ts'

const KNOWN = [
  'name',
  'context',
  'producer',
  'processors',
  'batchers',
  'handleFailed',
  'deadLetter',
  'partitionBy',
  'retry',
  'shutdown',
  'drainTimeout',
  'onAbandoned',
  'maxRestarts',
  'maxSeconds',
  'resubscribeInterval',
  'processName',
]

/** @throws `BroadwayError` `bad_options`, which names the path of the option, the value and what is allowed. */
export function readOptions(given: unknown): CheckedPipeline {
  const options = pipelineOptions(given, KNOWN)
  const partitionBy = options.method<PartitionBy>('partitionBy', 'a function of a message')
  const shutdown = options.integer('shutdown', 1) ?? 30_000
  const retry = readRetry(options)
  return {
    given,
    name: readName(options),
    context: options.get('context'),
    producer: readProducer(options),
    processors: readProcessors(options, partitionBy, retry),
    batchers: readBatchers(options, partitionBy, retry),
    handleFailed: options.method('handleFailed', 'a function of failed messages'),
    deadLetter: options.method('deadLetter', 'a function of failed messages'),
    shutdown,
    drainTimeout: options.count('drainTimeout') ?? shutdown,
    onAbandoned: options.method('onAbandoned', 'a function of a report'),
    maxRestarts: options.integer('maxRestarts', 0) ?? 3,
    maxSeconds: options.integer('maxSeconds', 1) ?? 5,
    resubscribeInterval: options.integer('resubscribeInterval', 0) ?? 100,
    processName: options.method('processName', 'a function of the name of a part'),
  }
}

function readName(options: OptionReader): string | Name {
  const name = options.get('name')
  if (typeof name === 'string' && name !== '') return name
  if (typeof name === 'object' && name !== null && isName(name)) return name as Name
  throw options.bad('name', 'a string, or a name made with via')
}

function readBatchers(
  options: OptionReader,
  partitionBy: PartitionBy | undefined,
  retry: CheckedRetry | undefined,
): readonly CheckedBatcher[] {
  if (!options.has('batchers')) return []
  const batchers = options.get('batchers')
  if (typeof batchers !== 'object' || batchers === null) throw options.bad('batchers', 'an object of batchers by key')
  return Object.entries(batchers).map(([key, given]) => readBatcher(key, given, partitionBy, retry))
}

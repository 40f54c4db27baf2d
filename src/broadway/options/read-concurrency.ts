/** Reads how many stages there are to be from now on. */

import { show } from '../../stage/show.ts'
import { BroadwayError } from '../errors.ts'
import type { CheckedPipeline } from './checked-options.ts'
import { pipelineOptions } from './option-reader.ts'

/** How many stages of each kind; of those that are not named as many as there are. */
export interface PipelineConcurrency {
  /** How many processors, >= 1. */
  readonly processors?: number | undefined
  /** How many batch processors of each batcher, >= 1. */
  readonly batchers?: Readonly<Record<string, number>> | undefined
  /**
   * Milliseconds that the stages have to finish what is on its way, >= 1 or `Infinity`. What is left then is killed and reported as when
   * a pipeline stops, and the new stages start. Default that of the pipeline.
   */
  readonly drainTimeout?: number | undefined
}

/**
 * The options of a pipeline with other numbers of stages; `drainTimeout` stays what it is.
 *
 * @throws `BroadwayError` `bad_options`.
 */
export function withConcurrency(options: CheckedPipeline, given: PipelineConcurrency): CheckedPipeline {
  const concurrency = pipelineOptions(given, ['processors', 'batchers', 'drainTimeout'])
  concurrency.count('drainTimeout')
  const { processors, batchers } = options
  const read = concurrency.at('batchers', keysOf(options, given), given.batchers ?? {})
  return {
    ...options,
    processors: { ...processors, concurrency: concurrency.integer('processors', 1) ?? processors.concurrency },
    batchers: batchers.map((batcher) => ({
      ...batcher,
      concurrency: read.integer(batcher.key, 1) ?? batcher.concurrency,
    })),
  }
}

function keysOf({ name, batchers }: CheckedPipeline, given: PipelineConcurrency): readonly string[] {
  if (batchers.length > 0 || given.batchers === undefined) return batchers.map(({ key }) => key)
  throw new BroadwayError('bad_options', `batchers: ${name} has none, got ${show(given.batchers)}`)
}

/** Whether two pipelines have as many stages of each kind. */
export function sameConcurrency(a: CheckedPipeline, b: CheckedPipeline): boolean {
  if (a.processors.concurrency !== b.processors.concurrency) return false
  return a.batchers.every(({ concurrency }, index) => concurrency === b.batchers[index]?.concurrency)
}

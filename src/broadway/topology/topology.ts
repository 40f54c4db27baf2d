/** The parts of a pipeline, for those who look at it. */

import type { CheckedPipeline } from '../options/checked-options.ts'
import { ProcessNames } from './process-names.ts'

/** Stages of one kind. The name of each is `name`, `_` and its index, from 0 on. */
export interface TopologyStages {
  readonly name: string
  readonly concurrency: number
}

export interface TopologyProcessors extends TopologyStages {
  readonly processorKey: string
}

export interface TopologyBatcher extends TopologyStages {
  readonly batcherKey: string
  /** The name of the batcher itself, of which there is one. */
  readonly batcherName: string
}

/** The parts of a pipeline; batchers in the order of the options. */
export interface Topology {
  readonly producers: readonly TopologyStages[]
  readonly processors: readonly TopologyProcessors[]
  readonly batchers: readonly TopologyBatcher[]
}

export function describeTopology(options: CheckedPipeline): Topology {
  const names = new ProcessNames(options)
  const { producer, processors, batchers } = options
  return {
    producers: [{ name: names.text('Producer'), concurrency: producer.concurrency }],
    processors: [
      {
        name: names.text(`Processor_${processors.key}`),
        processorKey: processors.key,
        concurrency: processors.concurrency,
      },
    ],
    batchers: batchers.map(({ key, concurrency }) => ({
      batcherName: names.text(`Batcher_${key}`),
      batcherKey: key,
      name: names.text(`BatchProcessor_${key}`),
      concurrency,
    })),
  }
}

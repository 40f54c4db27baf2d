/** The options of a pipeline when they have been read: complete, and right. */

import type { Class, Name } from '../../process/name.ts'
import type { ThreadOptions } from '../../worker/thread-options.ts'
import type { BatchInfo } from '../batch-info.ts'
import type { Message } from '../message.ts'
import type { Abandoned } from '../topology/abandoned.ts'
import type { BatchSplitter, PipelineStage, RateLimitingOptions } from './pipeline-options.ts'
import type { CheckedRetry } from './retry-options.ts'

export interface CheckedProducer {
  readonly type: Class
  readonly arg: unknown
  readonly concurrency: number
  readonly transformer: ((event: unknown) => unknown) | undefined
  readonly rateLimiting: RateLimitingOptions | undefined
  /** It comes to an end: then it is not started again. */
  readonly finite: boolean
}

export type PartitionBy = (message: Message) => number

export interface CheckedProcessors {
  readonly key: string
  readonly concurrency: number
  readonly minDemand: number
  readonly maxDemand: number
  readonly partitionBy: PartitionBy | undefined
  readonly retry: CheckedRetry | undefined
  readonly prepareMessages:
    | ((messages: readonly Message[], context: unknown, stage: PipelineStage) => unknown)
    | undefined
  readonly handleMessage: (message: Message, context: unknown, stage: PipelineStage) => unknown
  readonly worker: CheckedWorker | undefined
}

/** A function in a module that workers load. */
export interface CheckedWorker {
  readonly module: string | URL
  readonly name: string
  /** Workers, or one of them; looked at where it is used. */
  readonly on: unknown
  readonly thread: ThreadOptions
}

export interface CheckedBatcher {
  readonly key: string
  readonly concurrency: number
  readonly batchSize: number | BatchSplitter<Message>
  readonly batchTimeout: number
  readonly maxDemand: number
  readonly partitionBy: PartitionBy | undefined
  readonly retry: CheckedRetry | undefined
  readonly handleBatch: (
    messages: readonly Message[],
    info: BatchInfo,
    context: unknown,
    stage: PipelineStage,
  ) => unknown
}

export type HandleFailed = (messages: readonly Message[], context: unknown, stage: PipelineStage) => unknown

export interface CheckedPipeline {
  /** The options as they were given. */
  readonly given: unknown
  readonly name: string | Name
  readonly context: unknown
  readonly producer: CheckedProducer
  readonly processors: CheckedProcessors
  /** In the order of the options; empty when there are none. */
  readonly batchers: readonly CheckedBatcher[]
  readonly handleFailed: HandleFailed | undefined
  readonly deadLetter: HandleFailed | undefined
  readonly shutdown: number
  readonly drainTimeout: number
  readonly onAbandoned: ((report: Abandoned) => void) | undefined
  readonly maxRestarts: number
  readonly maxSeconds: number
  readonly resubscribeInterval: number
  readonly processName: ((base: string) => string | Name) | undefined
}

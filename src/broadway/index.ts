/** @module sluice/broadway: messages from a source through processors and batchers, acknowledged whatever happens. */

export { type Acknowledger, ackImmediately } from './acknowledger.ts'
export type { BatchInfo, BatchTrigger } from './batch-info.ts'
export { Broadway } from './broadway.ts'
export { Ack, AckConfigured, CallerAcknowledger } from './caller-acknowledger.ts'
export { BroadwayError, type BroadwayErrorCode } from './errors.ts'
export { type BatchMode, type Failure, Message, type MessageOptions, type MessageStatus } from './message.ts'
export { noopAcknowledger } from './noop-acknowledger.ts'
export {
  type BatcherOptions,
  type BatchSplitter,
  emit,
  type Incoming,
  type MessageFor,
  type PipelineOptions,
  type PipelineProducerOptions,
  type PipelineStage,
  type ProcessorOptions,
  type ProcessorWorkerOptions,
  type RateLimitingOptions,
  type RateLimitingUpdate,
} from './options/pipeline-options.ts'
export type { PreparedPipeline } from './options/prepare-for-start.ts'
export type { PipelineConcurrency } from './options/read-concurrency.ts'
export type { BackoffOptions, RetryOptions } from './options/retry-options.ts'
export type {
  Acknowledged,
  TestBatchOptions,
  TestCaller,
  TestMessageOptions,
  TestOutcome,
} from './test-messages.ts'
export type { Abandoned, AbandonedStage } from './topology/abandoned.ts'
export { type ProducerPlace, pipelineOf } from './topology/producer-stage.ts'
export type { Topology, TopologyBatcher, TopologyProcessors, TopologyStages } from './topology/topology.ts'

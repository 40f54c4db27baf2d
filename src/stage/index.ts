/** @module sluice/stage: producers, consumers, and what lies between them. */

export type { BufferKeep, EventBuffer, Info } from './buffer.ts'
export { Consumer, type ConsumerOptions } from './consumer.ts'
export { ConsumerSupervisor } from './consumer-supervisor/consumer-supervisor.ts'
export type { ConsumerSupervisorOptions } from './consumer-supervisor/consumer-supervisor-options.ts'
export type {
  EventChildOptions,
  EventClass,
  EventFunction,
  EventRestart,
  EventTemplate,
  EventWorkOptions,
} from './consumer-supervisor/event-work.ts'
export { BroadcastDispatcher } from './dispatchers/broadcast-dispatcher.ts'
export { DemandDispatcher, type DemandDispatcherOptions } from './dispatchers/demand-dispatcher.ts'
export type { Dispatcher, DispatcherHost } from './dispatchers/dispatcher.ts'
export { FairDispatcher } from './dispatchers/fair-dispatcher.ts'
export {
  type Hashed,
  type NamedPartitions,
  type NumberedPartitions,
  none,
  PartitionDispatcher,
  type PartitionDispatcherOptions,
  type PartitionName,
} from './dispatchers/partition-dispatcher.ts'
export {
  PriorityDispatcher,
  type PriorityDispatcherOptions,
  type PriorityLevels,
} from './dispatchers/priority-dispatcher.ts'
export { StageError, type StageErrorCode } from './errors.ts'
export { BatchSource } from './interop/batch-source.ts'
export {
  type EventIntake,
  type EventOverflow,
  EventProducer,
  type EventProducerOptions,
  type FromEventsOptions,
  fromEvents,
} from './interop/event-producer.ts'
export type { AnyEmitter, EmittingTarget, EventName, EventValues, NodeEmitter } from './interop/event-types.ts'
export {
  type FromIterableOptions,
  fromIterable,
  IterableProducer,
  type IterableProducerOptions,
} from './interop/iterable-producer.ts'
export type { Opening } from './interop/opening.ts'
export { type Range, range } from './interop/range.ts'
export type { Sink } from './interop/sink.ts'
export type { Source } from './interop/source.ts'
export { SourceMeter } from './interop/source-meter.ts'
export { type Streamed, type StreamOptions, stream } from './interop/stream.ts'
export {
  type ThroughTransformOptions,
  type TransformLike,
  type TransformPair,
  TransformProducerConsumer,
  type TransformProducerConsumerOptions,
  throughTransform,
} from './interop/transform-producer-consumer.ts'
export type { WebWritable } from './interop/web-sink.ts'
export {
  type ToWritableOptions,
  toWritable,
  WritableConsumer,
  type WritableConsumerOptions,
} from './interop/writable-consumer.ts'
export { type Emitted, Producer } from './producer.ts'
export { ProducerConsumer, type ProducerConsumerOptions } from './producer-consumer.ts'
export type { DemandMode, ProducerOptions } from './producer-options.ts'
export { Batch, type BatchOptions } from './ready-made/batch.ts'
export type { Overflow, QueueProducerOptions } from './ready-made/queue-options.ts'
export { type QueueInfo, QueueProducer } from './ready-made/queue-producer.ts'
export { RateLimiter, type RateLimiterOptions } from './ready-made/rate-limiter.ts'
export type { Cancellation } from './stage.ts'
export { manual } from './stage-behaviour.ts'
export type { StageInfo } from './stage-info.ts'
export {
  asyncInfo,
  asyncSubscribe,
  demand,
  estimateBufferedCount,
  resubscribe,
  type SyncSubscribeOptions,
  setDemand,
  stageInfo,
  syncInfo,
  syncSubscribe,
} from './subscribe.ts'
export type { Subscription } from './subscription.ts'
export type {
  CancelMode,
  DispatcherOption,
  Emits,
  Handles,
  ProducerTarget,
  Selector,
  SubscribeTo,
  SubscriptionOptions,
} from './subscription-options.ts'
export type { Subscribing } from './subscription-target.ts'

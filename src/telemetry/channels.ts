/**
 * The events of Sluice, as named `diagnostics_channel` channels with typed payloads. Without a subscriber nothing is built:
 * emitters ask `hasSubscribers` first.
 */

import type {
  Acknowledgement,
  BatcherStart,
  BatcherStop,
  BatchLeft,
  BatchProcessorStart,
  BatchProcessorStop,
  HandleFailedException,
  HandleFailedStart,
  HandleFailedStop,
  MessageException,
  MessageStart,
  MessageStop,
  MessagesAbandoned,
  PipelineInit,
  ProcessorStart,
  ProcessorStop,
  RateLimit,
} from './broadway-events.ts'
import { type TypedChannel, typed } from './channel.ts'
import type { PubSubAck, PubSubPullStart, PubSubPullStop, PubSubReceiveFailure } from './pubsub-events.ts'
import type { SqsAck, SqsReceiveFailure, SqsReceiveStart, SqsReceiveStop } from './sqs-events.ts'

export interface ProcessStart {
  readonly id: number
  readonly process: string
  readonly parent: string | undefined
}

export interface ProcessExit {
  readonly id: number
  readonly process: string
  /** A word, `{ shutdown }` or an `Error`. */
  readonly reason: unknown
}

export interface ProcessCrash extends ProcessExit {
  /** The message that was being handled. */
  readonly lastMessage: string | undefined
  /** How often a supervisor had started it again before. */
  readonly restarts: number
}

export interface SupervisorRestart {
  readonly supervisor: string
  readonly child: string
  readonly reason: unknown
  /** Restarts of this child so far. */
  readonly restarts: number
}

export interface StageBatch {
  /** Number of the stage's process. */
  readonly id: number
  readonly stage: string
  /** Events handled in this batch. */
  readonly events: number
}

export interface StageDemand {
  readonly id: number
  readonly stage: string
  /** Events asked for. */
  readonly demand: number
}

export interface StageSubscription {
  readonly producer: string
  readonly consumer: string
  readonly reason?: unknown
}

export interface StageDiscard {
  readonly id: number
  readonly stage: string
  /** Events that did not fit into the buffer. */
  readonly events: number
}

/** Messages that were enqueued, delivered, or came back because their visibility timeout was over. */
export interface QueueActivity {
  /** Number of the queue's process. */
  readonly id: number
  readonly queue: string
  readonly messages: number
}

export interface QueueAck extends QueueActivity {
  /** Receipts that came too late. */
  readonly late: number
}

export interface QueueNack extends QueueActivity {
  /** Milliseconds until they can be delivered again. */
  readonly delay: number
}

export interface QueueDeadLetter {
  readonly id: number
  readonly queue: string
  /** Number of the message. */
  readonly message: number
  readonly attempts: number
  readonly reason: unknown
}

export interface FlowLate {
  readonly id: number
  readonly stage: string
  /** The type of the windows that were over, such as `fixed`. */
  readonly window: string
  /** Events that were dropped. */
  readonly events: number
}

export interface RabbitMQConnect {
  /** The source or the publisher. */
  readonly process: string
  /** Where it is connected to, without the password. */
  readonly connection: string
  /** Its option `name`. */
  readonly name: string | undefined
}

export interface RabbitMQConnectionFailure {
  readonly process: string
  /** A word, such as `econnrefused`, `auth_failure`, `timeout`. */
  readonly reason: string
  readonly message: string
  /** Milliseconds until the next attempt; `undefined` when there is none. */
  readonly retryIn: number | undefined
}

export interface RabbitMQAck {
  readonly process: string
  readonly answer: 'ack' | 'reject' | 'requeue'
  /** Messages that were answered for at once. */
  readonly messages: number
}

export interface RabbitMQBlocked {
  /** The publisher. */
  readonly process: string
  /** False when the server takes messages again. */
  readonly blocked: boolean
  /** Why not, as the server says it: `low on memory`. */
  readonly reason: string | undefined
}

export interface KafkaConnect {
  /** The source or the publisher. */
  readonly process: string
  /** The brokers that it was given. */
  readonly hosts: string
}

export interface KafkaConnectionFailure {
  readonly process: string
  readonly message: string
  /** Milliseconds until the next attempt; `undefined` when there is none. */
  readonly retryIn: number | undefined
}

/** A partition of a topic of Kafka. */
export interface KafkaPartition {
  readonly topic: string
  readonly partition: number
}

export interface KafkaAssigned {
  /** The source. */
  readonly process: string
  /** How often its group has distributed partitions. */
  readonly generation: number
  readonly partitions: readonly KafkaPartition[]
}

export interface KafkaRevoked {
  /** The source. */
  readonly process: string
  readonly partitions: readonly KafkaPartition[]
  /** Messages that were under way when the group wanted the partitions. */
  readonly messages: number
  /** Those of them that took too long. */
  readonly left: number
  /** Milliseconds until the source had given them back. */
  readonly duration: number
}

export interface KafkaCommit {
  /** The source. */
  readonly process: string
  /** Where the group is to go on. */
  readonly offsets: readonly (KafkaPartition & { readonly offset: number })[]
}

export interface NatsConnect {
  /** The source or the publisher. */
  readonly process: string
  /** Where it is connected to, without what is secret. */
  readonly connection: string
  /** Its option `name`. */
  readonly name: string | undefined
}

export interface NatsConnectionFailure {
  readonly process: string
  /** A word, such as `econnrefused`, `auth_failure`, `not_found`. */
  readonly reason: string
  readonly message: string
  /** Milliseconds until the next attempt; `undefined` when there is none. */
  readonly retryIn: number | undefined
}

export interface NatsAck {
  readonly process: string
  readonly answer: 'ack' | 'nak' | 'term' | 'dead_letter'
  /** Messages that were answered for together. */
  readonly messages: number
}

export interface RedisConnect {
  /** The source or the publisher. */
  readonly process: string
  /** Where it is connected to, without the password. */
  readonly connection: string
  /** Its option `name`. */
  readonly name: string | undefined
}

export interface RedisConnectionFailure {
  readonly process: string
  /** A word, such as `econnrefused`, `auth_failure`, `socket_closed`. */
  readonly reason: string
  readonly message: string
  /** Milliseconds until the next attempt; `undefined` when there is none. */
  readonly retryIn: number | undefined
}

export interface RedisAck {
  readonly process: string
  readonly answer: 'ack' | 'retry' | 'dead_letter'
  /** Messages that were answered for together. */
  readonly messages: number
}

/** Every channel, by what happened. */
export interface Channels {
  readonly processStart: TypedChannel<ProcessStart>
  readonly processExit: TypedChannel<ProcessExit>
  readonly processCrash: TypedChannel<ProcessCrash>
  readonly supervisorRestart: TypedChannel<SupervisorRestart>
  readonly stageSubscribe: TypedChannel<StageSubscription>
  readonly stageCancel: TypedChannel<StageSubscription>
  readonly stageDemand: TypedChannel<StageDemand>
  readonly stageBatch: TypedChannel<StageBatch>
  readonly stageDiscard: TypedChannel<StageDiscard>
  readonly flowLate: TypedChannel<FlowLate>
  readonly broadwayInit: TypedChannel<PipelineInit>
  readonly broadwayProcessorStart: TypedChannel<ProcessorStart>
  readonly broadwayProcessorStop: TypedChannel<ProcessorStop>
  readonly broadwayMessageStart: TypedChannel<MessageStart>
  readonly broadwayMessageStop: TypedChannel<MessageStop>
  readonly broadwayMessageException: TypedChannel<MessageException>
  readonly broadwayBatcherStart: TypedChannel<BatcherStart>
  readonly broadwayBatcherStop: TypedChannel<BatcherStop>
  readonly broadwayBatch: TypedChannel<BatchLeft>
  readonly broadwayBatchProcessorStart: TypedChannel<BatchProcessorStart>
  readonly broadwayBatchProcessorStop: TypedChannel<BatchProcessorStop>
  readonly broadwayHandleFailedStart: TypedChannel<HandleFailedStart>
  readonly broadwayHandleFailedStop: TypedChannel<HandleFailedStop>
  readonly broadwayHandleFailedException: TypedChannel<HandleFailedException>
  readonly broadwayAck: TypedChannel<Acknowledgement>
  readonly broadwayRateLimit: TypedChannel<RateLimit>
  readonly broadwayAbandon: TypedChannel<MessagesAbandoned>
  readonly queueEnqueue: TypedChannel<QueueActivity>
  readonly queueDeliver: TypedChannel<QueueActivity>
  readonly queueAck: TypedChannel<QueueAck>
  readonly queueNack: TypedChannel<QueueNack>
  readonly queueExpire: TypedChannel<QueueActivity>
  readonly queueDeadLetter: TypedChannel<QueueDeadLetter>
  readonly rabbitmqConnect: TypedChannel<RabbitMQConnect>
  readonly rabbitmqConnectionFailure: TypedChannel<RabbitMQConnectionFailure>
  readonly rabbitmqAck: TypedChannel<RabbitMQAck>
  readonly rabbitmqBlocked: TypedChannel<RabbitMQBlocked>
  readonly kafkaConnect: TypedChannel<KafkaConnect>
  readonly kafkaConnectionFailure: TypedChannel<KafkaConnectionFailure>
  readonly kafkaAssigned: TypedChannel<KafkaAssigned>
  readonly kafkaRevoked: TypedChannel<KafkaRevoked>
  readonly kafkaCommit: TypedChannel<KafkaCommit>
  readonly natsConnect: TypedChannel<NatsConnect>
  readonly natsConnectionFailure: TypedChannel<NatsConnectionFailure>
  readonly natsAck: TypedChannel<NatsAck>
  readonly sqsReceiveStart: TypedChannel<SqsReceiveStart>
  readonly sqsReceiveStop: TypedChannel<SqsReceiveStop>
  readonly sqsReceiveFailure: TypedChannel<SqsReceiveFailure>
  readonly sqsAck: TypedChannel<SqsAck>
  readonly pubsubPullStart: TypedChannel<PubSubPullStart>
  readonly pubsubPullStop: TypedChannel<PubSubPullStop>
  readonly pubsubReceiveFailure: TypedChannel<PubSubReceiveFailure>
  readonly pubsubAck: TypedChannel<PubSubAck>
  readonly redisConnect: TypedChannel<RedisConnect>
  readonly redisConnectionFailure: TypedChannel<RedisConnectionFailure>
  readonly redisAck: TypedChannel<RedisAck>
}

export const channels: Channels = {
  processStart: typed('sluice:process:start'),
  processExit: typed('sluice:process:exit'),
  processCrash: typed('sluice:process:crash'),
  supervisorRestart: typed('sluice:supervisor:restart'),
  stageSubscribe: typed('sluice:stage:subscribe'),
  stageCancel: typed('sluice:stage:cancel'),
  stageDemand: typed('sluice:stage:demand'),
  stageBatch: typed('sluice:stage:batch'),
  stageDiscard: typed('sluice:stage:discard'),
  flowLate: typed('sluice:flow:late'),
  broadwayInit: typed('sluice:broadway:init'),
  broadwayProcessorStart: typed('sluice:broadway:processor_start'),
  broadwayProcessorStop: typed('sluice:broadway:processor_stop'),
  broadwayMessageStart: typed('sluice:broadway:message_start'),
  broadwayMessageStop: typed('sluice:broadway:message_stop'),
  broadwayMessageException: typed('sluice:broadway:message_exception'),
  broadwayBatcherStart: typed('sluice:broadway:batcher_start'),
  broadwayBatcherStop: typed('sluice:broadway:batcher_stop'),
  broadwayBatch: typed('sluice:broadway:batch'),
  broadwayBatchProcessorStart: typed('sluice:broadway:batch_processor_start'),
  broadwayBatchProcessorStop: typed('sluice:broadway:batch_processor_stop'),
  broadwayHandleFailedStart: typed('sluice:broadway:handle_failed_start'),
  broadwayHandleFailedStop: typed('sluice:broadway:handle_failed_stop'),
  broadwayHandleFailedException: typed('sluice:broadway:handle_failed_exception'),
  broadwayAck: typed('sluice:broadway:ack'),
  broadwayRateLimit: typed('sluice:broadway:rate_limit'),
  broadwayAbandon: typed('sluice:broadway:abandon'),
  queueEnqueue: typed('sluice:queue:enqueue'),
  queueDeliver: typed('sluice:queue:deliver'),
  queueAck: typed('sluice:queue:ack'),
  queueNack: typed('sluice:queue:nack'),
  queueExpire: typed('sluice:queue:expire'),
  queueDeadLetter: typed('sluice:queue:dead_letter'),
  rabbitmqConnect: typed('sluice:rabbitmq:connect'),
  rabbitmqConnectionFailure: typed('sluice:rabbitmq:connection_failure'),
  rabbitmqAck: typed('sluice:rabbitmq:ack'),
  rabbitmqBlocked: typed('sluice:rabbitmq:blocked'),
  kafkaConnect: typed('sluice:kafka:connect'),
  kafkaConnectionFailure: typed('sluice:kafka:connection_failure'),
  kafkaAssigned: typed('sluice:kafka:assigned'),
  kafkaRevoked: typed('sluice:kafka:revoked'),
  kafkaCommit: typed('sluice:kafka:commit'),
  natsConnect: typed('sluice:nats:connect'),
  natsConnectionFailure: typed('sluice:nats:connection_failure'),
  natsAck: typed('sluice:nats:ack'),
  sqsReceiveStart: typed('sluice:sqs:receive_start'),
  sqsReceiveStop: typed('sluice:sqs:receive_stop'),
  sqsReceiveFailure: typed('sluice:sqs:receive_failure'),
  sqsAck: typed('sluice:sqs:ack'),
  pubsubPullStart: typed('sluice:pubsub:pull_start'),
  pubsubPullStop: typed('sluice:pubsub:pull_stop'),
  pubsubReceiveFailure: typed('sluice:pubsub:receive_failure'),
  pubsubAck: typed('sluice:pubsub:ack'),
  redisConnect: typed('sluice:redis:connect'),
  redisConnectionFailure: typed('sluice:redis:connection_failure'),
  redisAck: typed('sluice:redis:ack'),
}

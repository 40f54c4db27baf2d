/** @module sluice/nats: consumers of JetStream streams as producers of pipelines, and a publisher that waits for confirmations. */

export type { BackoffType } from '../connector/backoff.ts'
export type { ReconnectOptions } from '../connector/reconnect-options.ts'
export type { SourceStats } from '../connector/source-stats.ts'
export type {
  NatsClient,
  NatsConfig,
  NatsConnection,
  NatsConnectionChange,
  NatsConsumerInfo,
  NatsDelivery,
  NatsHeaders,
  NatsSending,
  NatsSubscription,
  NatsTarget,
  PublishExpectations,
} from './client/port.ts'
export type { FailureReason } from './connection/failure.ts'
export { NatsError, type NatsErrorCode } from './errors.ts'
export type { ConnectionOption, ConnectionOptions } from './options/connection-options.ts'
export type { ConsumerDeclaration, Declaration, StreamDeclaration } from './options/declaration.ts'
export type { Answer, AnswerOption, AnswerOptions, NatsMetadata, NatsSourceOptions } from './options/source-options.ts'
export { NatsPublisher } from './publisher/nats-publisher.ts'
export { NatsSink, type NatsSinkOptions } from './publisher/nats-sink.ts'
export type { Publication, PublishFailure } from './publisher/publication.ts'
export type { NatsPublisherOptions } from './publisher/publisher-options.ts'
export { NatsSource } from './source/nats-source.ts'

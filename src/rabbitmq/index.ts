/** @module sluice/rabbitmq: queues of RabbitMQ as producers of pipelines, and a publisher that waits for confirmations. */

export { Backoff, type BackoffOptions, type BackoffType } from '../connector/backoff.ts'
export type { ReconnectOptions } from '../connector/reconnect-options.ts'
export type { SourceStats } from '../connector/source-stats.ts'
export type {
  AmqpChannel,
  AmqpClient,
  AmqpConfirmChannel,
  AmqpConnection,
  AmqpDelivery,
  AmqpFields,
  AmqpProperties,
  AuthMechanism,
  ChannelPool,
  ConnectTarget,
} from './client/port.ts'
export type { ConnectionFailureReason } from './connection/failure.ts'
export { RabbitMQError, type RabbitMQErrorCode } from './errors.ts'
export type { ConnectionOption, ConnectionOptions } from './options/connection-options.ts'
export type {
  Answer,
  AnswerOption,
  AnswerOptions,
  ConsumeOptions,
  MetadataName,
  QueueBinding,
  QueueDeclaration,
  RabbitMQMetadata,
  RabbitMQProperties,
  RabbitMQSourceOptions,
} from './options/source-options.ts'
export type { Publication, PublishFailure } from './publisher/publication.ts'
export type { RabbitMQPublisherOptions } from './publisher/publisher-options.ts'
export { RabbitMQPublisher } from './publisher/rabbitmq-publisher.ts'
export { RabbitMQSink, type RabbitMQSinkOptions } from './publisher/rabbitmq-sink.ts'
export { RabbitMQSource, type RabbitMQSourceStats } from './source/rabbitmq-source.ts'

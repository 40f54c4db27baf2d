/** @module sluice/sqs: queues of Amazon SQS as producers of pipelines, and a publisher that knows what SQS has taken. */

export type { BackoffType } from '../connector/backoff.ts'
export type { ReconnectOptions } from '../connector/reconnect-options.ts'
export type { SourceStats } from '../connector/source-stats.ts'
export type {
  AttributeValue,
  BatchRequest,
  BatchResult,
  FailedEntry,
  ReceiptEntry,
  ReceivedMessage,
  ReceiveRequest,
  ReceiveResult,
  SendEntry,
  SqsClient,
  SystemAttribute,
  VisibilityEntry,
} from './client/port.ts'
export { SqsError, type SqsErrorCode } from './errors.ts'
export type { Answer, AnswerOption, AnswerOptions, SqsSourceOptions } from './options/source-options.ts'
export type { Publication, PublishFailure } from './publisher/publication.ts'
export type { SqsPublisherOptions } from './publisher/publisher-options.ts'
export { SqsPublisher } from './publisher/sqs-publisher.ts'
export { SqsSink, type SqsSinkOptions } from './publisher/sqs-sink.ts'
export type { AttributeName, MessageAttribute, SqsAttributes, SqsMetadata } from './source/metadata.ts'
export { SqsSource } from './source/sqs-source.ts'

/** @module sluice/pubsub: subscriptions of Google Cloud Pub/Sub as producers of pipelines, and a publisher that knows what the service has taken. */

export type { BackoffType } from '../connector/backoff.ts'
export type { ReconnectOptions } from '../connector/reconnect-options.ts'
export type { SourceStats } from '../connector/source-stats.ts'
export type {
  MessageStream,
  OutgoingMessage,
  PubSubClient,
  ReceivedMessage,
  StreamListener,
  StreamRequest,
} from './client/port.ts'
export { type RestClientOptions, restClient } from './client/rest-client.ts'
export { PubSubError, type PubSubErrorCode } from './errors.ts'
export type { Answer, AnswerOption, AnswerOptions, MakeClient, PubSubSourceOptions } from './options/source-options.ts'
export type { Publication, PublishFailure } from './publisher/publication.ts'
export type { PubSubPublisherOptions } from './publisher/publisher-options.ts'
export { PubSubPublisher } from './publisher/pubsub-publisher.ts'
export { PubSubSink, type PubSubSinkOptions } from './publisher/pubsub-sink.ts'
export type { PubSubMetadata } from './source/metadata.ts'
export { PubSubSource } from './source/pubsub-source.ts'

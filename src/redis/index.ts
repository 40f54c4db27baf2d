/** @module sluice/redis: streams and lists of Redis as producers of pipelines, and a publisher for both. */

export type { BackoffType } from '../connector/backoff.ts'
export type { ReconnectOptions } from '../connector/reconnect-options.ts'
export type { SourceStats } from '../connector/source-stats.ts'
export {
  type RedisClient,
  type RedisConnection,
  RedisRefusal,
  type RedisReply,
  type RedisTarget,
} from './client/port.ts'
export type { FailureReason } from './connection/failure.ts'
export { RedisError, type RedisErrorCode } from './errors.ts'
export { RedisListSource } from './list/redis-list-source.ts'
export type { AnswerOption, AnswerOptions, ListAnswer, StreamAnswer } from './options/answer-options.ts'
export type { ConnectionOptions, ServerOptions } from './options/connection-options.ts'
export type { RedisListMetadata, RedisListSourceOptions } from './options/list-options.ts'
export type { RedisStreamMetadata, RedisStreamSourceOptions } from './options/stream-options.ts'
export type { Publication, PublishFailure, Trim } from './publisher/publication.ts'
export type { RedisPublisherOptions } from './publisher/publisher-options.ts'
export { RedisPublisher } from './publisher/redis-publisher.ts'
export { RedisSink, type RedisSinkOptions } from './publisher/redis-sink.ts'
export { RedisStreamSource } from './stream/redis-stream-source.ts'

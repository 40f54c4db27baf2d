/** @module sluice/kafka: topics of Kafka as producers of pipelines, and a publisher that waits until the cluster has its messages. */

export type { BackoffType } from '../connector/backoff.ts'
export type { PublishFailure } from '../connector/publish-group.ts'
export type { ReconnectOptions } from '../connector/reconnect-options.ts'
export type { SourceStats } from '../connector/source-stats.ts'
export type { ClientOption } from './client/find-client.ts'
export type {
  Fetched,
  FetchLimits,
  JoinAnswer,
  JoinRequest,
  KafkaClient,
  KafkaConnection,
  KafkaGroup,
  KafkaHeaders,
  KafkaRecord,
  KafkaSasl,
  KafkaTarget,
  Member,
  OffsetPosition,
  PartitionOffset,
  PartitionPlace,
  ProducedRecord,
  TopicPartition,
} from './client/port.ts'
export { KafkaRequestError } from './client/request-error.ts'
export { KafkaError, type KafkaErrorCode } from './errors.ts'
export type { AssignorName } from './group/assignors.ts'
export type { ConnectionOptions, KafkaClientConfig, KafkaHost, KafkaSaslOptions } from './options/connection-options.ts'
export type { KafkaFetchConfig, KafkaGroupConfig, KafkaMetadata, KafkaSourceOptions } from './options/source-options.ts'
export { KafkaPublisher } from './publisher/kafka-publisher.ts'
export { KafkaSink, type KafkaSinkOptions } from './publisher/kafka-sink.ts'
export type { KafkaPublication } from './publisher/publication.ts'
export type { KafkaPublisherOptions } from './publisher/publisher-options.ts'
export { KafkaSource, type KafkaSourceStats } from './source/kafka-source.ts'

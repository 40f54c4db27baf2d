/** The end of a line of stages at a cluster. */

import { PublisherSink, type PublisherSinkOptions, SINK_OPTIONS } from '../../connector/publisher-sink.ts'
import { kafkaOptions } from '../options/option-reader.ts'
import type { KafkaPublication } from './publication.ts'

export type KafkaSinkOptions<In> = PublisherSinkOptions<In, KafkaPublication>

/**
 * A consumer that publishes its events with a `KafkaPublisher`, and asks for more when the cluster has them. It ends when the cluster
 * refuses one; its supervisor decides what then.
 */
export class KafkaSink<In> extends PublisherSink<In, KafkaPublication> {
  /** @throws `KafkaError` `bad_options`. */
  constructor(options: KafkaSinkOptions<In>) {
    super(options, kafkaOptions(new.target.name, options, SINK_OPTIONS), 'KafkaPublisher')
  }
}

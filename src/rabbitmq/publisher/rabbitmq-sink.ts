/** The end of a line of stages at a server. */

import { PublisherSink, type PublisherSinkOptions, SINK_OPTIONS } from '../../connector/publisher-sink.ts'
import { rabbitMQOptions } from '../options/option-reader.ts'
import type { Publication } from './publication.ts'

/** Which `RabbitMQPublisher`, and the message for an event. */
export type RabbitMQSinkOptions<In> = PublisherSinkOptions<In, Publication>

/**
 * A consumer that publishes its events, and asks for more when the server has them. It ends when the server refuses one; its
 * supervisor decides what then.
 */
export class RabbitMQSink<In> extends PublisherSink<In, Publication> {
  /** @throws `RabbitMQError` `bad_options`. */
  constructor(options: RabbitMQSinkOptions<In>) {
    super(options, rabbitMQOptions(new.target.name, options, SINK_OPTIONS), 'RabbitMQPublisher')
  }
}

/** The end of a line of stages at a topic of Pub/Sub. */

import { PublisherSink, type PublisherSinkOptions, SINK_OPTIONS } from '../../connector/publisher-sink.ts'
import { pubSubOptions } from '../options/option-reader.ts'
import type { Publication } from './publication.ts'

/** Which `PubSubPublisher`, and the message for an event. */
export type PubSubSinkOptions<In> = PublisherSinkOptions<In, Publication>

/**
 * A consumer that publishes its events, and asks for more when the service has them. It ends when the service refuses one; its
 * supervisor decides what then.
 */
export class PubSubSink<In> extends PublisherSink<In, Publication> {
  /** @throws `PubSubError` `bad_options`. */
  constructor(options: PubSubSinkOptions<In>) {
    super(options, pubSubOptions(new.target.name, options, SINK_OPTIONS), 'PubSubPublisher')
  }
}

/** The end of a line of stages at a stream. */

import { PublisherSink, type PublisherSinkOptions, SINK_OPTIONS } from '../../connector/publisher-sink.ts'
import { natsOptions } from '../options/option-reader.ts'
import type { Publication } from './publication.ts'

/** Which `NatsPublisher`, and the message for an event. */
export type NatsSinkOptions<In> = PublisherSinkOptions<In, Publication>

/**
 * A consumer that publishes its events, and asks for more when a stream has stored them. It ends when the server refuses one; its
 * supervisor decides what then.
 */
export class NatsSink<In> extends PublisherSink<In, Publication> {
  /** @throws `NatsError` `bad_options`. */
  constructor(options: NatsSinkOptions<In>) {
    super(options, natsOptions(new.target.name, options, SINK_OPTIONS), 'NatsPublisher')
  }
}

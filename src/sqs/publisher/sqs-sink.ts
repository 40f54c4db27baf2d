/** The end of a line of stages at a queue of SQS. */

import { PublisherSink, type PublisherSinkOptions, SINK_OPTIONS } from '../../connector/publisher-sink.ts'
import { sqsOptions } from '../options/option-reader.ts'
import type { Publication } from './publication.ts'

/** Which `SqsPublisher`, and the message for an event. */
export type SqsSinkOptions<In> = PublisherSinkOptions<In, Publication>

/**
 * A consumer that sends its events, and asks for more when SQS has them. It ends when SQS refuses one; its supervisor decides what
 * then.
 */
export class SqsSink<In> extends PublisherSink<In, Publication> {
  /** @throws `SqsError` `bad_options`. */
  constructor(options: SqsSinkOptions<In>) {
    super(options, sqsOptions(new.target.name, options, SINK_OPTIONS), 'SqsPublisher')
  }
}

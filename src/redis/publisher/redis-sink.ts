/** The end of a line of stages at a stream or a list. */

import { PublisherSink, type PublisherSinkOptions, SINK_OPTIONS } from '../../connector/publisher-sink.ts'
import { redisOptions } from '../options/option-reader.ts'
import type { Publication } from './publication.ts'

/** Which `RedisPublisher`, and the entry for an event. */
export type RedisSinkOptions<In> = PublisherSinkOptions<In, Publication>

/**
 * A consumer that publishes its events, and asks for more when the server has them. It ends when the server refuses one; its
 * supervisor decides what then.
 */
export class RedisSink<In> extends PublisherSink<In, Publication> {
  /** @throws `RedisError` `bad_options`. */
  constructor(options: RedisSinkOptions<In>) {
    super(options, redisOptions(new.target.name, options, SINK_OPTIONS), 'RedisPublisher')
  }
}

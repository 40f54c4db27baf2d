/** The errors of the RabbitMQ connector. */

import type { PublishFailure } from './publisher/publication.ts'

/**
 * - `bad_options`: an option that is missing, unknown or has a bad value; the text names its path, and never shows a password.
 * - `missing_package`: the package amqplib is not installed.
 * - `setup_timeout`: the server did not answer in time while the connection was made.
 * - `channel_gone`: messages are to be answered for on a channel that is closed; the server has queued them again.
 * - `ack_failed`: some messages could not be answered for; the cause has all errors.
 * - `unroutable`: the server knows no queue for a published message.
 * - `refused`: the server did not take a published message, as when a queue is full; the caller may try again.
 * - `bad_publication`: a message cannot be published as it is, as when a property has a wrong type.
 * - `full`: too many messages wait to be published.
 */
export type RabbitMQErrorCode =
  | 'bad_options'
  | 'missing_package'
  | 'setup_timeout'
  | 'channel_gone'
  | 'ack_failed'
  | 'unroutable'
  | 'refused'
  | 'bad_publication'
  | 'full'

/** What the RabbitMQ connector refuses or could not do; `code` is stable. */
export class RabbitMQError extends Error {
  readonly code: RabbitMQErrorCode
  /** What was not published, and why; empty for what is about something else. */
  readonly failures: readonly PublishFailure[]

  constructor(code: RabbitMQErrorCode, message: string, cause?: unknown, failures: readonly PublishFailure[] = []) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'RabbitMQError'
    this.code = code
    this.failures = failures
  }
}

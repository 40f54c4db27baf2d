/** The errors of the NATS connector. */

import type { PublishFailure } from './publisher/publication.ts'

/**
 * - `bad_options`: an option that is missing, unknown or has a bad value; the text names its path, and never shows a password.
 * - `missing_package`: the packages of NATS are not installed.
 * - `not_found`: a stream or a consumer is not there, and is not declared.
 * - `differs`: a stream or a consumer is not as it is declared; nothing was changed.
 * - `pull_failed`: the server ended a request for messages, or nothing is heard of it any more.
 * - `not_connected`: there is no connection, and there will be none.
 * - `ack_failed`: some messages could not be answered for; the cause has all errors.
 * - `unroutable`: no stream takes messages of a subject.
 * - `refused`: the server did not take a published message, as when a stream is full.
 * - `bad_publication`: a message cannot be published as it is, as when it is too large.
 * - `full`: too many messages wait to be published.
 */
export type NatsErrorCode =
  | 'bad_options'
  | 'missing_package'
  | 'not_found'
  | 'differs'
  | 'pull_failed'
  | 'not_connected'
  | 'ack_failed'
  | 'unroutable'
  | 'refused'
  | 'bad_publication'
  | 'full'

/** What the NATS connector refuses or could not do; `code` is stable. */
export class NatsError extends Error {
  readonly code: NatsErrorCode
  /** What was not published, and why; empty for what is about something else. */
  readonly failures: readonly PublishFailure[]

  constructor(code: NatsErrorCode, message: string, cause?: unknown, failures: readonly PublishFailure[] = []) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'NatsError'
    this.code = code
    this.failures = failures
  }
}

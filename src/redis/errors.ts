/** The errors of the Redis connector. */

import type { PublishFailure } from './publisher/publication.ts'

/**
 * - `bad_options`: an option that is missing, unknown or has a bad value; the text names its path, and never shows a password.
 * - `missing_package`: the package redis is not installed.
 * - `not_connected`: there is no connection, and there will be none.
 * - `unexpected_reply`: the server answered what it should not.
 * - `ack_failed`: some messages could not be answered for; the cause has all errors.
 * - `refused`: the server did not take a published message, as when its memory is full.
 * - `bad_publication`: a message cannot be published as it is, as when it says not where to.
 * - `full`: too many messages wait to be published.
 */
export type RedisErrorCode =
  | 'bad_options'
  | 'missing_package'
  | 'not_connected'
  | 'unexpected_reply'
  | 'ack_failed'
  | 'refused'
  | 'bad_publication'
  | 'full'

/** What the Redis connector refuses or could not do; `code` is stable. */
export class RedisError extends Error {
  readonly code: RedisErrorCode
  /** What was not published, and why; empty for what is about something else. */
  readonly failures: readonly PublishFailure[]

  constructor(code: RedisErrorCode, message: string, cause?: unknown, failures: readonly PublishFailure[] = []) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'RedisError'
    this.code = code
    this.failures = failures
  }
}

/** The errors of the Pub/Sub connector. */

import type { PublishFailure } from './publisher/publication.ts'

/**
 * - `bad_options`: an option that is missing, unknown or has a bad value; the text names its path, and never shows a secret.
 * - `missing_package`: the package @google-cloud/pubsub is not installed.
 * - `request_failed`: the service answered a request over REST with an error; `status` has its number.
 * - `ack_failed`: some messages could not be answered for; the cause has all errors. They are delivered again.
 * - `refused`: the service did not take a message that was published; the text says why.
 * - `full`: too many messages wait to be published.
 */
export type PubSubErrorCode = 'bad_options' | 'missing_package' | 'request_failed' | 'ack_failed' | 'refused' | 'full'

/** What the Pub/Sub connector refuses or could not do; `code` is stable. */
export class PubSubError extends Error {
  readonly code: PubSubErrorCode
  /** The HTTP status of `request_failed`. */
  readonly status: number | undefined
  /** What was not published, and why; empty for what is about something else. */
  readonly failures: readonly PublishFailure[]

  constructor(
    code: PubSubErrorCode,
    message: string,
    cause?: unknown,
    more: { readonly status?: number | undefined; readonly failures?: readonly PublishFailure[] | undefined } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'PubSubError'
    this.code = code
    this.status = more.status
    this.failures = more.failures ?? []
  }
}

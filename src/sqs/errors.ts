/** The errors of the SQS connector. */

import type { PublishFailure } from './publisher/publication.ts'

/**
 * - `bad_options`: an option that is missing, unknown or has a bad value; the text names its path, and never shows a secret.
 * - `missing_package`: the package @aws-sdk/client-sqs is not installed.
 * - `ack_failed`: some messages could not be answered for; the cause has all errors. They are delivered again.
 * - `refused`: SQS did not take a message that was sent; the text says why.
 * - `full`: too many messages wait to be sent.
 */
export type SqsErrorCode = 'bad_options' | 'missing_package' | 'ack_failed' | 'refused' | 'full'

/** What the SQS connector refuses or could not do; `code` is stable. */
export class SqsError extends Error {
  readonly code: SqsErrorCode
  /** What was not sent, and why; empty for what is about something else. */
  readonly failures: readonly PublishFailure[]

  constructor(code: SqsErrorCode, message: string, cause?: unknown, failures: readonly PublishFailure[] = []) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'SqsError'
    this.code = code
    this.failures = failures
  }
}

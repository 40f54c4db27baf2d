/** The errors of the Kafka connector. */

import type { PublishFailure } from '../connector/publish-group.ts'

/**
 * - `bad_options`: an option that is missing, unknown or has a bad value; the text names its path, and never shows a secret.
 * - `missing_package`: no package that can talk to Kafka is installed, or not the one that was asked for.
 * - `no_answer`: the cluster did not answer in time.
 * - `revoked`: messages are acknowledged whose partition belongs to this source no more; its next owner gets them again.
 * - `refused`: the cluster did not take a published message, and would not the next time.
 * - `bad_publication`: a message cannot be published as it is, as when it names no topic.
 * - `full`: too many messages wait to be published.
 */
export type KafkaErrorCode =
  | 'bad_options'
  | 'missing_package'
  | 'no_answer'
  | 'revoked'
  | 'refused'
  | 'bad_publication'
  | 'full'

/** What the Kafka connector refuses or could not do; `code` is stable. */
export class KafkaError extends Error {
  readonly code: KafkaErrorCode
  /** What was not published, and why; empty for what is about something else. */
  readonly failures: readonly PublishFailure<KafkaError>[]

  constructor(
    code: KafkaErrorCode,
    message: string,
    cause?: unknown,
    failures: readonly PublishFailure<KafkaError>[] = [],
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'KafkaError'
    this.code = code
    this.failures = failures
  }
}

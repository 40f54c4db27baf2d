/** What is published, and what became of it. */

import type { PublishFailure as ConnectorPublishFailure } from '../../connector/publish-group.ts'
import type { PublishExpectations } from '../client/port.ts'
import type { NatsError } from '../errors.ts'

/** A message for a stream. */
export interface Publication {
  readonly content: Buffer | Uint8Array | string
  /** Default: that of the publisher. */
  readonly subject?: string | undefined
  readonly headers?: Readonly<Record<string, string | readonly string[]>> | undefined
  /** By which the stream knows a message that it has already. Default: one of its own. */
  readonly messageId?: string | undefined
  /** What has to be so for it to be stored. */
  readonly expect?: PublishExpectations | undefined
}

/** One message of several that was not published. */
export type PublishFailure = ConnectorPublishFailure<NatsError>

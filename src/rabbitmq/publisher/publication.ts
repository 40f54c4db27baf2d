/** What is published, and what became of it. */

import type { PublishFailure as ConnectorPublishFailure } from '../../connector/publish-group.ts'
import type { RabbitMQError } from '../errors.ts'

/** A message for the server. */
export interface Publication {
  readonly content: Buffer | Uint8Array | string
  /** Default: that of the publisher. Empty for the one that leads to the queue of the name `routingKey`. */
  readonly exchange?: string | undefined
  /** Default: that of the publisher. */
  readonly routingKey?: string | undefined
  readonly headers?: Readonly<Record<string, unknown>> | undefined
  readonly contentType?: string | undefined
  readonly contentEncoding?: string | undefined
  /** Survives a restart of the server, in a durable queue. Default: that of the publisher. */
  readonly persistent?: boolean | undefined
  readonly priority?: number | undefined
  readonly correlationId?: string | undefined
  readonly replyTo?: string | undefined
  /** Milliseconds after which it is not delivered any more. */
  readonly expiration?: number | undefined
  /** Default: one of its own, by which a message that was published twice can be known. */
  readonly messageId?: string | undefined
  /** Seconds since 1970. */
  readonly timestamp?: number | undefined
  readonly type?: string | undefined
  readonly appId?: string | undefined
}

/** One message of several that was not published. */
export type PublishFailure = ConnectorPublishFailure<RabbitMQError>

/** What a message says about itself. */

import type { ReceivedMessage } from '../client/port.ts'

export interface PubSubMetadata {
  readonly messageId: string
  readonly attributes: Readonly<Record<string, string>>
  /** By it `partitionBy` keeps messages in order; empty for a message without. */
  readonly orderingKey: string
  /** Times that it was delivered, with this one; `null` when the subscription has no dead-letter policy. */
  readonly deliveryAttempt: number | null
  readonly publishTime: Date | null
}

export function metadataOf(message: ReceivedMessage): PubSubMetadata {
  const { messageId, attributes, orderingKey, deliveryAttempt, publishTime } = message
  return { messageId, attributes, orderingKey, deliveryAttempt, publishTime }
}

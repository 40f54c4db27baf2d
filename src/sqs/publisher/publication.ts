/** What is sent, and what became of it. */

import type { PublishFailure as ConnectorPublishFailure } from '../../connector/publish-group.ts'
import type { SendEntry } from '../client/port.ts'
import type { SqsError } from '../errors.ts'

/** A message for a queue. */
export interface Publication {
  readonly body: string
  /** Milliseconds until it can be received, at most 15 minutes; rounded up to seconds. Not for FIFO queues. Default: that of the queue. */
  readonly delay?: number | undefined
  readonly messageAttributes?: Readonly<Record<string, string | number | Uint8Array>> | undefined
  /** For FIFO queues: messages of one group are received in the order in which they were sent. */
  readonly messageGroupId?: string | undefined
  /** For FIFO queues: a second message with the same id within 5 minutes is thrown away. */
  readonly messageDeduplicationId?: string | undefined
}

/** One message of several that was not sent. */
export type PublishFailure = ConnectorPublishFailure<SqsError>

type Attributes = NonNullable<SendEntry['MessageAttributes']>

/** The message as SQS wants it; its place in the request is its id. */
export function entryOf(publication: Publication, place: number): SendEntry {
  const { body, delay, messageAttributes, messageGroupId, messageDeduplicationId } = publication
  const entry: SendEntry = { Id: String(place), MessageBody: body }
  if (delay !== undefined) entry.DelaySeconds = Math.ceil(delay / 1000)
  if (messageAttributes !== undefined) entry.MessageAttributes = attributesOf(messageAttributes)
  if (messageGroupId !== undefined) entry.MessageGroupId = messageGroupId
  if (messageDeduplicationId !== undefined) entry.MessageDeduplicationId = messageDeduplicationId
  return entry
}

function attributesOf(given: NonNullable<Publication['messageAttributes']>): Attributes {
  const attributes: Attributes = {}
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === 'string') attributes[name] = { DataType: 'String', StringValue: value }
    else if (typeof value === 'number') attributes[name] = { DataType: 'Number', StringValue: String(value) }
    else attributes[name] = { DataType: 'Binary', BinaryValue: value }
  }
  return attributes
}

/** Bytes of a message, as SQS counts them. */
export function bytesOf({ body, messageAttributes = {} }: Publication): number {
  let bytes = Buffer.byteLength(body)
  for (const [name, value] of Object.entries(messageAttributes)) {
    bytes += Buffer.byteLength(name) + 'Number'.length
    bytes += typeof value === 'object' ? value.byteLength : Buffer.byteLength(String(value))
  }
  return bytes
}

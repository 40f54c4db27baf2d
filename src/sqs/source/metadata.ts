/** What a message says about itself. */

import type { ReceivedMessage, SystemAttribute } from '../client/port.ts'

/** An attribute that the sender gave to a message. */
export interface MessageAttribute {
  /** `String`, `Number`, `Binary`, or one of these with a `.` and a word of the sender's. */
  readonly dataType: string
  /** Numbers as SQS has them, as text: they may have more digits than a `number`. */
  readonly value: string | Uint8Array
}

/** What SQS knows of a message; only what `attributeNames` asks for is there. */
export interface SqsAttributes {
  readonly senderId?: string
  /** Milliseconds since 1970. */
  readonly sentTimestamp?: number
  readonly approximateReceiveCount?: number
  /** Milliseconds since 1970. */
  readonly approximateFirstReceiveTimestamp?: number
  readonly sequenceNumber?: string
  readonly messageDeduplicationId?: string
  readonly messageGroupId?: string
  readonly awsTraceHeader?: string
}

export type AttributeName = keyof SqsAttributes

export interface SqsMetadata {
  readonly messageId: string
  readonly receiptHandle: string
  readonly md5OfBody: string
  /** Times that it was received, with this one, as far as SQS knows. */
  readonly receiveCount: number
  /** Of a FIFO queue: by it `partitionBy` keeps messages in order. */
  readonly messageGroupId: string | undefined
  readonly attributes: SqsAttributes
  readonly messageAttributes: Readonly<Record<string, MessageAttribute>>
}

const NAMES: Readonly<Record<AttributeName, SystemAttribute>> = {
  senderId: 'SenderId',
  sentTimestamp: 'SentTimestamp',
  approximateReceiveCount: 'ApproximateReceiveCount',
  approximateFirstReceiveTimestamp: 'ApproximateFirstReceiveTimestamp',
  sequenceNumber: 'SequenceNumber',
  messageDeduplicationId: 'MessageDeduplicationId',
  messageGroupId: 'MessageGroupId',
  awsTraceHeader: 'AWSTraceHeader',
}
const NUMBERS: readonly string[] = [
  'sentTimestamp',
  'approximateReceiveCount',
  'approximateFirstReceiveTimestamp',
] satisfies readonly AttributeName[]

export function isAttributeName(name: unknown): name is AttributeName {
  return typeof name === 'string' && Object.hasOwn(NAMES, name)
}

/** What to ask SQS for. */
export function systemAttributes(names: readonly AttributeName[] | 'all'): SystemAttribute[] {
  if (names === 'all') return ['All']
  return [
    ...new Set<SystemAttribute>(['ApproximateReceiveCount', 'MessageGroupId', ...names.map((name) => NAMES[name])]),
  ]
}

export function metadataOf(message: ReceivedMessage, names: readonly AttributeName[] | 'all'): SqsMetadata {
  const { MessageId = '', ReceiptHandle = '', MD5OfBody = '', Attributes: known = {}, MessageAttributes = {} } = message
  const attributes: Record<string, string | number> = {}
  for (const [name, aws] of Object.entries(NAMES)) {
    const value = known[aws]
    if (value === undefined || !(names === 'all' || names.some((each) => each === name))) continue
    attributes[name] = NUMBERS.includes(name) ? Number(value) : value
  }
  const given: Record<string, MessageAttribute> = {}
  for (const [name, { DataType = 'String', StringValue, BinaryValue }] of Object.entries(MessageAttributes)) {
    given[name] = { dataType: DataType, value: StringValue ?? BinaryValue ?? '' }
  }
  return {
    messageId: MessageId,
    receiptHandle: ReceiptHandle,
    md5OfBody: MD5OfBody,
    receiveCount: Number(known['ApproximateReceiveCount'] ?? 1),
    messageGroupId: known['MessageGroupId'],
    attributes,
    messageAttributes: given,
  }
}

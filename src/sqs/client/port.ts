/**
 * What the connector needs of a client of SQS: a part of the promises of `SQS` of @aws-sdk/client-sqs, under their names. Another
 * client, or a scripted one in a test, has to do no more than this.
 */

export interface SqsClient {
  receiveMessage(request: ReceiveRequest, options?: { abortSignal?: AbortSignal }): Promise<ReceiveResult>
  deleteMessageBatch(request: BatchRequest<ReceiptEntry>): Promise<BatchResult>
  changeMessageVisibilityBatch(request: BatchRequest<VisibilityEntry>): Promise<BatchResult>
  sendMessageBatch(request: BatchRequest<SendEntry>, options?: { abortSignal?: AbortSignal }): Promise<BatchResult>
}

export interface ReceiveRequest {
  QueueUrl: string
  MaxNumberOfMessages: number
  /** Seconds. */
  WaitTimeSeconds?: number
  /** Seconds. */
  VisibilityTimeout?: number
  MessageSystemAttributeNames: SystemAttribute[]
  MessageAttributeNames: string[]
}

/** What SQS itself knows of a message. */
export type SystemAttribute =
  | 'All'
  | 'ApproximateFirstReceiveTimestamp'
  | 'ApproximateReceiveCount'
  | 'AWSTraceHeader'
  | 'MessageDeduplicationId'
  | 'MessageGroupId'
  | 'SenderId'
  | 'SentTimestamp'
  | 'SequenceNumber'

export interface ReceiveResult {
  readonly Messages?: readonly ReceivedMessage[] | undefined
}

/** A message as the client gives it. */
export interface ReceivedMessage {
  readonly MessageId?: string | undefined
  readonly ReceiptHandle?: string | undefined
  readonly MD5OfBody?: string | undefined
  readonly Body?: string | undefined
  readonly Attributes?: Readonly<Record<string, string | undefined>> | undefined
  readonly MessageAttributes?: Readonly<Record<string, AttributeValue>> | undefined
}

/** An attribute that the sender gave to a message. */
export interface AttributeValue {
  /** `String`, `Number`, `Binary`, or one of these with a `.` and a word of the sender's. */
  readonly DataType: string | undefined
  readonly StringValue?: string | undefined
  readonly BinaryValue?: Uint8Array | undefined
}

/** At most ten. */
export interface BatchRequest<Entry> {
  QueueUrl: string
  Entries: Entry[]
}

export interface ReceiptEntry {
  /** Its own in the request. */
  Id: string
  ReceiptHandle: string
}

export interface VisibilityEntry extends ReceiptEntry {
  /** Seconds. */
  VisibilityTimeout: number
}

export interface SendEntry {
  Id: string
  MessageBody: string
  /** Seconds. */
  DelaySeconds?: number
  MessageAttributes?: Record<string, { DataType: string; StringValue?: string; BinaryValue?: Uint8Array }>
  MessageGroupId?: string
  MessageDeduplicationId?: string
}

export interface BatchResult {
  readonly Failed?: readonly FailedEntry[] | undefined
}

/** An entry of a request that was refused, when the request itself was not. */
export interface FailedEntry {
  readonly Id?: string | undefined
  readonly Code?: string | undefined
  readonly Message?: string | undefined
  /** The request is wrong, and would be refused again. */
  readonly SenderFault?: boolean | undefined
}

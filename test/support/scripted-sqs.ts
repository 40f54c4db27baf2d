/** A queue of SQS that does what a test says, and notes what it is asked; and pipelines over it. */

import { Broadway, type Message } from 'sluice/broadway'
import {
  type BatchRequest,
  type BatchResult,
  type FailedEntry,
  type ReceiptEntry,
  type ReceivedMessage,
  type ReceiveRequest,
  type ReceiveResult,
  type SendEntry,
  type SqsClient,
  type SqsMetadata,
  SqsSource,
  type SqsSourceOptions,
  type VisibilityEntry,
} from 'sluice/sqs'

export const QUEUE_URL = 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders'

/** Messages are numbers, and their receipts are `r1`, `r2`, ... */
export class ScriptedSqs implements SqsClient {
  readonly received: ReceiveRequest[] = []
  /** The receipts of each request. */
  readonly deleted: (readonly string[])[] = []
  /** What each request said of receipts, in seconds. */
  readonly visibilities: (readonly string[])[] = []
  readonly sent: (readonly SendEntry[])[] = []
  /** What requests that answer for messages fail with. */
  failure: Error | undefined = undefined
  /** What entries are refused with, by their receipts or bodies. */
  readonly refused = new Map<string, Omit<FailedEntry, 'Id'>>()
  /** What the next requests to receive fail with. */
  readonly receiveFailures: Error[] = []
  /** Requests wait for messages, until they are aborted. */
  waits = false
  /** Answers requests to receive that have been aborted. */
  late: (() => void) | undefined = undefined
  aborted = 0
  /** Ends the waiting of a request, with what there is. */
  answer = () => {}
  #messages: ReceivedMessage[] = []

  /** Messages `from`, `from + 1`, ... */
  fill(count: number, from = 1): void {
    for (let n = from; n < from + count; n++) this.put(String(n))
  }

  put(Body: string, more: Partial<ReceivedMessage> = {}): void {
    this.#messages.push({ MessageId: `m${Body}`, ReceiptHandle: `r${Body}`, MD5OfBody: 'md5', Body, ...more })
  }

  async receiveMessage(request: ReceiveRequest, options?: { abortSignal?: AbortSignal }): Promise<ReceiveResult> {
    this.received.push(request)
    const failure = this.receiveFailures.shift()
    if (failure !== undefined) throw failure
    if (this.#messages.length === 0 && this.waits) await this.#aborted(options?.abortSignal)
    const Messages = this.#messages.splice(0, request.MaxNumberOfMessages)
    return Messages.length === 0 ? {} : { Messages }
  }

  async deleteMessageBatch({ Entries }: BatchRequest<ReceiptEntry>): Promise<BatchResult> {
    this.deleted.push(Entries.map(({ ReceiptHandle }) => ReceiptHandle))
    return this.#answer(Entries.map(({ Id, ReceiptHandle }) => [Id, ReceiptHandle]))
  }

  async changeMessageVisibilityBatch({ Entries }: BatchRequest<VisibilityEntry>): Promise<BatchResult> {
    this.visibilities.push(Entries.map((entry) => `${entry.ReceiptHandle} ${entry.VisibilityTimeout}`))
    return this.#answer(Entries.map(({ Id, ReceiptHandle }) => [Id, ReceiptHandle]))
  }

  async sendMessageBatch({ Entries }: BatchRequest<SendEntry>): Promise<BatchResult> {
    this.sent.push(Entries)
    return this.#answer(Entries.map(({ Id, MessageBody }) => [Id, MessageBody]))
  }

  #answer(entries: readonly (readonly [id: string, what: string])[]): BatchResult {
    if (this.failure !== undefined) throw this.failure
    if (new Set(entries.map(([id]) => id)).size < entries.length) throw new Error('two entries have the same id')
    const Failed = entries.flatMap(([Id, what]) => {
      const refusal = this.refused.get(what)
      return refusal === undefined ? [] : [{ Id, ...refusal }]
    })
    return Failed.length === 0 ? {} : { Failed }
  }

  #aborted(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.answer = resolve
      signal?.addEventListener('abort', () => {
        this.aborted++
        if (this.late === undefined) reject(signal.reason)
        else {
          this.late()
          resolve()
        }
      })
    })
  }
}

type Delivered = Message<string, 'default', SqsMetadata>

/** One message at a time; polls every 100 ms. */
export function pipelineOver(
  queue: SqsClient,
  options: Partial<SqsSourceOptions> = {},
  handleMessage: (message: Delivered) => Delivered | Promise<Delivered> = (message) => message,
  maxDemand = 10,
) {
  return Broadway.start({
    name: 'orders',
    producer: {
      module: SqsSource,
      arg: { queueUrl: QUEUE_URL, waitTimeSeconds: 0, receiveInterval: 100, client: () => queue, ...options },
    },
    processors: { default: { concurrency: 1, maxDemand, handleMessage } },
  })
}

/** A queue of SQS as the producer of a pipeline. */

import { Message } from '../../broadway/message.ts'
import { Backoff } from '../../connector/backoff.ts'
import { failureText, reportFailure } from '../../connector/failure-report.ts'
import { Heartbeat } from '../../connector/heartbeat.ts'
import { Receiver } from '../../connector/receiver.ts'
import { ReceivingProducer } from '../../connector/receiving-producer.ts'
import type { SourceStats } from '../../connector/source-stats.ts'
import { serverOf } from '../../otp/gen-server.ts'
import type { Process } from '../../process/process.ts'
import { channels } from '../../telemetry/channels.ts'
import { awsClient, type OwnClient } from '../client/aws-client.ts'
import type { ReceivedMessage, SqsClient } from '../client/port.ts'
import { QueueRequests } from '../client/queue-requests.ts'
import { type CheckedSourceOptions, readSourceOptions, type SqsSourceOptions } from '../options/source-options.ts'
import { metadataOf, type SqsMetadata, systemAttributes } from './metadata.ts'
import { type Delivery, type Origin, sqsAcknowledger } from './sqs-acknowledger.ts'

/** Milliseconds: most answers that are on their way get here, and a request that waits for messages is not waited for. */
const GRACE = 100

/**
 * A producer that receives from a queue of SQS what it is asked for, as messages of a Broadway pipeline with the body as their
 * data. Requests wait at SQS until a message comes. Handled messages are deleted; failed ones come again when their visibility
 * timeout is over, unless `onSuccess`, `onFailure` and `message.configureAck({ onFailure: 'retry' })` say otherwise. What the
 * pipeline has is kept from being received by others.
 *
 * What the pipeline loses, by a crash or the end of the program, SQS delivers again.
 *
 * Elixir: `BroadwaySQS.Producer`.
 *
 * @example
 * ```ts
 * import { Broadway } from 'sluice/broadway'
 * import { SqsSource } from 'sluice/sqs'
 *
 * async function main() {
 *   const pipeline = await Broadway.start({
 *     name: 'orders',
 *     producer: { module: SqsSource, arg: { queueUrl: 'https://sqs.eu-central-1.amazonaws.com/123456789012/orders' } },
 *     processors: { default: { handleMessage: (message) => message.updateData((body): unknown => JSON.parse(body)) } },
 *     batchers: { default: { batchSize: 10, handleBatch: (messages) => messages } },
 *   })
 *   await pipeline.done
 * }
 * ```
 */
export class SqsSource extends ReceivingProducer<Message<string, string, SqsMetadata>> {
  readonly #options: CheckedSourceOptions
  readonly #process: Process | undefined
  readonly #backoff: Backoff | undefined
  readonly #receiver: Receiver<ReceivedMessage> | undefined
  readonly #heartbeat: Heartbeat<string> | undefined
  #client: SqsClient | undefined = undefined
  #origin: Origin | undefined = undefined

  /** @throws `SqsError` `bad_options`. */
  constructor(options: SqsSourceOptions) {
    super()
    const checked = readSourceOptions(new.target.name, options)
    this.#options = checked
    const process = serverOf(this)?.process
    this.#process = process
    if (process === undefined) return
    const { heartbeat, visibilityTimeout, maxExtension, maxNumberOfMessages, receiveInterval } = checked
    if (heartbeat && visibilityTimeout !== undefined) {
      this.#heartbeat = new Heartbeat<string>(process, { lease: visibilityTimeout, maxExtension }, (receipts) =>
        this.#extend(receipts, visibilityTimeout),
      )
    }
    this.#backoff = new Backoff(checked.backoff, () => process.runtime.random())
    this.#receiver = new Receiver<ReceivedMessage>(process, {
      max: maxNumberOfMessages,
      interval: receiveInterval,
      grace: GRACE,
      receive: (max, signal) => this.#receive(max, signal),
      received: (messages) => this.emit(messages.map((message) => this.#message(message))),
      giveBack: (messages) => this.#giveBack(messages),
      failed: (error) => this.#failed(error),
    })
    this.receiveBy(this.#receiver, this.#heartbeat)
  }

  /** @throws `SqsError` `missing_package`. */
  override async init(): Promise<void> {
    const process = this.#process
    if (process === undefined) return
    const { client, config, waitTimeSeconds, queueUrl } = this.#options
    if (client !== undefined) this.#client = await client()
    else {
      const own: OwnClient = await awsClient(config, waitTimeSeconds * 1000)
      process.onEnd(() => own.destroy())
      this.#client = own
    }
    const requests = new QueueRequests(this.#client, queueUrl)
    this.#origin = { process, requests, heartbeat: this.#heartbeat }
  }

  /**
   * Says how it stands. Its messages are counted as long as `heartbeat` keeps them.
   *
   * @example
   * ```ts
   * import type { Ref } from 'sluice'
   * import type { Broadway } from 'sluice/broadway'
   * import type { SqsSource } from 'sluice/sqs'
   *
   * async function isHealthy(pipeline: Ref<Broadway<never, SqsSource>>) {
   *   const sources = await pipeline.call.producerNames()
   *   const stats = await Promise.all(sources.map((source) => source.call.stats()))
   *   return stats.every(({ connected }) => connected)
   * }
   * ```
   */
  stats(): SourceStats {
    return { connected: this.#receiver?.isAnswered ?? false, unanswered: this.#heartbeat?.size }
  }

  async #receive(max: number, abortSignal: AbortSignal): Promise<readonly ReceivedMessage[]> {
    const process = `${this.#process}`
    const { queueUrl, waitTimeSeconds, visibilityTimeout, attributeNames, messageAttributeNames } = this.#options
    if (channels.sqsReceiveStart.hasSubscribers) channels.sqsReceiveStart.publish({ process, demand: max })
    const result = await this.#client?.receiveMessage(
      {
        QueueUrl: queueUrl,
        MaxNumberOfMessages: max,
        WaitTimeSeconds: waitTimeSeconds,
        ...(visibilityTimeout === undefined ? undefined : { VisibilityTimeout: visibilityTimeout / 1000 }),
        MessageSystemAttributeNames: systemAttributes(attributeNames),
        MessageAttributeNames: [...messageAttributeNames],
      },
      { abortSignal },
    )
    const messages = result?.Messages ?? []
    this.#backoff?.reset()
    if (channels.sqsReceiveStop.hasSubscribers) {
      channels.sqsReceiveStop.publish({ process, demand: max, messages: messages.length })
    }
    return messages
  }

  #message(received: ReceivedMessage): Message<string, string, SqsMetadata> {
    const { onSuccess, onFailure, attributeNames } = this.#options
    const metadata = metadataOf(received, attributeNames)
    const receipt = metadata.receiptHandle
    const ackData: Delivery = { receipt, onSuccess, onFailure }
    this.#heartbeat?.hold(receipt)
    return new Message(received.Body ?? '', {
      acknowledger: sqsAcknowledger,
      ackRef: this.#origin,
      ackData,
      metadata,
    })
  }

  /** Those for which it is too late. */
  async #extend(receipts: readonly string[], visibilityTimeout: number): Promise<readonly string[]> {
    const seconds = visibilityTimeout / 1000
    const failures = await this.#origin?.requests.changeVisibility(receipts.map((receipt) => ({ receipt, seconds })))
    // Those that were answered for meanwhile need no more time.
    const late = failures?.filter(({ fault, receipt }) => fault === 'sender' && this.#heartbeat?.holds(receipt)) ?? []
    if (late.length > 0) {
      const process = this.#process
      process?.runtime.logger.warn(
        { process: `${process}`, late: late.length },
        `${late.length} messages of ${process} may be received by others while they are handled here: they could not be kept (${late[0]?.error.message})`,
      )
    }
    return late.map(({ receipt }) => receipt)
  }

  async #giveBack(messages: readonly ReceivedMessage[]): Promise<void> {
    const visibilities = messages.map(({ ReceiptHandle: receipt = '' }) => ({ receipt, seconds: 0 }))
    const [failure] = (await this.#origin?.requests.changeVisibility(visibilities)) ?? []
    if (failure !== undefined) throw failure.error
  }

  #failed(error: unknown): number | undefined {
    const process = this.#process
    const retryIn = this.#backoff?.next()
    const message = failureText(error)
    if (channels.sqsReceiveFailure.hasSubscribers) {
      channels.sqsReceiveFailure.publish({ process: `${process}`, message, retryIn })
    }
    const what = `cannot receive from ${this.#options.queueUrl}`
    if (process !== undefined) reportFailure(process, what, { text: message, err: error }, retryIn)
    return retryIn
  }
}

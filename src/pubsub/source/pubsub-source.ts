/** A subscription of Pub/Sub as the producer of a pipeline. */

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
import { googleClient } from '../client/google-client.ts'
import type { MessageStream, PubSubClient, ReceivedMessage, StreamListener } from '../client/port.ts'
import { RetryingClient } from '../client/retrying-client.ts'
import { refusal } from '../options/option-reader.ts'
import { type CheckedSourceOptions, type PubSubSourceOptions, readSourceOptions } from '../options/source-options.ts'
import { metadataOf, type PubSubMetadata } from './metadata.ts'
import { type Delivery, type Origin, pubSubAcknowledger } from './pubsub-acknowledger.ts'
import { StreamReceiver } from './stream-receiver.ts'

/** Milliseconds: most answers that are on their way get here, and a request that waits for messages is not waited for. */
const GRACE = 100
/** Milliseconds, of any subscription: what was pulled is lent for so long, or longer, and nobody says how long. */
const SHORTEST_LEASE = 10_000

/**
 * A producer that gets the messages of a subscription, as messages of a Broadway pipeline with a `Buffer` as their data, or `null`.
 * It pulls what it is asked for, or has the service stream it. Handled messages are acknowledged; failed ones come again when their
 * deadline is over, unless `onSuccess`, `onFailure` and `message.configureAck({ onFailure: 'nack' })` say otherwise. What the
 * pipeline has is kept from being delivered to others.
 *
 * What the pipeline loses, by a crash or the end of the program, the service delivers again.
 *
 * Elixir: `BroadwayCloudPubSub.Producer`.
 *
 * @example
 * ```ts
 * import { Broadway } from 'sluice/broadway'
 * import { PubSubSource } from 'sluice/pubsub'
 *
 * async function main() {
 *   const pipeline = await Broadway.start({
 *     name: 'orders',
 *     producer: { module: PubSubSource, arg: { subscription: 'projects/shop/subscriptions/orders', onFailure: 'nack' } },
 *     processors: { default: { handleMessage: (message) => message.updateData((bytes): unknown => JSON.parse(`${bytes}`)) } },
 *   })
 *   await pipeline.done
 * }
 * ```
 */
export class PubSubSource extends ReceivingProducer<Message<Buffer | null, string, PubSubMetadata>> {
  readonly #options: CheckedSourceOptions
  readonly #process: Process | undefined
  readonly #backoff: Backoff | undefined
  readonly #heartbeat: Heartbeat<string> | undefined
  readonly #receiver: Receiver<ReceivedMessage> | StreamReceiver | undefined
  #client: PubSubClient | undefined = undefined
  #origin: Origin | undefined = undefined

  /** @throws `PubSubError` `bad_options`. */
  constructor(options: PubSubSourceOptions) {
    super()
    const checked = readSourceOptions(new.target.name, options)
    this.#options = checked
    const process = serverOf(this)?.process
    this.#process = process
    if (process === undefined) return
    const { heartbeat, ackDeadline, maxExtension, mode } = checked
    if (heartbeat) {
      const lease = mode === 'pull' ? SHORTEST_LEASE : ackDeadline
      this.#heartbeat = new Heartbeat<string>(process, { lease, maxExtension }, (ids) => this.#extend(ids))
    }
    this.#backoff = new Backoff(checked.backoff, () => process.runtime.random())
    this.#receiver = mode === 'pull' ? this.#pulling(process) : this.#streaming(process)
    this.receiveBy(this.#receiver, this.#heartbeat)
  }

  /** @throws `PubSubError` `missing_package`; `bad_options` when the client cannot stream. */
  override async init(): Promise<void> {
    const process = this.#process
    if (process === undefined) return
    const { client, config, subscription, retry } = this.#options
    if (client !== undefined) this.#client = await client()
    else {
      const own = await googleClient(config)
      process.onEnd(() => void own.close().catch(() => {}))
      this.#client = own
    }
    if (this.#options.mode === 'streaming' && this.#client.stream === undefined) {
      throw refusal("mode of PubSubSource: expected 'pull', since the client has no streams, got 'streaming'")
    }
    const requests = new RetryingClient(process, this.#client, subscription, retry)
    this.#origin = { process, requests, heartbeat: this.#heartbeat }
  }

  /**
   * Says how it stands. Its messages are counted as long as `heartbeat` keeps them.
   *
   * @example
   * ```ts
   * import type { Ref } from 'sluice'
   * import type { Broadway } from 'sluice/broadway'
   * import type { PubSubSource } from 'sluice/pubsub'
   *
   * async function isHealthy(pipeline: Ref<Broadway<never, PubSubSource>>) {
   *   const sources = await pipeline.call.producerNames()
   *   const stats = await Promise.all(sources.map((source) => source.call.stats()))
   *   return stats.every(({ connected }) => connected)
   * }
   * ```
   */
  stats(): SourceStats {
    return { connected: this.#receiver?.isAnswered ?? false, unanswered: this.#heartbeat?.size }
  }

  #pulling(process: Process): Receiver<ReceivedMessage> {
    const { maxNumberOfMessages, receiveInterval } = this.#options
    return new Receiver<ReceivedMessage>(process, {
      max: maxNumberOfMessages,
      interval: receiveInterval,
      grace: GRACE,
      receive: (max, signal) => this.#pull(process, max, signal),
      received: (messages) => {
        this.#hold(messages)
        this.#emit(messages)
      },
      giveBack: (messages) => this.#giveBack(messages),
      failed: (error) => this.#failed(error),
    })
  }

  #streaming(process: Process): StreamReceiver {
    return new StreamReceiver(process, {
      open: (listener) => this.#openStream(listener),
      arrived: (messages) => {
        this.#backoff?.reset()
        this.#hold(messages)
      },
      received: (messages) => this.#emit(messages),
      giveBack: (messages) => this.#giveBack(messages),
      failed: (error) => this.#failed(error),
      grace: GRACE,
    })
  }

  async #pull(process: Process, demand: number, signal: AbortSignal): Promise<readonly ReceivedMessage[]> {
    const { receiveTimeout } = this.#options
    if (channels.pubsubPullStart.hasSubscribers) channels.pubsubPullStart.publish({ process: `${process}`, demand })
    const late = new AbortController()
    const timer = receiveTimeout === Infinity ? undefined : process.setTimer(receiveTimeout, () => late.abort(), false)
    let messages: readonly ReceivedMessage[] = []
    try {
      messages = (await this.#origin?.requests.pull(demand, AbortSignal.any([signal, late.signal]))) ?? []
    } catch (error) {
      // There was nothing to be had, or nobody listened any more.
      if (signal.aborted || !late.signal.aborted) throw error
    } finally {
      timer?.cancel()
    }
    this.#backoff?.reset()
    if (channels.pubsubPullStop.hasSubscribers) {
      channels.pubsubPullStop.publish({ process: `${process}`, demand, messages: messages.length })
    }
    return messages
  }

  #openStream(listener: StreamListener): MessageStream {
    const { subscription, maxOutstandingMessages, ackDeadline } = this.#options
    const request = { subscription, maxOutstandingMessages, ackDeadlineSeconds: ackDeadline / 1000 }
    const stream = this.#client?.stream?.(request, listener)
    if (stream === undefined) throw new Error('this client cannot stream')
    return stream
  }

  #hold(messages: readonly ReceivedMessage[]): void {
    for (const { ackId } of messages) this.#heartbeat?.hold(ackId)
  }

  #emit(messages: readonly ReceivedMessage[]): void {
    const { onSuccess, onFailure } = this.#options
    this.emit(
      messages.map((received) => {
        const ackData: Delivery = { ackId: received.ackId, onSuccess, onFailure }
        return new Message(received.data, {
          acknowledger: pubSubAcknowledger,
          ackRef: this.#origin,
          ackData,
          metadata: metadataOf(received),
        })
      }),
    )
  }

  /** Nobody says for which it is too late. */
  async #extend(ackIds: readonly string[]): Promise<readonly string[]> {
    const process = this.#process
    const errors = (await this.#origin?.requests.modifyAckDeadline(ackIds, this.#options.ackDeadline / 1000)) ?? []
    if (errors.length > 0) {
      process?.runtime.logger.warn(
        { err: errors[0], process: `${process}` },
        `${process} could not keep its messages, which may be delivered to others while they are handled here: ${failureText(errors[0])}`,
      )
    }
    return []
  }

  async #giveBack(messages: readonly ReceivedMessage[]): Promise<void> {
    const ackIds = messages.map(({ ackId }) => ackId)
    for (const ackId of ackIds) this.#heartbeat?.release(ackId)
    const errors = (await this.#origin?.requests.modifyAckDeadline(ackIds, 0)) ?? []
    if (errors.length > 0) throw errors[0]
  }

  #failed(error: unknown): number | undefined {
    const process = this.#process
    const retryIn = this.#backoff?.next()
    const message = error === undefined ? 'the service has ended the stream' : failureText(error)
    if (channels.pubsubReceiveFailure.hasSubscribers) {
      channels.pubsubReceiveFailure.publish({ process: `${process}`, message, retryIn })
    }
    if (process === undefined) return retryIn
    const { subscription } = this.#options
    if (error !== undefined || retryIn === undefined) {
      reportFailure(process, `cannot receive from ${subscription}`, { text: message, err: error }, retryIn)
    } else {
      // As it does now and then.
      process.runtime.logger.warn(
        { process: `${process}`, retryIn },
        `${process}: ${message} of ${subscription}; the next is opened in ${retryIn} ms`,
      )
    }
    return retryIn
  }
}

/** A queue of RabbitMQ as the producer of a pipeline. */

import { Message } from '../../broadway/message.ts'
import { pipelineOf } from '../../broadway/topology/producer-stage.ts'
import type { SourceStats } from '../../connector/source-stats.ts'
import { serverOf } from '../../otp/gen-server.ts'
import type { Later } from '../../process/later.ts'
import { errand } from '../../process/message.ts'
import type { Process } from '../../process/process.ts'
import { Producer } from '../../stage/producer.ts'
import type { Cancellation } from '../../stage/stage.ts'
import type { AmqpDelivery } from '../client/port.ts'
import { Link, type LinkPlan } from '../connection/link.ts'
import { ServerChannel } from '../connection/server-channel.ts'
import {
  type CheckedSourceOptions,
  type MetadataName,
  metadataOf,
  type RabbitMQMetadata,
  type RabbitMQSourceOptions,
  readSourceOptions,
} from '../options/source-options.ts'
import { Deliveries } from './deliveries.ts'
import { LossWatch } from './loss-watch.ts'
import { prepareQueue } from './prepare-queue.ts'
import { type AckData, rabbitmqAcknowledger } from './rabbitmq-acknowledger.ts'

export interface RabbitMQSourceStats extends SourceStats {
  /** Messages that the server has sent, and nobody has answered for. */
  readonly unanswered: number
}

const DISCONNECTED: RabbitMQSourceStats = { connected: false, waiting: undefined, unanswered: 0 }

/**
 * A producer that consumes a queue of RabbitMQ, as messages of a Broadway pipeline with a `Buffer` as their data. It has a
 * connection and a channel of its own; with `concurrency: 3` there are three. The server sends `qos.prefetchCount` messages ahead
 * of their answers: that is the back-pressure. Handled messages are acknowledged, failed ones are requeued, unless `onSuccess`,
 * `onFailure` and `message.configureAck({ onFailure: 'reject' })` say otherwise. `K` are the properties in `message.metadata`.
 *
 * What the pipeline loses, by a crash, a lost connection or the end of the program, the server delivers again.
 *
 * Elixir: `BroadwayRabbitMQ.Producer`.
 */
export class RabbitMQSource<K extends MetadataName = never> extends Producer<
  Message<Buffer, string, RabbitMQMetadata<K>>
> {
  readonly #given: RabbitMQSourceOptions<K>
  readonly #owner: string
  readonly #process: Process | undefined
  readonly #link: Link<Deliveries> | undefined
  readonly #losses: LossWatch | undefined
  #options: CheckedSourceOptions
  /** The options were read for an attempt to connect that has not begun. */
  #isRead = true
  /** Came in this turn of the event loop. */
  #arrived: AmqpDelivery[] = []

  /** @throws `RabbitMQError` `bad_options`. */
  constructor(options: RabbitMQSourceOptions<K>) {
    // What mergeOptions gives depends on the place in the pipeline, which is known when the stage is made.
    const buffer: { bufferSize?: number; bufferKeep?: 'first' | 'last' } = {}
    super(buffer)
    this.#given = options
    this.#owner = new.target.name
    const checked = readSourceOptions(this.#owner, options, this.#index)
    this.#options = checked
    buffer.bufferSize = checked.bufferSize
    buffer.bufferKeep = checked.bufferKeep
    const process = serverOf(this)?.process
    this.#process = process
    if (process === undefined) return
    this.#losses = new LossWatch(process, checked.redeliverLostAfter)
    this.#link = new Link(process, this.#plan(process))
    process.onEnd(() => void this.#link?.close().catch(() => {}))
    // Once for a pipeline, however many sources it has.
    if (checked.onFailure === undefined && this.#index === 0) {
      process.runtime.logger.warn(
        { process: `${process}` },
        `onFailure of ${process} is not given: failed messages are requeued, and come again at once, over and over; choose one of ack, reject, reject_and_requeue, reject_and_requeue_once`,
      )
    }
    // The pipeline starts also when the server is not there yet.
    this.continue('connect')
  }

  /** @throws `RabbitMQError` `missing_package`. */
  override async init(): Promise<void> {
    await this.#options.client().load?.()
  }

  /**
   * Replies how it stands, for a check of health, or to know when a queue is done: with one source no message is in neither of the
   * two numbers, since the server is asked on the channel on which it sends them.
   */
  stats(): Later<RabbitMQSourceStats> {
    return this.later(async () => {
      const deliveries = this.#link?.session
      if (deliveries === undefined) return DISCONNECTED
      // A channel that is lost meanwhile does not answer any more.
      const asked = await deliveries.channel.checkQueue(deliveries.queue).catch(() => undefined)
      if (asked === undefined || deliveries.gone !== undefined) return DISCONNECTED
      return { connected: true, waiting: asked.messageCount, unanswered: deliveries.unanswered.size }
    })
  }

  override handleContinue(_step: 'connect'): void {
    this.#link?.start()
  }

  /** What the server may send ahead is what is asked for: `qos.prefetchCount`. */
  override handleDemand(_demand: number): void {}

  /** Takes no more messages; those that came are handled, and answered for. */
  override async handleDrain(): Promise<void> {
    const deliveries = this.#link?.session
    this.#link?.leave()
    try {
      await deliveries?.cancel()
    } catch (err) {
      const process = this.#process
      process?.runtime.logger.error({ err, process: `${process}` }, `${process} could not cancel its consumer`)
    }
    this.#flush(deliveries)
  }

  override async terminate(): Promise<void> {
    await this.#link?.close()
  }

  /** A consumer that died has taken messages with it. */
  override handleCancel({ kind, reason }: Cancellation): undefined {
    if (kind === 'down' && reason !== 'normal') this.#losses?.lost()
  }

  /** More came than was asked for and fits into the buffer. */
  override formatDiscarded(): boolean {
    this.#losses?.lost()
    return true
  }

  get #index(): number {
    return pipelineOf(this)?.index ?? 0
  }

  #plan(process: Process): LinkPlan<Deliveries> {
    return {
      begin: (lost) => {
        if (!this.#isRead) this.#options = readSourceOptions(this.#owner, this.#given, this.#index)
        this.#isRead = false
        const { client, connection, backoff } = this.#options
        return { server: new ServerChannel(process, client(), connection, lost), backoff }
      },
      setUp: (server) => this.#setUp(process, server),
      up: () => {},
      down: (deliveries, why) => {
        deliveries.gone = why
        // The server delivers them again; those that are in the pipeline already as well.
        this.#arrived = []
      },
      fatal: (error) => serverOf(this)?.crashed(error),
    }
  }

  async #setUp(process: Process, server: ServerChannel): Promise<Deliveries> {
    const options = this.#options
    const channel = await server.open()
    const queue = await prepareQueue(channel, options)
    let deliveries: Deliveries | undefined
    const early: AmqpDelivery[] = []
    server.idle = () => deliveries?.idle ?? false
    const { consumerTag } = await channel.consume(
      queue,
      (delivery) => {
        if (delivery === null) this.#link?.restart(new Error(`the server cancelled the consumer of queue ${queue}`))
        else if (deliveries === undefined) early.push(delivery)
        else this.#arrive(deliveries, delivery)
      },
      consumeOptions(options),
    )
    deliveries = new Deliveries(process, channel, queue, consumerTag, options)
    for (const delivery of early) this.#arrive(deliveries, delivery)
    return deliveries
  }

  #arrive(deliveries: Deliveries, delivery: AmqpDelivery): void {
    if (deliveries.gone !== undefined) return
    if (deliveries.options.consume.noAck !== true) deliveries.unanswered.delivered(delivery.fields.deliveryTag)
    this.#arrived.push(delivery)
    if (this.#arrived.length > 1) return
    this.#process?.deliver(
      errand(() => this.#flush(deliveries)),
      [],
    )
  }

  /** All that came together goes on together. */
  #flush(deliveries: Deliveries | undefined): void {
    const arrived = this.#arrived
    if (deliveries === undefined || deliveries.gone !== undefined || arrived.length === 0) return
    this.#arrived = []
    this.#losses?.watch(deliveries)
    this.emit(arrived.map((delivery) => this.#message(deliveries, delivery)))
  }

  #message(deliveries: Deliveries, delivery: AmqpDelivery): Message<Buffer, string, RabbitMQMetadata<K>> {
    const { channel, options } = deliveries
    const metadata = metadataOf(options.metadata, delivery, channel) as RabbitMQMetadata<K>
    if (options.consume.noAck) return new Message(delivery.content, { metadata })
    const { deliveryTag, redelivered } = delivery.fields
    const { onSuccess, onFailure = 'reject_and_requeue' } = options
    const ackData: AckData = { tag: deliveryTag, redelivered, onSuccess, onFailure }
    return new Message(delivery.content, { acknowledger: rabbitmqAcknowledger, ackRef: deliveries, ackData, metadata })
  }
}

function consumeOptions({ consume }: CheckedSourceOptions): object {
  return Object.fromEntries(Object.entries(consume).filter(([, value]) => value !== undefined))
}

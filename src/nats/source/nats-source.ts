/** A consumer of a JetStream stream as the producer of a pipeline. */

import { Message } from '../../broadway/message.ts'
import { Heartbeat } from '../../connector/heartbeat.ts'
import { Receiver } from '../../connector/receiver.ts'
import { ReceivingProducer } from '../../connector/receiving-producer.ts'
import type { SourceStats } from '../../connector/source-stats.ts'
import { untilAborted } from '../../connector/until-aborted.ts'
import { serverOf } from '../../otp/gen-server.ts'
import type { Later } from '../../process/later.ts'
import type { Process } from '../../process/process.ts'
import type { NatsDelivery } from '../client/port.ts'
import { isFatal } from '../connection/failure.ts'
import { Link } from '../connection/link.ts'
import { prepare } from '../connection/prepare.ts'
import { ackWaitOf, maxDeliverOf } from '../options/declaration.ts'
import {
  type CheckedSourceOptions,
  type NatsMetadata,
  type NatsSourceOptions,
  readSourceOptions,
} from '../options/source-options.ts'
import { Answering, type Held } from './answering.ts'
import { deliveryInfo } from './delivery-info.ts'
import { type AckData, giveUp, natsAcknowledger, type Origin } from './nats-acknowledger.ts'
import { Pulls } from './pulls.ts'

/**
 * A producer that pulls from a durable consumer of a JetStream stream what it is asked for, as messages of a Broadway pipeline with
 * a `Buffer` as their data. Handled ones are acknowledged; failed ones are delivered again, later each time; `onSuccess`,
 * `onFailure` and `message.configureAck({ onFailure: 'term' })` say otherwise. What the pipeline loses, by a crash or the end of
 * the program, the server delivers again.
 *
 * @example
 * ```ts
 * import { Broadway } from 'sluice/broadway'
 * import { NatsSource } from 'sluice/nats'
 *
 * async function main() {
 *   const pipeline = await Broadway.start({
 *     name: 'orders',
 *     producer: { module: NatsSource, arg: { stream: 'ORDERS', consumer: 'billing', declare: {} } },
 *     processors: { default: { handleMessage: (message) => message } },
 *   })
 *   await pipeline.done
 * }
 * ```
 */
export class NatsSource extends ReceivingProducer<Message<Buffer, string, NatsMetadata>> {
  readonly #options: CheckedSourceOptions
  readonly #link: Link | undefined
  readonly #answering: Answering | undefined
  #pulls: Pulls | undefined = undefined
  /** Of the consumer as it was found last. */
  #origin: Origin | undefined = undefined
  #heartbeat: Heartbeat<string> | undefined = undefined

  /** @throws `NatsError` `bad_options`. */
  constructor(options: NatsSourceOptions) {
    super()
    const checked = readSourceOptions(new.target.name, options)
    this.#options = checked
    const process = serverOf(this)?.process
    if (process === undefined) return
    const link = new Link(process, checked)
    link.lost = () => this.#pulls?.lost()
    this.#link = link
    this.#answering = new Answering(process, link, checked)
    const receiver = new Receiver<NatsDelivery>(process, {
      max: checked.maxMessages,
      // A request waits at the server.
      interval: 0,
      receive: (max, signal) => this.#receive(process, max, signal),
      received: (deliveries) => this.#received(deliveries),
      giveBack: async (deliveries) => {
        for (const delivery of deliveries) this.#answering?.nak(delivery, 0)
      },
      failed: (error) => this.#failed(error),
    })
    // The lease, and with it the heartbeat, is known when the consumer was found.
    this.receiveBy(receiver, { lost: () => this.#heartbeat?.lost() })
  }

  /** @throws `NatsError` `missing_package`. */
  override async init(): Promise<void> {
    await this.#options.client().load?.()
  }

  /** Replies how it stands, for a check of health, or to know when a stream is done. */
  stats(): Later<SourceStats> {
    return this.later(async () => {
      const { stream, consumer } = this.#options
      const connection = this.#link?.connection
      if (connection === undefined) {
        return { connected: false, waiting: undefined, unanswered: this.#heartbeat?.size }
      }
      const info = await connection.consumerInfo(stream, consumer).catch(() => undefined)
      return {
        connected: this.#link?.connection !== undefined,
        waiting: info?.waiting,
        unanswered: this.#heartbeat?.size,
      }
    })
  }

  /** Pulls no more; what comes all the same goes back. */
  override async handleDrain(): Promise<void> {
    await super.handleDrain()
    await this.#pulls?.stop()
  }

  override async terminate(): Promise<void> {
    await this.#link?.close()
  }

  async #receive(process: Process, max: number, signal: AbortSignal): Promise<readonly NatsDelivery[]> {
    if (this.#pulls === undefined || this.#pulls.isOver) {
      this.#pulls = undefined
      this.#pulls = await untilAborted(signal, this.#begin(process))
    }
    const deliveries = await this.#pulls.receive(max, signal)
    this.#link?.succeeded()
    return deliveries
  }

  async #begin(process: Process): Promise<Pulls> {
    const { stream, consumer, expires, maxDeliver, heartbeat, maxExtension } = this.#options
    const [link, answering] = [this.#link, this.#answering]
    if (link === undefined || answering === undefined) throw new Error('there is no process')
    const connection = await link.online()
    const { config } = await prepare(connection, this.#options)
    if (heartbeat)
      this.#heartbeat ??= new Heartbeat<string>(
        process,
        { lease: ackWaitOf(config), maxExtension },
        async (replies) => {
          answering.working(replies)
          return []
        },
      )
    this.#origin = {
      process,
      answering,
      heartbeat: this.#heartbeat,
      maxDeliver: Math.min(maxDeliver, maxDeliverOf(config)),
    }
    const giveBack = (delivery: NatsDelivery): void => answering.nak(delivery, 0)
    return new Pulls(process, connection, { stream, consumer, expires, giveBack })
  }

  #received(deliveries: readonly NatsDelivery[]): void {
    const origin = this.#origin
    if (origin === undefined) return
    const messages: Message<Buffer, string, NatsMetadata>[] = []
    for (const delivery of deliveries) {
      const held = { delivery, info: deliveryInfo(delivery.reply) }
      if (held.info.deliveries > origin.maxDeliver) this.#giveUp(origin, held)
      else messages.push(this.#message(origin, held))
    }
    if (messages.length < deliveries.length) this.handleDemand(deliveries.length - messages.length)
    if (messages.length > 0) this.emit(messages)
  }

  #message(origin: Origin, { delivery, info }: Held): Message<Buffer, string, NatsMetadata> {
    const { onSuccess, onFailure } = this.#options
    const { subject, headers, data, reply } = delivery
    const { stream, consumer, sequence, deliveries, timestamp } = info
    const ackData: AckData = { delivery, info, onSuccess, onFailure }
    origin.heartbeat?.hold(reply)
    return new Message(Buffer.from(data.buffer, data.byteOffset, data.byteLength), {
      acknowledger: natsAcknowledger,
      ackRef: origin,
      ackData,
      metadata: { subject, headers, stream, consumer, sequence, deliveries, timestamp },
    })
  }

  /** It came more often than it may, and nobody has ever answered for it: maybe it kills the program. */
  #giveUp(origin: Origin, held: Held): void {
    const { process, answering, maxDeliver } = origin
    const { sequence, stream } = held.info
    const { logger } = process.runtime
    logger.warn(
      { process: `${process}`, stream, sequence },
      `message ${sequence} of stream '${stream}' was delivered to ${process} more than ${maxDeliver} times and not answered for; it is given up`,
    )
    const done = giveUp(answering, held, `it was delivered more than ${maxDeliver} times and never answered for`)
    done?.catch((err: unknown) =>
      logger.error(
        { err, process: `${process}` },
        `message ${sequence} of stream '${stream}' could not be given up; it comes again`,
      ),
    )
  }

  #failed(error: unknown): number | undefined {
    if (isFatal(error)) serverOf(this)?.crashed(error)
    return this.#link?.failed(error, `pull from '${this.#options.stream}' at`)
  }
}

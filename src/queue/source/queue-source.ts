/** A queue as the producer of a pipeline. */

import { Message } from '../../broadway/message.ts'
import { failureText } from '../../connector/failure-report.ts'
import { Heartbeat } from '../../connector/heartbeat.ts'
import { Receiver } from '../../connector/receiver.ts'
import { ReceivingProducer } from '../../connector/receiving-producer.ts'
import { serverOf } from '../../otp/gen-server.ts'
import { CallError } from '../../process/errors.ts'
import type { Process } from '../../process/process.ts'
import { QueueError } from '../errors.ts'
import type { Receipt, Received } from '../message.ts'

import { type Delivery, type Origin, queueAcknowledger } from './queue-acknowledger.ts'
import { callsOf } from './queue-calls.ts'
import {
  type CheckedSourceOptions,
  type QueueMetadata,
  type QueueSourceOptions,
  readSourceOptions,
} from './source-options.ts'

/** Milliseconds to wait for a queue, which has nothing to do that takes long. */
const TIMEOUT = 5000

/**
 * A producer that receives from a `Queue` what it is asked for, without polling, as messages of a Broadway pipeline. Handled
 * ones are acknowledged; failed ones are tried again, later each time, until the queue gives them up; `onSuccess`,
 * `onFailure` and `message.configureAck({ onFailure: 'dead_letter' })` say otherwise. What the pipeline loses, as when a
 * processor is killed, the queue delivers again.
 *
 * @example
 * ```ts
 * import { Broadway, startLink } from 'sluice'
 * import { Queue, QueueSource } from 'sluice/queue'
 *
 * const numbers = await startLink(Queue<number>)
 * const pipeline = await Broadway.start({
 *   name: 'numbers',
 *   producer: { module: QueueSource<number>, arg: { queue: numbers } },
 *   processors: { default: { handleMessage: (message) => message.updateData((n) => n * 2) } },
 * })
 * await numbers.call.enqueue(21)
 * await numbers.call.idle() // all are acknowledged
 * await pipeline.stop()
 * await numbers.stop()
 * ```
 */
export class QueueSource<T> extends ReceivingProducer<Message<T, string, QueueMetadata>> {
  readonly #options: CheckedSourceOptions<T>
  readonly #process: Process | undefined
  readonly #origin: Origin | undefined
  readonly #heartbeat: Heartbeat<Receipt> | undefined

  /** @throws `QueueError` `bad_options`. */
  constructor(options: QueueSourceOptions<T>) {
    super()
    const checked = readSourceOptions(new.target.name, options)
    this.#options = checked
    const process = serverOf(this)?.process
    this.#process = process
    if (process === undefined) return
    const { queue, heartbeat, visibilityTimeout, maxExtension, maxMessages } = checked
    if (heartbeat) {
      this.#heartbeat = new Heartbeat<Receipt>(process, { lease: visibilityTimeout, maxExtension }, (receipts) =>
        callsOf(queue, { timeout: visibilityTimeout }).extend(receipts, visibilityTimeout),
      )
    }
    this.#origin = {
      process,
      retryDelay: checked.retryDelay,
      settle: (settlement) => callsOf(queue, { timeout: TIMEOUT }).settle(settlement),
      heartbeat: this.#heartbeat,
    }
    const receiver = new Receiver<Received<T>>(process, {
      max: maxMessages,
      // A call waits for messages.
      interval: 0,
      receive: (max, signal) => callsOf(queue, { signal, timeout: Infinity }).receive(max, { visibilityTimeout }),
      received: (messages) => this.emit(messages.map((message) => this.#message(message))),
      giveBack: (messages) => this.#giveBack(messages),
      failed: (error) => this.#failed(error),
    })
    this.receiveBy(receiver, this.#heartbeat)
  }

  #message({ id, receipt, data, key, metadata, attempts, age }: Received<T>): Message<T, string, QueueMetadata> {
    const { onSuccess, onFailure } = this.#options
    const ackData: Delivery = { receipt, attempts, onSuccess, onFailure }
    this.#heartbeat?.hold(receipt)
    return new Message(data, {
      acknowledger: queueAcknowledger,
      ackRef: this.#origin,
      ackData,
      metadata: { id, key, attempts, age, enqueued: metadata },
    })
  }

  /** A queue that does not answer delivers them again by itself. */
  async #giveBack(received: readonly Received<T>[]): Promise<void> {
    const receipts = received.map(({ receipt }) => receipt)
    await callsOf(this.#options.queue, { timeout: TIMEOUT }).nack(receipts, { counted: false })
  }

  #failed(error: unknown): number | undefined {
    const process = this.#process
    const logger = process?.runtime.logger
    if (error instanceof CallError && error.cause instanceof QueueError && error.cause.code === 'queue_closed') {
      logger?.info({ process: `${process}` }, `${process} has nothing more to do: its queue is closed and empty`)
      return undefined
    }
    const { retryInterval } = this.#options
    logger?.warn(
      { process: `${process}`, retryIn: retryInterval, err: error },
      `${process} cannot receive: ${failureText(error)}; it tries again in ${retryInterval} ms`,
    )
    return retryInterval
  }
}

/** A queue as the producer of a pipeline. */

import { Message } from '../../broadway/message.ts'
import { serverOf } from '../../otp/gen-server.ts'
import { CallError } from '../../process/errors.ts'
import type { Process } from '../../process/process.ts'
import { Producer } from '../../stage/producer.ts'
import type { Cancellation } from '../../stage/stage.ts'
import { QueueError } from '../errors.ts'
import type { Received } from '../message.ts'
import { Heartbeat } from './heartbeat.ts'
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
export class QueueSource<T> extends Producer<Message<T, string, QueueMetadata>> {
  readonly #options: CheckedSourceOptions<T>
  readonly #process: Process | undefined
  readonly #origin: Origin | undefined
  readonly #heartbeat: Heartbeat | undefined
  /** Ends the waiting for messages. */
  readonly #enough = new AbortController()
  /** Messages that were asked for and not received. */
  #demand = 0
  /** A `receive` is on its way; there is one at a time. */
  #isReceiving = false
  /** The last one. */
  #receiving: Promise<void> | undefined = undefined
  #unavailable = false

  /** @throws `QueueError` `bad_options`. */
  constructor(options: QueueSourceOptions<T>) {
    super()
    const checked = readSourceOptions(new.target.name, options)
    this.#options = checked
    const process = serverOf(this)?.process
    this.#process = process
    if (process === undefined) return
    process.onEnd(() => this.#enough.abort())
    const { queue, heartbeat, visibilityTimeout } = checked
    if (heartbeat) {
      this.#heartbeat = new Heartbeat(process, checked, (receipts) =>
        callsOf(queue, { timeout: visibilityTimeout }).extend(receipts, visibilityTimeout),
      )
    }
    this.#origin = {
      process,
      retryDelay: checked.retryDelay,
      settle: (settlement) => callsOf(queue, { timeout: TIMEOUT }).settle(settlement),
      heartbeat: this.#heartbeat,
    }
  }

  override handleDemand(demand: number): void {
    this.#demand += demand
    this.#receive()
  }

  /** Receives no more; what comes all the same goes back. */
  override async handleDrain(): Promise<void> {
    this.#enough.abort()
    await this.#receiving
  }

  /** A consumer that died has taken messages with it. */
  override handleCancel({ kind, reason }: Cancellation): undefined {
    if (kind === 'down' && reason !== 'normal') this.#heartbeat?.lost()
  }

  #receive(): void {
    const { signal } = this.#enough
    if (this.#isReceiving || this.#unavailable || this.#demand === 0 || signal.aborted) return
    const { queue, maxMessages, visibilityTimeout } = this.#options
    const max = Math.min(this.#demand, maxMessages)
    // Before the call, since demand may come while it is made.
    this.#isReceiving = true
    this.#receiving = callsOf(queue, { signal, timeout: Infinity })
      .receive(max, { visibilityTimeout })
      .then(
        (messages) => this.#received(messages),
        (error: unknown) => this.#failed(error),
      )
      // What `emit` throws has ended the process.
      .catch(() => {})
  }

  #received(received: readonly Received<T>[]): Promise<void> | undefined {
    this.#isReceiving = false
    if (this.#enough.signal.aborted) return this.#giveBack(received)
    this.#demand -= received.length
    this.emit(received.map((message) => this.#message(message)))
    this.#receive()
    return undefined
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

  /** They came when nobody wanted them any more. */
  async #giveBack(received: readonly Received<T>[]): Promise<void> {
    const receipts = received.map(({ receipt }) => receipt)
    // A queue that does not answer delivers them again by itself.
    await callsOf(this.#options.queue, { timeout: TIMEOUT })
      .nack(receipts, { counted: false })
      .catch(() => {})
  }

  #failed(error: unknown): void {
    this.#isReceiving = false
    const process = this.#process
    if (process === undefined || this.#enough.signal.aborted) return
    const { logger } = process.runtime
    if (error instanceof CallError && error.cause instanceof QueueError && error.cause.code === 'queue_closed') {
      this.#enough.abort()
      logger.info({ process: `${process}` }, `${process} has nothing more to do: its queue is closed and empty`)
      return
    }
    const { retryInterval } = this.#options
    logger.warn(
      { err: error, process: `${process}` },
      `${process} cannot receive; it tries again in ${retryInterval} ms`,
    )
    this.#unavailable = true
    process.setTimer(retryInterval, () => {
      this.#unavailable = false
      this.#receive()
    })
  }
}

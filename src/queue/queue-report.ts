/** What a queue tells: telemetry, which is built for subscribers only, and lines of log for what somebody should look at. */

import type { Process } from '../process/process.ts'
import type { TypedChannel } from '../telemetry/channel.ts'
import { channels, type QueueActivity } from '../telemetry/channels.ts'
import type { Entry } from './entry.ts'

export class QueueReport {
  readonly #process: Process
  #toldOfDeadLetters = false

  constructor(process: Process) {
    this.#process = process
  }

  enqueued(messages: number): void {
    this.#publish(channels.queueEnqueue, messages)
  }

  delivered(messages: number): void {
    this.#publish(channels.queueDeliver, messages)
  }

  acknowledged(messages: number, late: number): void {
    const { queueAck } = channels
    if (!queueAck.hasSubscribers) return
    queueAck.publish({ id: this.#process.id, queue: this.#process.label, messages, late })
  }

  returned(messages: number, delay: number): void {
    const { queueNack } = channels
    if (messages === 0 || !queueNack.hasSubscribers) return
    queueNack.publish({ id: this.#process.id, queue: this.#process.label, messages, delay })
  }

  expired(messages: number): void {
    this.#publish(channels.queueExpire, messages)
  }

  died(entry: Entry<unknown>): void {
    const { id: message, attempts, reason } = entry
    const { id, label: queue, runtime } = this.#process
    runtime.logger.warn(
      { process: `${this.#process}`, message, attempts, reason },
      `message ${message} of ${this.#process} became a dead letter after ${attempts} attempts`,
    )
    const { queueDeadLetter } = channels
    if (queueDeadLetter.hasSubscribers) queueDeadLetter.publish({ id, queue, message, attempts, reason })
  }

  /** Somebody waits for room that dead letters take; told once. */
  fullOfDeadLetters(dead: number, capacity: number): void {
    if (this.#toldOfDeadLetters) return
    this.#toldOfDeadLetters = true
    this.#process.runtime.logger.warn(
      { process: `${this.#process}`, dead, capacity },
      `${this.#process} is full, with ${dead} dead letters among ${capacity} messages: redrive or discard them`,
    )
  }

  /** The process has ended and its messages with it. */
  lost(messages: number): void {
    if (messages === 0) return
    this.#process.runtime.logger.error(
      { process: `${this.#process}`, messages },
      `${this.#process} ended with ${messages} messages, which are lost: give it a QueueStore to keep them`,
    )
  }

  #publish(channel: TypedChannel<QueueActivity>, messages: number): void {
    if (messages === 0 || !channel.hasSubscribers) return
    channel.publish({ id: this.#process.id, queue: this.#process.label, messages })
  }
}

/** What came on one channel, and the answers to it: they belong to that channel, and are worth nothing on the next. */

import type { Process } from '../../process/process.ts'
import { channels } from '../../telemetry/channels.ts'
import type { AmqpChannel } from '../client/port.ts'
import { RabbitMQError } from '../errors.ts'
import type { CheckedSourceOptions } from '../options/source-options.ts'
import { type BasicAnswer, type Frame, Unanswered } from './unanswered.ts'

export class Deliveries {
  readonly process: Process
  readonly channel: AmqpChannel
  /** Where they come from, as the server calls it. */
  readonly queue: string
  readonly consumerTag: string
  /** Those that the channel was set up with. */
  readonly options: CheckedSourceOptions
  readonly unanswered: Unanswered = new Unanswered()
  #cancelled = false
  /** Why the channel is no more. */
  gone: string | undefined = undefined

  constructor(
    process: Process,
    channel: AmqpChannel,
    queue: string,
    consumerTag: string,
    options: CheckedSourceOptions,
  ) {
    this.process = process
    this.channel = channel
    this.queue = queue
    this.consumerTag = consumerTag
    this.options = options
  }

  /** Nothing more comes, and everything is answered for. */
  get idle(): boolean {
    return this.#cancelled && this.unanswered.size === 0
  }

  /** Has the server send no more. */
  async cancel(): Promise<void> {
    await this.channel.cancel(this.consumerTag)
    this.#cancelled = true
  }

  /** @throws `RabbitMQError` `channel_gone`, `ack_failed`, when everything that can be told has been told. */
  answer(answers: Map<number, BasicAnswer>): void {
    const { process, unanswered } = this
    if (this.gone !== undefined) {
      throw new RabbitMQError(
        'channel_gone',
        `${answers.size} messages of ${process} cannot be answered for: the channel on which they came is gone (${this.gone}); the server has queued them again`,
      )
    }
    let late = 0
    for (const tag of answers.keys()) {
      if (unanswered.has(tag)) continue
      late++
      answers.delete(tag)
    }
    const errors: unknown[] = []
    for (const frame of unanswered.answer(answers)) this.#send(frame, errors)
    if (late > 0)
      errors.push(
        new Error(`${late} had been answered for before: ${process} took them for lost, and the server has them again`),
      )
    if (errors.length === 0) return
    throw new RabbitMQError(
      'ack_failed',
      `${errors.length} answers of ${process} failed: ${errors.map((error) => (error instanceof Error ? error.message : String(error))).join('; ')}`,
      new AggregateError(errors),
    )
  }

  #send({ tag, answer, messages }: Frame, errors: unknown[]): void {
    const { process, channel } = this
    try {
      const message = { fields: { deliveryTag: tag } }
      if (answer === 'ack') channel.ack(message, messages > 1)
      else channel.nack(message, messages > 1, answer === 'requeue')
    } catch (err) {
      errors.push(err)
      process.runtime.logger.error(
        { err, process: `${process}` },
        `${process} could not ${answer} ${messages} messages, up to tag ${tag}`,
      )
      return
    }
    if (channels.rabbitmqAck.hasSubscribers) channels.rabbitmqAck.publish({ process: `${process}`, answer, messages })
  }
}

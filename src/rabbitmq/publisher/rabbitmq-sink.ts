/** The end of a line of stages at a server. */

import { asName, type Class, isName, type Name } from '../../process/name.ts'
import type { Ref } from '../../process/ref.ts'
import { Consumer } from '../../stage/consumer.ts'
import { rabbitMQOptions } from '../options/option-reader.ts'
import type { Publication } from './publication.ts'
import type { RabbitMQPublisher } from './rabbitmq-publisher.ts'

export interface RabbitMQSinkOptions<In> {
  /** Its ref, or its name when it may be started again. */
  readonly publisher: Ref<RabbitMQPublisher> | Name<RabbitMQPublisher> | Class<RabbitMQPublisher>
  /** The message for an event. */
  readonly toPublication: (event: In) => Publication
}

/**
 * A consumer that publishes its events, and asks for more when the server has them. It ends when the server refuses one; its
 * supervisor decides what then.
 */
export class RabbitMQSink<In> extends Consumer<In> {
  readonly #options: RabbitMQSinkOptions<In>

  /** @throws `RabbitMQError` `bad_options`. */
  constructor(options: RabbitMQSinkOptions<In>) {
    super()
    const reader = rabbitMQOptions(new.target.name, options, ['publisher', 'toPublication'])
    if (!reader.has('publisher')) throw reader.bad('publisher', 'the ref or the name of a RabbitMQPublisher')
    reader.required('toPublication', 'a function of an event')
    this.#options = options
  }

  override async handleEvents(events: readonly In[]): Promise<void> {
    const { publisher, toPublication } = this.#options
    const patient = { timeout: Infinity, signal: this.signal }
    const { call } = isName<RabbitMQPublisher>(publisher) ? asName(publisher).with(patient) : publisher.with(patient)
    await call.publishMany(events.map((event) => toPublication(event)))
  }
}

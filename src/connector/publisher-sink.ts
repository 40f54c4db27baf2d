/** The end of a line of stages at a server. */

import { asName, type Class, isName, type Name } from '../process/name.ts'
import type { Ref } from '../process/ref.ts'
import { Consumer } from '../stage/consumer.ts'
import type { OptionReader } from '../stage/option-reader.ts'
import type { Publisher } from './publisher.ts'

/** `P` is a message for the server. */
export interface PublisherSinkOptions<In, P> {
  /** Its ref, or its name when it may be started again. */
  readonly publisher: Ref<Publisher<P>> | Name<Publisher<P>> | Class<Publisher<P>>
  /** The message for an event. */
  readonly toPublication: (event: In) => P
}

/** The options, as `OptionReader` is to know them. */
export const SINK_OPTIONS: readonly string[] = ['publisher', 'toPublication']

/**
 * A consumer that publishes its events, and asks for more when the server has them. It ends when the server refuses one; its
 * supervisor decides what then.
 */
export abstract class PublisherSink<In, P> extends Consumer<In> {
  readonly #options: PublisherSinkOptions<In, P>

  /** @throws what the options are refused with. */
  constructor(options: PublisherSinkOptions<In, P>, reader: OptionReader, publisher: string) {
    super()
    if (!reader.has('publisher')) throw reader.bad('publisher', `the ref or the name of a ${publisher}`)
    reader.required('toPublication', 'a function of an event')
    this.#options = options
  }

  override async handleEvents(events: readonly In[]): Promise<void> {
    const { publisher, toPublication } = this.#options
    const patient = { timeout: Infinity, signal: this.signal }
    const { call } = isName<Publisher<P>>(publisher) ? asName(publisher).with(patient) : publisher.with(patient)
    await call.publishMany(events.map((event) => toPublication(event)))
  }
}

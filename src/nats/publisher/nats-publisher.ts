/** A process that publishes, and knows what a stream has stored. */

import { randomUUID } from 'node:crypto'
import { Publisher } from '../../connector/publisher.ts'
import { Publishing } from '../../connector/publishing.ts'
import type { Later } from '../../process/later.ts'
import type { Process } from '../../process/process.ts'
import { isFatal, withoutSecrets } from '../connection/failure.ts'
import { Link } from '../connection/link.ts'
import { NatsError } from '../errors.ts'
import type { Publication } from './publication.ts'
import { type CheckedPublisherOptions, type NatsPublisherOptions, readPublisherOptions } from './publisher-options.ts'

/**
 * Publishes messages to streams: a call is answered when a stream has stored all of its messages. At most `maxUnconfirmed` messages
 * are under way, so that who awaits its calls publishes no faster than the server takes. While there is no connection messages wait;
 * those that nobody confirmed are sent again, and a stream stores a message with the same id once.
 *
 * A call that fails says so in the `cause` of its `CallError`, a `NatsError` `unroutable`, `refused`, `bad_publication` or `full`,
 * with `failures` for each message.
 *
 * @example
 * ```ts
 * import { startLink } from 'sluice'
 * import { NatsPublisher } from 'sluice/nats'
 *
 * async function main() {
 *   const publisher = await startLink(NatsPublisher, { arg: { connection: 'nats://localhost', subject: 'orders.new' } })
 *   await publisher.call.publish({ content: 'hello' })
 *   await publisher.stop({ drain: true })
 * }
 * ```
 */
export class NatsPublisher extends Publisher<Publication> {
  #link: Link | undefined = undefined

  /** @throws `NatsError` `bad_options`. */
  constructor(options: NatsPublisherOptions = {}) {
    const checked = readPublisherOptions(new.target.name, options)
    let made: Link | undefined
    super((process) => {
      made = new Link(process, checked)
      return new NatsPublishing(process, checked, made)
    })
    this.#link = made
  }

  override async terminate(): Promise<void> {
    await this.#link?.close()
  }
}

/** Each message has an id, by which it is known when it is sent again. */
class NatsPublishing extends Publishing<Publication, NatsError> {
  readonly #prefix = randomUUID()
  #published = 0

  constructor(process: Process, options: CheckedPublisherOptions, link: Link) {
    super(process, {
      maxBatch: options.maxUnconfirmed,
      // One request at a time keeps the order.
      maxRequests: 1,
      maxWaiting: options.maxWaiting,
      backoff: options.backoff,
      send: (publications) => send(link, options, publications),
      isFinal: isFatal,
      retrying: (error, retryIn) => link.told(error, retryIn),
      refusal: (text, failures) => new NatsError(failures[0]?.error.code ?? 'refused', text, undefined, failures),
      full: (text) => new NatsError('full', text),
      safe: (error) => withoutSecrets(error, options.connection.target),
      failed: (error) => (error instanceof NatsError ? error : new NatsError('refused', String(error), error)),
    })
  }

  override add(publications: readonly Publication[], later: Later<void>): void {
    const identified = publications.map((publication) => ({
      ...publication,
      messageId: publication.messageId ?? `${this.#prefix}-${this.#published++}`,
    }))
    super.add(identified, later)
  }
}

async function send(
  link: Link,
  { subject: usual, connection: { target } }: CheckedPublisherOptions,
  publications: readonly Publication[],
): Promise<readonly (NatsError | undefined)[]> {
  const connection = await link.online()
  const sendOne = async (publication: Publication): Promise<NatsError | undefined> => {
    const { subject = usual, content, headers = {}, messageId = '', expect } = publication
    if (subject === undefined)
      return new NatsError('bad_publication', 'a message has no subject, and the publisher has none either')
    try {
      await connection.send(subject, content, { messageId, headers, expect, timeout: target.timeout })
      return undefined
    } catch (error) {
      // Of anything else nobody knows what became of the message.
      if (error instanceof NatsError && ['unroutable', 'refused', 'bad_publication'].includes(error.code)) return error
      throw error
    }
  }
  // The client would wait for answers that the server has no way to give any more.
  const lost = new Promise<never>((_, reject) => {
    link.lost = () => reject(new NatsError('not_connected', 'the connection was lost'))
  })
  const results = await Promise.race([Promise.allSettled(publications.map(sendOne)), lost])
  const unknown = results.find((result) => result.status === 'rejected')
  if (unknown !== undefined) throw unknown.reason
  return results.map((result) => (result.status === 'fulfilled' ? result.value : undefined))
}

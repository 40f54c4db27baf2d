/** A process that publishes, and knows what the service has taken. */

import { failureText } from '../../connector/failure-report.ts'
import { sendInHalves } from '../../connector/in-halves.ts'
import { Publisher } from '../../connector/publisher.ts'
import { Publishing } from '../../connector/publishing.ts'
import { serverOf } from '../../otp/gen-server.ts'
import { googleClient } from '../client/google-client.ts'
import type { OutgoingMessage, PubSubClient } from '../client/port.ts'
import { isAboutContent, isRefusal } from '../client/request-status.ts'
import { PubSubError } from '../errors.ts'
import { byOrderingKey, bytesOf, outgoing, type Publication, type PublishFailure } from './publication.ts'
import { type CheckedPublisherOptions, type PubSubPublisherOptions, readPublisherOptions } from './publisher-options.ts'

/** The service takes so many in one request. */
const MAX_BATCH = 1000
/** It takes 10,000,000; over REST they are a third longer. */
const MAX_BYTES = 7_000_000

/**
 * Publishes messages to one topic: a call is answered when the service has all of its messages. What waits when a request ends goes
 * with the next, a thousand messages at most. While the service cannot be reached messages wait. A request of which nobody knows
 * whether it arrived is made again, so that a message may be published twice, and none is lost.
 *
 * A call that fails says so in the `cause` of its `CallError`, a `PubSubError` `refused` or `full`, with `failures` for each message.
 *
 * @example
 * ```ts
 * import { startLink } from 'sluice'
 * import { PubSubPublisher } from 'sluice/pubsub'
 *
 * async function main() {
 *   const publisher = await startLink(PubSubPublisher, { arg: { topic: 'projects/shop/topics/mails' } })
 *   await publisher.call.publish({ data: 'hello', attributes: { to: 'joe' } })
 *   await publisher.stop({ drain: true })
 * }
 * ```
 */
export class PubSubPublisher extends Publisher<Publication> {
  readonly #options: CheckedPublisherOptions
  #client: PubSubClient | undefined = undefined

  /** @throws `PubSubError` `bad_options`. */
  constructor(options: PubSubPublisherOptions) {
    const checked = readPublisherOptions(new.target.name, options)
    const { maxRequests, maxWaiting, backoff } = checked
    super(
      (process) =>
        new Publishing<Publication, PubSubError>(process, {
          maxBatch: MAX_BATCH,
          maxBytes: MAX_BYTES,
          bytesOf,
          maxRequests,
          maxWaiting,
          backoff,
          send: (publications, signal) => this.#send(publications, signal),
          isFinal: isRefusal,
          refusal: (text, failures) => callError(text, failures),
          full: (text) => new PubSubError('full', text),
          failed: (error) => refused(error),
        }),
    )
    this.#options = checked
  }

  /** @throws `PubSubError` `missing_package`. */
  override async init(): Promise<void> {
    const { client, config } = this.#options
    if (client !== undefined) {
      this.#client = await client()
      return
    }
    const own = await googleClient(config)
    serverOf(this)?.process.onEnd(() => void own.close().catch(() => {}))
    this.#client = own
  }

  async #send(
    publications: readonly Publication[],
    signal: AbortSignal,
  ): Promise<readonly (PubSubError | undefined)[]> {
    const errors: (PubSubError | undefined)[] = publications.map(() => undefined)
    const messages = publications.map(outgoing)
    const groups = byOrderingKey(publications).map(async (places) => {
      const group = places.flatMap((place) => messages[place] ?? [])
      const refusals = await sendInHalves<OutgoingMessage, PubSubError>(group, {
        send: async (some) => this.#client?.publish(this.#options.topic, some, signal),
        isRefusal,
        isAboutOne: isAboutContent,
        refused,
      })
      for (const [at, place] of places.entries()) errors[place] = refusals[at]
    })
    const failed = (await Promise.allSettled(groups)).find((group) => group.status === 'rejected')
    // What nobody knows of is sent again, with all others.
    if (failed !== undefined) throw failed.reason
    return errors
  }
}

function refused(error: unknown): PubSubError {
  return new PubSubError('refused', `the service did not take the message: ${failureText(error)}`, error)
}

function callError(text: string, failures: readonly PublishFailure[]): PubSubError {
  const [first] = failures
  return new PubSubError(first?.error.code ?? 'refused', text, first?.error, { failures })
}

/** A process that sends, and knows what SQS has taken. */

import { failureText } from '../../connector/failure-report.ts'
import { Publisher } from '../../connector/publisher.ts'
import { Publishing } from '../../connector/publishing.ts'
import { serverOf } from '../../otp/gen-server.ts'
import { awsClient, type OwnClient } from '../client/aws-client.ts'
import type { SqsClient } from '../client/port.ts'
import { MAX_BATCH, textOf } from '../client/queue-requests.ts'
import { SqsError } from '../errors.ts'
import { bytesOf, entryOf, type Publication, type PublishFailure } from './publication.ts'
import { type CheckedPublisherOptions, readPublisherOptions, type SqsPublisherOptions } from './publisher-options.ts'

/** Bytes that AWS takes in one request. */
const MAX_BYTES = 2 ** 20

/**
 * Sends messages to one queue, ten in a request when there are as many: a call is answered when SQS has all of its messages. While
 * SQS cannot be reached messages wait. A request of which nobody knows whether it arrived is made again, so that a message may be
 * sent twice, unless it has a `messageDeduplicationId`, and none is lost.
 *
 * A call that fails says so in the `cause` of its `CallError`, an `SqsError` `refused` or `full`, with `failures` for each message.
 *
 * @example
 * ```ts
 * import { startLink } from 'sluice'
 * import { SqsPublisher } from 'sluice/sqs'
 *
 * async function main() {
 *   const queueUrl = 'https://sqs.eu-central-1.amazonaws.com/123456789012/mails'
 *   const publisher = await startLink(SqsPublisher, { arg: { queueUrl } })
 *   await publisher.call.publish({ body: 'hello' })
 *   await publisher.stop({ drain: true })
 * }
 * ```
 */
export class SqsPublisher extends Publisher<Publication> {
  readonly #options: CheckedPublisherOptions
  #client: SqsClient | undefined = undefined

  /** @throws `SqsError` `bad_options`. */
  constructor(options: SqsPublisherOptions) {
    const checked = readPublisherOptions(new.target.name, options)
    const { maxRequests, maxWaiting, backoff } = checked
    super(
      (process) =>
        new Publishing<Publication, SqsError>(process, {
          maxBatch: MAX_BATCH,
          maxBytes: MAX_BYTES,
          bytesOf,
          maxRequests,
          maxWaiting,
          backoff,
          send: (publications, signal) => this.#send(publications, signal),
          isFinal: isRefusal,
          refusal: (text, failures) => refusal(text, failures),
          full: (text) => new SqsError('full', text),
          failed: (error) => new SqsError('refused', `SQS cannot be sent to: ${failureText(error)}`, error),
        }),
    )
    this.#options = checked
  }

  /** @throws `SqsError` `missing_package`. */
  override async init(): Promise<void> {
    const { client, config } = this.#options
    if (client !== undefined) {
      this.#client = await client()
      return
    }
    const own: OwnClient = await awsClient(config, 0)
    serverOf(this)?.process.onEnd(() => own.destroy())
    this.#client = own
  }

  async #send(
    publications: readonly Publication[],
    abortSignal: AbortSignal,
  ): Promise<readonly (SqsError | undefined)[]> {
    const result = await this.#client?.sendMessageBatch(
      { QueueUrl: this.#options.queueUrl, Entries: publications.map(entryOf) },
      { abortSignal },
    )
    const errors: (SqsError | undefined)[] = publications.map(() => undefined)
    for (const failed of result?.Failed ?? []) {
      errors[Number(failed.Id)] = new SqsError('refused', `SQS did not take the message: ${textOf(failed)}`)
    }
    return errors
  }
}

/** SQS has understood the request and will not take it, nor take it later. */
function isRefusal(error: unknown): boolean {
  const { $fault, $retryable, name } = Object(error)
  return $fault === 'client' && $retryable === undefined && !/throttl|timeout|too ?many/i.test(String(name))
}

function refusal(text: string, failures: readonly PublishFailure[]): SqsError {
  const [first] = failures
  return new SqsError(first?.error.code ?? 'refused', text, first?.error, failures)
}

/** A process that publishes, and knows what the cluster has taken. */

import { sendInHalves } from '../../connector/in-halves.ts'
import { Publisher } from '../../connector/publisher.ts'
import { Publishing } from '../../connector/publishing.ts'
import { serverOf } from '../../otp/gen-server.ts'
import type { KafkaConnection } from '../client/port.ts'
import { isAboutContent, isFinal } from '../client/request-error.ts'
import { connectTo } from '../connection/connecting.ts'
import { KafkaError } from '../errors.ts'
import { safeFailure } from '../options/safe-failure.ts'
import { type KafkaPublication, toRecord } from './publication.ts'
import { type CheckedPublisherOptions, type KafkaPublisherOptions, readPublisherOptions } from './publisher-options.ts'

/**
 * Publishes messages: a call is answered when all replicas that are in sync have all of its messages. Messages of several calls go
 * together in one request, and there is one request at a time, so that messages of a partition keep their order. While the cluster does
 * not answer messages wait; those of which nobody knows whether they arrived are sent again, so that a message may arrive twice and
 * none is lost.
 *
 * A call that fails says so in the `cause` of its `CallError`, a `KafkaError` `refused`, `bad_publication` or `full`, with `failures` for
 * each message.
 *
 * @example
 * ```ts
 * import { startLink } from 'sluice'
 * import { KafkaPublisher } from 'sluice/kafka'
 *
 * async function main() {
 *   const publisher = await startLink(KafkaPublisher, { arg: { hosts: 'localhost:9092', topic: 'orders' } })
 *   await publisher.call.publish({ key: 'customer-7', value: 'two apples' })
 *   await publisher.stop({ drain: true })
 * }
 * ```
 */
export class KafkaPublisher extends Publisher<KafkaPublication> {
  readonly #options: CheckedPublisherOptions
  readonly #cluster: Cluster

  /** @throws `KafkaError` `bad_options`. */
  constructor(options: KafkaPublisherOptions) {
    const checked = readPublisherOptions(new.target.name, options)
    const cluster = new Cluster(checked)
    const { maxBatch, maxBytes, maxRequests, maxWaiting, backoff } = checked
    super(
      (process) =>
        new Publishing<KafkaPublication, KafkaError>(process, {
          maxBatch,
          maxBytes,
          bytesOf,
          maxRequests,
          maxWaiting,
          backoff,
          send: (publications) => cluster.send(publications),
          isFinal: (error) => error instanceof KafkaError || isFinal(error),
          refusal: (text, failures) => new KafkaError(failures[0]?.error.code ?? 'refused', text, undefined, failures),
          full: (text) => new KafkaError('full', text),
          safe: (error) => safeFailure(error, checked.connection.secrets),
          failed: (error) => cluster.refused(error),
        }),
    )
    this.#options = checked
    this.#cluster = cluster
    const process = serverOf(this)?.process
    if (process === undefined) return
    process.onEnd(() => void cluster.close())
    this.continue('connect')
  }

  override handleContinue(_step: 'connect'): void {
    const server = serverOf(this)
    if (server === undefined) return
    const { connection, backoff } = this.#options
    connectTo(server.process, connection, backoff).then(
      (connected) => this.#cluster.opened(connected),
      (error: unknown) => server.crashed(error),
    )
  }

  override async terminate(): Promise<void> {
    await this.#cluster.close()
  }
}

/** What a publisher sends to, once it is there. */
class Cluster {
  readonly #options: CheckedPublisherOptions
  #open!: (connection: KafkaConnection | undefined) => void
  readonly #connection: Promise<KafkaConnection | undefined> = new Promise((resolve) => {
    this.#open = resolve
  })
  #current: KafkaConnection | undefined = undefined
  #isClosed = false

  constructor(options: CheckedPublisherOptions) {
    this.#options = options
  }

  opened(connection: KafkaConnection | undefined): void {
    this.#current = connection
    this.#open(connection)
    if (this.#isClosed) void this.close()
  }

  async send(publications: readonly KafkaPublication[]): Promise<readonly (KafkaError | undefined)[]> {
    const connection = await this.#connection
    if (connection === undefined) throw new KafkaError('no_answer', 'there is no connection, and backoffType is stop')
    const results = publications.map((publication) => this.#read(publication))
    const records = results.flatMap((result) => (result instanceof KafkaError ? [] : [result]))
    const refusals = await sendInHalves(records, {
      send: (some) => connection.produce(some),
      isRefusal: isFinal,
      // One that is about a topic is about all of its messages.
      isAboutOne: (error, some) => isAboutContent(error) || some.some(({ topic }) => topic !== some[0]?.topic),
      refused: (error) => this.refused(error),
    })
    let sent = 0
    return results.map((result) => (result instanceof KafkaError ? result : refusals[sent++]))
  }

  refused(error: unknown): KafkaError {
    if (error instanceof KafkaError) return error
    const { text, err } = safeFailure(error, this.#options.connection.secrets)
    return new KafkaError('refused', `the cluster refused the message: ${text}`, err)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const current = this.#current
    this.#current = undefined
    await current?.close().catch(() => {})
  }

  #read(publication: KafkaPublication): ReturnType<typeof toRecord> | KafkaError {
    try {
      return toRecord(publication, this.#options.topic)
    } catch (error) {
      if (error instanceof KafkaError) return error
      return new KafkaError('bad_publication', `the message cannot be published: ${String(error)}`, error)
    }
  }
}

/** About what a message takes in a request. */
function bytesOf({ key, value, headers = {} }: KafkaPublication): number {
  let bytes = 64 + sizeOf(key) + sizeOf(value)
  for (const [name, each] of Object.entries(headers)) bytes += name.length + 16 + sizeOf(each)
  return bytes
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value)
  if (value instanceof Uint8Array) return value.byteLength
  return Array.isArray(value) ? value.reduce((sum: number, each) => sum + sizeOf(each) + 16, 0) : 0
}

/** A server that speaks as SQS does, inside the program: fauxqs, and what a test has there. */

import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type FauxqsServer, startFauxqs } from 'fauxqs'
import type { SqsSourceOptions } from 'sluice/sqs'
import { afterAll, beforeAll } from 'vitest'
import { Cable } from './cable.ts'

/** Milliseconds until a server is asked again. */
const ASK_AGAIN = 20

/** A server for all tests of a file. */
export function fauxqsForAll(): () => FauxqsServer {
  let server: FauxqsServer | undefined
  beforeAll(async () => {
    server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false })
  })
  afterAll(async () => {
    await server?.stop()
  })
  return () => {
    if (server === undefined) throw new Error('fauxqs does not run')
    return server
  }
}

/** What the source and the publisher of the connector are given; they come back soon. */
export const sqsOptions = (endpoint: string, queueUrl: string) =>
  ({
    queueUrl,
    config: {
      endpoint,
      useQueueUrlAsEndpoint: false,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    },
    backoffType: 'exp',
    backoffMin: 10,
    backoffMax: 100,
  }) as const satisfies SqsSourceOptions

/** A queue that is deleted in the end, and the way to it. */
export class FauxQueue implements AsyncDisposable {
  /** All connections of a test to the server go through it. */
  readonly cable: Cable
  readonly url: string
  readonly arn: string
  readonly #name: string
  readonly #server: FauxqsServer

  private constructor(server: FauxqsServer, cable: Cable, name: string, attributes: Record<string, string>) {
    this.#server = server
    this.cable = cable
    this.#name = name
    const { queueUrl, queueArn } = server.createQueue(name, { attributes })
    this.url = queueUrl
    this.arn = queueArn
  }

  /** @param attributes Of the queue; `FifoQueue` is `true` for one in order. */
  static async create(server: FauxqsServer, attributes: Record<string, string> = {}): Promise<FauxQueue> {
    const suffix = attributes['FifoQueue'] === 'true' ? '.fifo' : ''
    const cable = await Cable.lay(`http://127.0.0.1:${server.port}`)
    return new FauxQueue(server, cable, `sluice-test-${randomUUID()}${suffix}`, attributes)
  }

  /** What the source and the publisher of the connector are given; they come back soon. */
  get options() {
    return sqsOptions(this.cable.uri, this.url)
  }

  get #content() {
    const content = this.#server.inspectQueue(this.#name)
    if (content === undefined) throw new Error(`there is no queue ${this.#name}`)
    return content.messages
  }

  /** Messages that can be received, or will be when their delay or their visibility timeout is over. */
  get waiting(): number {
    return this.#content.ready.length + this.#content.delayed.length
  }

  /** Messages that somebody has received. */
  get inFlight(): number {
    return this.#content.inflight.length
  }

  /** When the first message that somebody has received can be received by others, in milliseconds since 1970. */
  get deadline(): number {
    return this.#content.inflight[0]?.visibilityDeadline ?? 0
  }

  get bodies(): readonly string[] {
    return this.#content.ready.map(({ body }) => body)
  }

  /** Resolves when it has nothing any more. */
  async empties(): Promise<void> {
    while (this.waiting + this.inFlight > 0) await delay(ASK_AGAIN)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cable[Symbol.asyncDispose]()
    this.#server.deleteQueue(this.#name)
  }
}

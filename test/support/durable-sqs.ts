/**
 * A server that speaks as SQS does, which a test may kill: it keeps what it has, in SQLite. This is version 2 of fauxqs, a program of
 * its own, and needs a newer Node than the one that all other tests of SQS can do with.
 */

import { randomUUID } from 'node:crypto'
import { isBuiltin } from 'node:module'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { SQS } from '@aws-sdk/client-sqs'
import { sqsOptions } from './fauxqs.ts'
import { ServerProcess } from './server-process.ts'

export const durableSqsCanStart = isBuiltin('node:sqlite')
if (!durableSqsCanStart)
  console.warn('no SQLite in this Node: what kills a server of SQS is skipped; npm run test:node24')

const PROGRAM = fileURLToPath(new URL('./programs/durable-sqs.ts', import.meta.url))
/** Milliseconds until a server is asked again. */
const ASK_AGAIN = 20

/** A server with one queue. */
export class DurableQueue implements AsyncDisposable {
  readonly server: ServerProcess
  readonly #client: SQS
  readonly #url: string

  private constructor(server: ServerProcess, client: SQS, url: string) {
    this.server = server
    this.#client = client
    this.#url = url
  }

  static async create(): Promise<DurableQueue> {
    const server = await ServerProcess.start({
      name: 'sqs',
      program: process.execPath,
      args: (port, home) => ['--import', 'tsx', PROGRAM, String(port), home],
      ready: /listens/,
    })
    const client = new SQS(sqsOptions(endpointOf(server), '').config)
    const { QueueUrl = '' } = await client.createQueue({ QueueName: `sluice-test-${randomUUID()}` })
    return new DurableQueue(server, client, QueueUrl)
  }

  /** What the source and the publisher of the connector are given. */
  get options() {
    return sqsOptions(endpointOf(this.server), this.#url)
  }

  /** Messages that it has, received or not. */
  async size(): Promise<number> {
    const { Attributes = {} } = await this.#client.getQueueAttributes({
      QueueUrl: this.#url,
      AttributeNames: ['All'],
    })
    const { ApproximateNumberOfMessages: waiting, ApproximateNumberOfMessagesNotVisible: received } = Attributes
    return Number(waiting) + Number(received)
  }

  /** Resolves when it has nothing any more. */
  async empties(): Promise<void> {
    while ((await this.size()) > 0) await delay(ASK_AGAIN)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.destroy()
    await this.server[Symbol.asyncDispose]()
  }
}

const endpointOf = ({ port }: ServerProcess): string => `http://127.0.0.1:${port}`

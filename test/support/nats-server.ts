/** The NATS of this machine, or the one at NATS_URL; `scripts/with-servers` starts a private one. And one that a test may hurt. */

import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import {
  type ConsumerInfo,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { ServerProcess } from './server-process.ts'

export const NATS = process.env['NATS_URL'] ?? 'nats://127.0.0.1:4222'
const SERVER = '/usr/sbin/nats-server'

/** In CI it has to be there. */
export const natsIsThere = process.env['CI'] !== undefined || (await answers())
if (!natsIsThere) console.warn(`no NATS at ${new URL(NATS).host}: its tests are skipped; see scripts/with-servers`)

export const natsCanStart = process.env['CI'] !== undefined || existsSync(SERVER)
if (!natsCanStart) console.warn('no NATS to kill and start: its tests are skipped; apt-get install nats-server')

async function answers(): Promise<boolean> {
  try {
    await (await connect({ servers: NATS, reconnect: false })).close()
    return true
  } catch {
    return false
  }
}

/** A server of a test's own. */
export function ownNatsServer(...args: readonly string[]): Promise<ServerProcess> {
  return ServerProcess.start({
    name: 'nats',
    program: SERVER,
    args: (port, home) => ['-js', '-a', '127.0.0.1', '-p', String(port), '-sd', home, ...args],
    ready: /Server is ready/,
  })
}

export const urlOf = ({ port }: ServerProcess): string => `nats://127.0.0.1:${port}`

/** What a test has at a server, which is gone when it ends. */
export class JetStream implements AsyncDisposable {
  readonly connection: NatsConnection
  readonly manager: JetStreamManager
  readonly client: JetStreamClient
  readonly #streams: string[] = []

  private constructor(connection: NatsConnection, manager: JetStreamManager) {
    this.connection = connection
    this.manager = manager
    this.client = jetstream(connection)
  }

  static async connect(servers = NATS): Promise<JetStream> {
    const connection = await connect({ servers, maxReconnectAttempts: -1, reconnectTimeWait: 50 })
    return new JetStream(connection, await jetstreamManager(connection, { checkAPI: false }))
  }

  /** A name that no other test uses; the stream, if there is one, is deleted at the end. */
  name(): string {
    const name = `sluice-test-${randomUUID()}`
    this.#streams.push(name)
    return name
  }

  /** A stream of the subjects `<name>` and `<name>.>`, with messages `0`, `1`, ... */
  async stream(messages = 0, config: object = {}): Promise<string> {
    const name = this.name()
    await this.manager.streams.add({ name, subjects: [name, `${name}.>`], ...config })
    await this.fill(name, messages)
    return name
  }

  async fill(subject: string, messages: number, from = 0): Promise<void> {
    await Promise.all(Array.from({ length: messages }, (_, n) => this.client.publish(subject, String(from + n))))
  }

  /** Messages of a stream. */
  async size(stream: string): Promise<number> {
    return (await this.manager.streams.info(stream)).state.messages
  }

  info(stream: string, consumer = 'worker'): Promise<ConsumerInfo> {
    return this.manager.consumers.info(stream, consumer)
  }

  /** `undefined` when there is no such consumer. */
  find(stream: string, consumer = 'worker'): Promise<ConsumerInfo | undefined> {
    return this.info(stream, consumer).catch(() => undefined)
  }

  /** The message with a number in a stream. */
  async message(stream: string, sequence: number): Promise<{ text: string; headers: Record<string, string[]> }> {
    const message = await this.manager.streams.getMessage(stream, { seq: sequence })
    if (message === null) throw new Error(`stream ${stream} has no message ${sequence}`)
    return { text: message.string(), headers: Object.fromEntries(message.header ?? []) }
  }

  /** Resolves when a consumer has delivered all of its messages, and all are answered for. */
  async done(stream: string, consumer = 'worker'): Promise<void> {
    for (;;) {
      const { num_pending, num_ack_pending } = await this.info(stream, consumer)
      if (num_pending + num_ack_pending === 0) return
    }
  }

  /** Also where an older server could not remove the folder of it, and says so (pull request 7886 of nats-server): it is gone all the same. */
  async deleteConsumer(stream: string, consumer = 'worker'): Promise<void> {
    await this.manager.consumers.delete(stream, consumer).catch((error: Error) => {
      if (!error.message.includes('directory not empty')) throw error
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stream of this.#streams) await this.manager.streams.delete(stream).catch(() => {})
    await this.connection.close()
  }
}

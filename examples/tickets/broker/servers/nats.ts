/**
 * NATS JetStream: a stream for each queue, whose messages are gone when they were acknowledged, and one behind it for dead letters. A
 * message that is taken back comes again at once, so it is the pipelines that wait before they try again.
 */

import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { child, type Message, name } from 'sluice'
import { type NatsMetadata, NatsPublisher, NatsSource } from 'sluice/nats'
import { InputError } from '../../../command-line/input-error.ts'
import { reasonOf } from '../reason-of.ts'
import type { Delivered, Server, ServerQueue, ServerQueueOptions } from '../server.ts'

/** The name of the consumer of a stream: there is one. */
const CONSUMER = 'tickets'
const ID = 'Nats-Msg-Id'
/** Milliseconds. */
const TIMEOUT = 10_000

/** @param url `nats://user:password@host:4222` @throws `InputError` when it does not answer. */
export async function openServer(url: string): Promise<Server> {
  const { host, hostname, port, username, password } = new URL(url)
  const user = decodeURIComponent(username)
  const pass = decodeURIComponent(password)
  let connection: NatsConnection
  try {
    const servers = `${hostname}:${port || '4222'}`
    const options = { servers, name: 'tickets', timeout: TIMEOUT, maxReconnectAttempts: -1 }
    connection = await connect({ ...options, ...(user !== '' && { user, pass }) })
  } catch (error) {
    throw new InputError(`nats://${host} does not answer (${reasonOf(error)}); expected a NATS server`, {
      cause: error,
    })
  }
  const manager = await jetstreamManager(connection, { timeout: TIMEOUT }).catch(async (error: unknown) => {
    await connection.close()
    throw new InputError(`nats://${host} has no JetStream (${reasonOf(error)}): nats-server -js`, { cause: error })
  })
  return {
    name: `NATS at ${host}`,
    children: [child(NatsPublisher, { name: NatsPublisher, arg: { connection: url, name: 'tickets, publisher' } })],
    triesAgain: false,
    queue: (options) => queueAt(url, manager, options),
    close: () => connection.close(),
  }
}

async function queueAt(url: string, manager: JetStreamManager, options: ServerQueueOptions): Promise<ServerQueue> {
  const { pipeline, prefetch, lostAfter, givesUp } = options
  const stream = options.name.replaceAll('.', '_')
  const deadLetters = `${stream}_dead`
  const waiting = await declared(manager, stream, 'workqueue')
  await declared(manager, deadLetters, 'limits')
  class Source extends NatsSource {
    constructor() {
      super({
        connection: url,
        name: `tickets, ${pipeline}`,
        stream,
        consumer: CONSUMER,
        declare: { consumer: { ackWait: lostAfter, maxAckPending: Math.max(1000, prefetch) } },
        deadLetters,
        onFailure: (message) => (givesUp(message) ? 'dead_letter' : { retryAfter: 0 }),
      })
    }
  }
  return {
    waiting,
    module: Source,
    read: (message: Message<Buffer, string, NatsMetadata>): Delivered => {
      const { headers, deliveries } = message.metadata
      return { message, content: String(message.data), id: headers[ID]?.[0], deliveries }
    },
    publish: async (messages, signal) => {
      const { call } = name(NatsPublisher).with({ signal, timeout: Infinity })
      await call.publishMany(messages.map(({ id, content }) => ({ subject: stream, content, messageId: id })))
    },
    state: async () => {
      try {
        const { num_pending: ready, num_ack_pending: unanswered } = await manager.consumers.info(stream, CONSUMER)
        return { ready, unanswered }
      } catch {
        // There is no consumer yet, or no connection.
        return undefined
      }
    },
    left: () => idsIn(manager, stream),
  }
}

/** Sees to it that a stream is there. Gives how many messages are in it. */
async function declared(manager: JetStreamManager, stream: string, retention: 'workqueue' | 'limits'): Promise<number> {
  try {
    await manager.streams.add({ name: stream, subjects: [stream], retention })
    return (await manager.streams.info(stream)).state.messages
  } catch (error) {
    const text = `the stream ${stream} cannot be made (${reasonOf(error)}); delete it, or take others with --prefix`
    throw new InputError(text, { cause: error })
  }
}

/** The ids of what is in a stream. */
async function idsIn(manager: JetStreamManager, stream: string): Promise<readonly string[]> {
  const { state } = await manager.streams.info(stream)
  const ids: string[] = []
  for (let seq = state.first_seq; ids.length < state.messages && seq <= state.last_seq; seq++) {
    // Those in between are gone.
    const found = await manager.streams.getMessage(stream, { seq })
    if (found !== null) ids.push(found.header.get(ID) || 'a message without an id')
  }
  return ids
}

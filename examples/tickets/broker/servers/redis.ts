/**
 * Redis: a stream for each queue, with a group whose consumers share it, and one behind it for dead letters. An entry that is taken back
 * comes again at once, so it is the pipelines that wait before they try again.
 */

import { createClient, type RedisClientType } from 'redis'
import { child, type Message, name } from 'sluice'
import { RedisPublisher, RedisStreamSource } from 'sluice/redis'
import { InputError } from '../../../command-line/input-error.ts'
import { reasonOf } from '../reason-of.ts'
import type { Delivered, Server, ServerQueue, ServerQueueOptions } from '../server.ts'

/** The group of a stream: there is one. */
const GROUP = 'tickets'
/** Milliseconds. */
const TIMEOUT = 10_000
const RECONNECT = 200

type Fields = Readonly<Record<string, string>>

/** @param url `redis://user:password@host:6379/0` @throws `InputError` when it does not answer. */
export async function openServer(url: string): Promise<Server> {
  const { host } = new URL(url)
  let wasThere = false
  const client: RedisClientType = createClient({
    url,
    socket: { connectTimeout: TIMEOUT, reconnectStrategy: () => wasThere && RECONNECT },
    // While it is away nobody waits for it.
    disableOfflineQueue: true,
  })
  // What breaks it is told by who uses it.
  client.on('error', () => {})
  try {
    await client.connect()
    wasThere = true
  } catch (error) {
    throw new InputError(`redis://${host} does not answer (${reasonOf(error)}); expected a Redis server`, {
      cause: error,
    })
  }
  return {
    name: `Redis at ${host}`,
    children: [child(RedisPublisher, { name: RedisPublisher, arg: { connection: url } })],
    triesAgain: false,
    queue: (options) => queueAt(url, client, options),
    close: async () => client.destroy(),
  }
}

async function queueAt(url: string, client: RedisClientType, options: ServerQueueOptions): Promise<ServerQueue> {
  const { name: stream, lostAfter, givesUp } = options
  class Source extends RedisStreamSource {
    constructor() {
      super({
        connection: url,
        stream,
        group: GROUP,
        claimIdle: lostAfter,
        // What is left is what is in the stream.
        deleteAcked: true,
        deadLetters: `${stream}_dead`,
        onFailure: (message) => (givesUp(message) ? 'dead_letter' : { retryAfter: 0 }),
      })
    }
  }
  return {
    waiting: await sizeOf(client, stream),
    module: Source,
    read: (message: Message<Fields, string, { readonly deliveries: number }>): Delivered => {
      const { id, content = '' } = message.data
      return { message, content, id, deliveries: message.metadata.deliveries }
    },
    publish: async (messages, signal) => {
      const { call } = name(RedisPublisher).with({ signal, timeout: Infinity })
      await call.publishMany(messages.map(({ id, content }) => ({ stream, fields: { id, content } })))
    },
    state: async () => {
      try {
        const [entries, { pending: unanswered }] = await Promise.all([
          client.xLen(stream),
          client.xPending(stream, GROUP),
        ])
        return { ready: entries - unanswered, unanswered }
      } catch {
        // There is no group yet, or no connection.
        return undefined
      }
    },
    left: async () => {
      const entries = (await client.xRange(stream, '-', '+')) ?? []
      return entries.map(({ message }) => message['id'] ?? 'a message without an id')
    },
  }
}

async function sizeOf(client: RedisClientType, stream: string): Promise<number> {
  try {
    return await client.xLen(stream)
  } catch (error) {
    const text = `${stream} is no stream (${reasonOf(error)}); delete it, or take another one with --prefix`
    throw new InputError(text, { cause: error })
  }
}

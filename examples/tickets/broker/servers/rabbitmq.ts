/**
 * RabbitMQ: each queue has one of dead letters behind it. What the server takes back it delivers again at once, so it is the pipelines
 * that wait before they try again.
 */

import { type Channel, type ChannelModel, connect } from 'amqplib'
import { CallError, child, type Message, name } from 'sluice'
import { type RabbitMQMetadata, RabbitMQPublisher, RabbitMQSource } from 'sluice/rabbitmq'
import { InputError } from '../../../command-line/input-error.ts'
import { reasonOf } from '../reason-of.ts'
import type { Delivered, Server, ServerQueue, ServerQueueOptions } from '../server.ts'

type Metadata = RabbitMQMetadata<'messageId' | 'redelivered'>

/** @param url `amqp://user:password@host:5672/virtual-host` @throws `InputError` when it does not answer. */
export async function openServer(url: string): Promise<Server> {
  const model = await connected(url)
  return {
    name: `RabbitMQ at ${new URL(url).host}`,
    children: [
      child(RabbitMQPublisher, { name: RabbitMQPublisher, arg: { connection: url, name: 'tickets, publisher' } }),
    ],
    triesAgain: false,
    queue: async (options) => queueAt(url, options, await declared(model, options.name)),
    close: () => model.close().catch(() => {}),
  }
}

function queueAt(url: string, options: ServerQueueOptions, waiting: number): ServerQueue {
  const { name: queue, pipeline, prefetch, lostAfter, givesUp } = options
  class Source extends RabbitMQSource<'messageId' | 'redelivered'> {
    constructor() {
      super({
        connection: url,
        name: `tickets, ${pipeline}`,
        queue,
        declare: { arguments: argumentsOf(queue) },
        qos: { prefetchCount: prefetch },
        metadata: ['messageId', 'redelivered'],
        onFailure: (message) => (givesUp(message) ? 'reject' : 'reject_and_requeue'),
        redeliverLostAfter: lostAfter,
      })
    }
  }
  return {
    waiting,
    module: Source,
    read: (message: Message<Buffer, string, Metadata>): Delivered => {
      const { messageId, redelivered } = message.metadata
      return { message, content: String(message.data), id: messageId, deliveries: redelivered ? 2 : 1 }
    },
    publish: async (messages, signal) => {
      const { call } = name(RabbitMQPublisher).with({ signal, timeout: Infinity })
      await call.publishMany(
        messages.map(({ id, content }) => ({
          routingKey: queue,
          content,
          contentType: 'application/json',
          messageId: id,
        })),
      )
    },
    state: async () => {
      try {
        const { waiting: ready, unanswered } = await name(Source, `${pipeline}.Broadway.Producer_0`).call.stats()
        return ready === undefined ? undefined : { ready, unanswered }
      } catch (error) {
        if (error instanceof CallError) return undefined
        throw error
      }
    },
    left: () => idsIn(url, queue),
  }
}

const deadLetters = (queue: string) => `${queue}.dead`

const argumentsOf = (queue: string) => ({
  'x-dead-letter-exchange': '',
  'x-dead-letter-routing-key': deadLetters(queue),
})

async function connected(url: string): Promise<ChannelModel> {
  try {
    const model = await connect(url, { timeout: 10_000 })
    // What breaks it is told by who uses it.
    model.on('error', () => {})
    return model
  } catch (error) {
    const { protocol, host, pathname } = new URL(url)
    const text = `${protocol}//${host}${pathname} does not answer (${reasonOf(error)}); expected a RabbitMQ server`
    throw new InputError(text, { cause: error })
  }
}

/** Sees to it that a queue and the one for its dead letters are there. Gives how many messages wait in it. */
async function declared(model: ChannelModel, queue: string): Promise<number> {
  let channel: Channel | undefined
  try {
    channel = await model.createChannel()
    channel.on('error', () => {})
    await channel.assertQueue(deadLetters(queue), { durable: true })
    const { messageCount } = await channel.assertQueue(queue, { durable: true, arguments: argumentsOf(queue) })
    await channel.close()
    return messageCount
  } catch (error) {
    const text = `the queue ${queue} cannot be declared (${reasonOf(error)}); delete it, or take others with --prefix`
    throw new InputError(text, { cause: error })
  }
}

/** The ids of what is in a queue. It stays there, as something that was delivered before. */
async function idsIn(url: string, queue: string): Promise<readonly string[]> {
  const model = await connect(url)
  try {
    const channel = await model.createChannel()
    const ids: string[] = []
    await channel.consume(queue, (message) => {
      const id: unknown = message?.properties.messageId
      if (message !== null) ids.push(typeof id === 'string' ? id : 'a message without an id')
    })
    // What was sent on a channel is there before the next answer on it.
    while ((await channel.checkQueue(queue)).messageCount > 0);
    return ids
  } finally {
    await model.close()
  }
}

/** One queue of RabbitMQ: its producer, and what is known of it from outside. */

import { type Channel, connect } from 'amqplib'
import { CallError, Message, name } from 'sluice'
import {
  type Answer,
  type RabbitMQMetadata,
  RabbitMQPublisher,
  RabbitMQSource,
  type RabbitMQSourceStats,
} from 'sluice/rabbitmq'
import type { RabbitMQAck } from 'sluice/telemetry'
import {
  ATTEMPTS,
  type BrokerQueue,
  type BrokerSource,
  CAPACITY,
  type Delivery,
  type Patience,
  type QueueAccount,
  type QueueStats,
} from './broker.ts'

export interface RabbitMQQueueOptions<T> extends Patience {
  readonly url: string
  readonly name: string
  /** Messages in it at the beginning. */
  readonly waiting: number
  /** Who handles them. */
  readonly pipeline: string
  readonly prefetch: number
  /** What a message says; `undefined` when it says something else. */
  readonly read: (json: unknown) => T | undefined
  /** Of the booking that a message is about. */
  readonly idOf: (data: T) => string
}

type Metadata = RabbitMQMetadata<'messageId' | 'redelivered'>

interface KnownDelivery extends Delivery {
  readonly id: string
}

/** When a message is handled again that has failed, and one that a killed process had. */
const RETRY = { calm: { min: 100, lost: 30_000 }, chaos: { min: 50, lost: 1_000 } }

/** What is somebody else's may have no id. */
const UNKNOWN = 'a message without an id'

const deadLetters = (queue: string) => `${queue}.dead`

const argumentsOf = (queue: string) => ({
  'x-dead-letter-exchange': '',
  'x-dead-letter-routing-key': deadLetters(queue),
})

/** Declares a queue, and the one for its dead letters. Gives how many messages wait in it. */
export async function declare(channel: Channel, queue: string): Promise<number> {
  await channel.assertQueue(deadLetters(queue), { durable: true })
  const { messageCount } = await channel.assertQueue(queue, { durable: true, arguments: argumentsOf(queue) })
  return messageCount
}

export class RabbitMQQueue<T> implements BrokerQueue<T> {
  readonly name: string
  readonly waiting: number
  readonly source: BrokerSource<T> & { readonly module: new () => RabbitMQSource<'messageId' | 'redelivered'> }
  readonly retry: BrokerQueue<T>['retry']
  readonly #options: RabbitMQQueueOptions<T>
  /** Published by this program. */
  #published = 0
  #redelivered = 0
  /** Messages without an id. */
  #unknown = 0
  /** Answers that were given for good. */
  #done = 0
  /** The ids of the bookings that were given up. */
  readonly #dead = new Set<string>()

  constructor(options: RabbitMQQueueOptions<T>) {
    const { url, chaos, name: queue, waiting, pipeline, prefetch } = options
    const { min, lost } = chaos ? RETRY.chaos : RETRY.calm
    const onFailure = (message: Message<unknown, string, never>) => this.#failed(message)
    this.#options = options
    this.name = queue
    this.waiting = waiting
    this.retry = { attempts: ATTEMPTS, backoff: { type: 'exp', min } }
    class Source extends RabbitMQSource<'messageId' | 'redelivered'> {
      constructor() {
        super({
          connection: url,
          name: `tickets, ${pipeline}`,
          queue,
          declare: { arguments: argumentsOf(queue) },
          qos: { prefetchCount: prefetch },
          metadata: ['messageId', 'redelivered'],
          onFailure,
          redeliverLostAfter: lost,
        })
      }
    }
    this.source = { module: Source, read: (message: Message<Buffer, string, Metadata>) => this.#read(message) }
  }

  async publish(data: readonly T[], signal?: AbortSignal): Promise<void> {
    const { idOf } = this.#options
    await name(RabbitMQPublisher)
      .with({ signal, timeout: Infinity })
      .call.publishMany(
        data.map((each) => ({
          routingKey: this.name,
          content: JSON.stringify(each),
          contentType: 'application/json',
          messageId: idOf(each),
        })),
      )
    this.#published += data.length
  }

  async hasRoom(): Promise<boolean> {
    const { ready = CAPACITY } = (await this.#stats()) ?? {}
    return ready < CAPACITY
  }

  async isDone(): Promise<boolean> {
    const stats = await this.#stats()
    return stats?.ready === 0 && stats.unanswered === 0
  }

  async stats(): Promise<QueueStats> {
    const { ready, unanswered = 0 } = (await this.#stats()) ?? {}
    return { ready, inHand: unanswered, delayed: 0, dead: this.#dead.size, done: this.#done }
  }

  async account(): Promise<QueueAccount> {
    const left = await this.#left()
    const dead = [...this.#dead].filter((id) => !left.includes(id))
    return {
      accepted: this.waiting + this.#published,
      stored: [...left.map((id) => ({ id, isDead: false })), ...dead.map((id) => ({ id, isDead: true }))],
      retried: this.#redelivered,
    }
  }

  /** A source has answered for messages. */
  answered({ process, answer, messages }: RabbitMQAck): void {
    if (answer !== 'requeue' && process.includes(`(${sourceOf(this.#options.pipeline)})`)) this.#done += messages
  }

  /** `undefined` when nobody is there to say it. */
  async #stats(): Promise<RabbitMQSourceStats | undefined> {
    try {
      return await name(this.source.module, sourceOf(this.#options.pipeline)).call.stats()
    } catch (error) {
      if (error instanceof CallError) return undefined
      throw error
    }
  }

  #read(message: Message<Buffer, string, Metadata>): Message<T | undefined, string, KnownDelivery> {
    const { acknowledger, ackRef, ackData, metadata } = message
    const { messageId, redelivered } = metadata
    if (redelivered) this.#redelivered++
    const data = this.#options.read(parsed(message.data))
    return new Message(data, {
      acknowledger,
      ackRef,
      ackData,
      metadata: { attempts: redelivered ? 2 : 1, id: messageId ?? `${UNKNOWN}, ${++this.#unknown}` },
    })
  }

  /** One that is interrupted in its attempts, as by the end of the program, comes again. */
  #failed({ attempts, metadata }: Message<unknown, string, never>): Answer {
    if (attempts < ATTEMPTS) return 'reject_and_requeue'
    const { id }: KnownDelivery = metadata
    this.#dead.add(id)
    return 'reject'
  }

  /** The ids of what is in the queue. It stays there, as something that was delivered before. */
  async #left(): Promise<readonly string[]> {
    const model = await connect(this.#options.url)
    try {
      const channel = await model.createChannel()
      const ids: string[] = []
      await channel.consume(this.name, (message) => {
        const id: unknown = message?.properties.messageId
        if (message !== null) ids.push(typeof id === 'string' ? id : UNKNOWN)
      })
      // What was sent on a channel is there before the next answer on it.
      while ((await channel.checkQueue(this.name)).messageCount > 0);
      return ids
    } finally {
      await model.close()
    }
  }
}

/** The name of the producer of a pipeline. */
function sourceOf(pipeline: string): string {
  return `${pipeline}.Broadway.Producer_0`
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(String(bytes))
  } catch {
    return undefined
  }
}

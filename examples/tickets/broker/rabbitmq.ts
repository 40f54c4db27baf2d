/**
 * RabbitMQ: `bookings_queue` and `notifications_queue`, each with a queue of dead letters behind it. What it takes back it delivers
 * again at once, so it is the pipelines that wait before they try again.
 */

import { type ChannelModel, connect } from 'amqplib'
import { child } from 'sluice'
import { RabbitMQPublisher } from 'sluice/rabbitmq'
import { channels, type RabbitMQAck } from 'sluice/telemetry'
import { InputError } from '../../command-line/input-error.ts'
import { bookingIn, confirmationIn } from '../booking.ts'
import type { Broker, Patience } from './broker.ts'
import { declare, RabbitMQQueue } from './rabbitmq-queue.ts'

export interface RabbitMQOptions extends Patience {
  /** `amqp://user:password@host:5672/virtual-host` */
  readonly url: string
  /** In front of the names of the queues. */
  readonly prefix: string
}

/** @throws `InputError` when it does not answer, or has such queues of another kind. */
export async function rabbitmq({ url, prefix, chaos }: RabbitMQOptions): Promise<Broker> {
  const [bookingsName, confirmationsName] = [`${prefix}bookings_queue`, `${prefix}notifications_queue`]
  const [waitingBookings = 0, waitingConfirmations = 0] = await prepare(url, [bookingsName, confirmationsName])
  const bookings = new RabbitMQQueue({
    url,
    chaos,
    name: bookingsName,
    waiting: waitingBookings,
    pipeline: 'selling',
    prefetch: 500,
    read: bookingIn,
    idOf: ({ id }) => id,
  })
  const confirmations = new RabbitMQQueue({
    url,
    chaos,
    name: confirmationsName,
    waiting: waitingConfirmations,
    pipeline: 'telling',
    // The windows of many buyers are open at the same time.
    prefetch: 5_000,
    read: confirmationIn,
    idOf: ({ booking }) => booking,
  })
  const answered = (ack: RabbitMQAck) => {
    bookings.answered(ack)
    confirmations.answered(ack)
  }
  channels.rabbitmqAck.subscribe(answered)
  return {
    name: `RabbitMQ at ${new URL(url).host}`,
    isShared: true,
    children: [
      child(RabbitMQPublisher, { name: RabbitMQPublisher, arg: { connection: url, name: 'tickets, publisher' } }),
    ],
    bookings,
    confirmations,
    close: async () => void channels.rabbitmqAck.unsubscribe(answered),
  }
}

/** Sees to it that the queues are there. Gives how many messages wait in each. */
async function prepare(url: string, queues: readonly string[]): Promise<readonly number[]> {
  let model: ChannelModel | undefined
  try {
    model = await connect(url, { timeout: 10_000 })
    // What breaks it is told by who uses it.
    model.on('error', () => {})
    const channel = await model.createChannel()
    channel.on('error', () => {})
    const waiting: number[] = []
    for (const queue of queues) waiting.push(await declare(channel, queue))
    return waiting
  } catch (error) {
    const { protocol, host, pathname } = new URL(url)
    const reason = reasonOf(error)
    const text =
      model === undefined
        ? `${protocol}//${host}${pathname} does not answer (${reason}); expected a RabbitMQ server`
        : `the queues ${queues.join(' and ')} cannot be declared (${reason}); delete them, or take others with --prefix`
    throw new InputError(text, { cause: error })
  } finally {
    await model?.close().catch(() => {})
  }
}

/** A host with several addresses fails once for each, in an error without a message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  return error instanceof Error ? error.message : String(error)
}

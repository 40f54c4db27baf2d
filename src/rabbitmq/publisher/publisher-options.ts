/** The options of a publisher, checked. */

import type { BackoffOptions } from '../../connector/backoff.ts'
import { RECONNECT_OPTIONS, type ReconnectOptions, readReconnect } from '../../connector/reconnect-options.ts'
import { amqplibClient } from '../client/amqplib-client.ts'
import type { AmqpChannel, AmqpClient } from '../client/port.ts'
import { type CheckedConnection, type ConnectionOptions, readConnection } from '../options/connection-options.ts'
import { rabbitMQOptions } from '../options/option-reader.ts'

export interface RabbitMQPublisherOptions extends ReconnectOptions {
  /** Default `amqp://guest:guest@localhost:5672`. */
  readonly connection?: string | ConnectionOptions | undefined
  /** What the server shows as its connection. */
  readonly name?: string | undefined
  /** Where messages go that name no other. Default empty: to the queue of the name `routingKey`. */
  readonly exchange?: string | undefined
  /** Default empty. */
  readonly routingKey?: string | undefined
  /** Messages survive a restart of the server, in a durable queue. Default true. */
  readonly persistent?: boolean | undefined
  /** A message that no queue would get is an error, and not thrown away. Default true. */
  readonly mandatory?: boolean | undefined
  /** Messages sent ahead of their confirmation, >= 1. Default 1000. */
  readonly maxUnconfirmed?: number | undefined
  /** Messages that may wait behind them, >= 0. Default 100000. */
  readonly maxWaiting?: number | undefined
  /** Runs on each new channel: the place to declare exchanges. What it throws is a failed attempt to connect. */
  readonly afterConnect?: ((channel: AmqpChannel) => unknown) | undefined
  /** The client to use. Default amqplib. */
  readonly client?: (() => AmqpClient) | undefined
}

export interface CheckedPublisherOptions {
  readonly connection: CheckedConnection
  readonly exchange: string
  readonly routingKey: string
  readonly persistent: boolean
  readonly mandatory: boolean
  readonly maxUnconfirmed: number
  readonly maxWaiting: number
  readonly afterConnect: ((channel: AmqpChannel) => unknown) | undefined
  readonly backoff: BackoffOptions
  readonly client: () => AmqpClient
}

const OPTIONS = [
  'connection',
  'name',
  'exchange',
  'routingKey',
  'persistent',
  'mandatory',
  'maxUnconfirmed',
  'maxWaiting',
  'afterConnect',
  ...RECONNECT_OPTIONS,
  'client',
]

/** @throws `RabbitMQError` `bad_options`. */
export function readPublisherOptions(owner: string, given: unknown): CheckedPublisherOptions {
  const options = rabbitMQOptions(owner, given, OPTIONS)
  const connection = readConnection(owner, options.get('connection'), options.string('name'))
  if (connection.pool !== undefined)
    throw options.bad('connection', 'an AMQP URI or its parts: a publisher shares no channel')
  return {
    connection,
    exchange: options.string('exchange') ?? '',
    routingKey: options.string('routingKey') ?? '',
    persistent: options.boolean('persistent') ?? true,
    mandatory: options.boolean('mandatory') ?? true,
    maxUnconfirmed: options.integer('maxUnconfirmed', 1) ?? 1000,
    maxWaiting: options.integer('maxWaiting', 0) ?? 100_000,
    afterConnect: options.method('afterConnect', 'a function of a channel'),
    backoff: readReconnect(options),
    client: options.method('client', 'a function that gives a client') ?? (() => amqplibClient),
  }
}

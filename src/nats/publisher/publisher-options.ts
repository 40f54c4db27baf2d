/** The options of a publisher, checked. */

import { RECONNECT_OPTIONS, type ReconnectOptions, readReconnect } from '../../connector/reconnect-options.ts'
import { natsIoClient } from '../client/nats-io-client.ts'
import type { NatsClient } from '../client/port.ts'
import type { LinkOptions } from '../connection/link.ts'
import { type ConnectionOption, readConnection } from '../options/connection-options.ts'
import { natsOptions } from '../options/option-reader.ts'

export interface NatsPublisherOptions extends ReconnectOptions {
  /** Default `nats://localhost:4222`. */
  readonly connection?: ConnectionOption | undefined
  /** What the server shows as the connection. */
  readonly name?: string | undefined
  /** The subject of messages that name no other. */
  readonly subject?: string | undefined
  /** Messages sent ahead of their confirmation, >= 1. Default 500. */
  readonly maxUnconfirmed?: number | undefined
  /** Messages that may wait behind them, >= 0. Default 100000. */
  readonly maxWaiting?: number | undefined
  /** The client to use. Default that of NATS. */
  readonly client?: (() => NatsClient) | undefined
}

export interface CheckedPublisherOptions extends LinkOptions {
  readonly subject: string | undefined
  readonly maxUnconfirmed: number
  readonly maxWaiting: number
}

const OPTIONS = ['connection', 'name', 'subject', 'maxUnconfirmed', 'maxWaiting', ...RECONNECT_OPTIONS, 'client']

/** @throws `NatsError` `bad_options`. */
export function readPublisherOptions(owner: string, given: unknown): CheckedPublisherOptions {
  const options = natsOptions(owner, given, OPTIONS)
  return {
    connection: readConnection(owner, options.get('connection'), options.string('name')),
    subject: options.string('subject'),
    maxUnconfirmed: options.integer('maxUnconfirmed', 1) ?? 500,
    maxWaiting: options.integer('maxWaiting', 0) ?? 100_000,
    backoff: readReconnect(options),
    client: options.method('client', 'a function that gives a client') ?? (() => natsIoClient),
  }
}

/** The options of a publisher, checked. */

import type { ClientConfig } from '@google-cloud/pubsub'
import type { BackoffOptions } from '../../connector/backoff.ts'
import { RECONNECT_OPTIONS, type ReconnectOptions, readReconnect } from '../../connector/reconnect-options.ts'
import { pubSubOptions, readConfig, readResource } from '../options/option-reader.ts'
import type { MakeClient } from '../options/source-options.ts'

export interface PubSubPublisherOptions extends ReconnectOptions {
  /** `projects/<project>/topics/<topic>`. */
  readonly topic: string
  /** Settings of the client: `projectId`, `keyFilename`, `apiEndpoint` ... Default: what the environment says. */
  readonly config?: ClientConfig | undefined
  /** Batches of up to 1000 messages under way at the same time, >= 1. Default 1, which keeps the order of the calls. */
  readonly maxRequests?: number | undefined
  /** Messages that may wait behind them, >= 0. Default 100000. */
  readonly maxWaiting?: number | undefined
  /** The client to use, closed by whoever gives it; `restClient` makes one that needs no package. Default that of Google. */
  readonly client?: MakeClient | undefined
}

export interface CheckedPublisherOptions {
  readonly topic: string
  readonly config: object
  readonly maxRequests: number
  readonly maxWaiting: number
  readonly backoff: BackoffOptions
  readonly client: MakeClient | undefined
}

const OPTIONS = ['topic', 'config', 'maxRequests', 'maxWaiting', ...RECONNECT_OPTIONS, 'client']

/** @throws `PubSubError` `bad_options`. */
export function readPublisherOptions(owner: string, given: unknown): CheckedPublisherOptions {
  const options = pubSubOptions(owner, given, OPTIONS)
  return {
    topic: readResource(options, 'topic'),
    config: readConfig(options),
    maxRequests: options.integer('maxRequests', 1) ?? 1,
    maxWaiting: options.integer('maxWaiting', 0) ?? 100_000,
    backoff: readReconnect(options),
    client: options.method('client', 'a function that gives a client'),
  }
}

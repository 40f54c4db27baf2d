/** The options of a publisher, checked. */

import type { SQSClientConfig } from '@aws-sdk/client-sqs'
import type { BackoffOptions } from '../../connector/backoff.ts'
import { RECONNECT_OPTIONS, type ReconnectOptions, readReconnect } from '../../connector/reconnect-options.ts'
import type { SqsClient } from '../client/port.ts'
import { readConfig, readQueueUrl, sqsOptions } from '../options/option-reader.ts'

export interface SqsPublisherOptions extends ReconnectOptions {
  readonly queueUrl: string
  /** Settings of the client: `region`, `endpoint`, `credentials` ... Default: what the environment says. */
  readonly config?: SQSClientConfig | undefined
  /** Requests of up to ten messages under way at the same time, >= 1. Default 1 for FIFO queues, which keeps the order, or else 10. */
  readonly maxRequests?: number | undefined
  /** Messages that may wait behind them, >= 0. Default 100000. */
  readonly maxWaiting?: number | undefined
  /** The client to use, closed by whoever gives it. Default that of @aws-sdk/client-sqs. */
  readonly client?: (() => SqsClient | Promise<SqsClient>) | undefined
}

export interface CheckedPublisherOptions {
  readonly queueUrl: string
  readonly config: object
  readonly maxRequests: number
  readonly maxWaiting: number
  readonly backoff: BackoffOptions
  readonly client: (() => SqsClient | Promise<SqsClient>) | undefined
}

const OPTIONS = ['queueUrl', 'config', 'maxRequests', 'maxWaiting', ...RECONNECT_OPTIONS, 'client']

/** @throws `SqsError` `bad_options`. */
export function readPublisherOptions(owner: string, given: unknown): CheckedPublisherOptions {
  const options = sqsOptions(owner, given, OPTIONS)
  const queueUrl = readQueueUrl(options)
  return {
    queueUrl,
    config: readConfig(options),
    maxRequests: options.integer('maxRequests', 1) ?? (queueUrl.endsWith('.fifo') ? 1 : 10),
    maxWaiting: options.integer('maxWaiting', 0) ?? 100_000,
    backoff: readReconnect(options),
    client: options.method('client', 'a function that gives a client'),
  }
}

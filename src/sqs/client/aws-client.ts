/** The client that is used unless another one is given: that of AWS, an optional peer dependency, loaded here and nowhere else. */

import type { SQSClientConfig } from '@aws-sdk/client-sqs'
import { loadPackage } from '../../connector/load-package.ts'
import { SqsError } from '../errors.ts'
import type { SqsClient } from './port.ts'

/** A client that its user has to close. */
export interface OwnClient extends SqsClient {
  destroy(): void
}

/** Milliseconds that a request may take beyond the time for which it waits for messages. */
const PATIENCE = 10_000

/** @param wait Milliseconds that a request waits for messages at most. */
export async function awsClient(config: SQSClientConfig, wait: number): Promise<OwnClient> {
  const { SQS } = await loadPackage(
    'sluice/sqs',
    '@aws-sdk/client-sqs',
    () => import('@aws-sdk/client-sqs'),
    (text, cause) => new SqsError('missing_package', text, cause),
  )
  const { credentials } = config
  return new SQS({
    // A server that went away without a word would have its answer waited for for ever.
    requestHandler: { connectionTimeout: PATIENCE, requestTimeout: wait + PATIENCE, throwOnRequestTimeout: true },
    ...config,
    // The client notes in them where they come from, and options are frozen.
    ...(typeof credentials === 'object' ? { credentials: { ...credentials } } : undefined),
  })
}

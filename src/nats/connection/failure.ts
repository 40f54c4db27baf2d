/** What went wrong with a server, in a word; and in a text without secrets. */

import { inspect } from 'node:util'
import { failureText } from '../../connector/failure-report.ts'
import type { NatsTarget } from '../client/port.ts'
import { NatsError } from '../errors.ts'

/**
 * - `econnrefused`: nothing listens there.
 * - `unknown_host`: the name of the host is not known.
 * - `auth_failure`: wrong user, password, token or credentials.
 * - `timeout`: no answer in time.
 * - `tls`: the certificate of the server is not trusted, or the like.
 * - `no_jetstream`: the server has no JetStream, or it is not ready yet.
 * - `not_found`: the stream or the consumer is not there.
 * - `differs`: the stream or the consumer is not as it is declared.
 * - `pull_failed`: the server ended a request for messages, or nothing is heard of it any more.
 * - `refused`: the server refused what was declared or published.
 * - `other`: something else.
 */
export type FailureReason =
  | 'econnrefused'
  | 'unknown_host'
  | 'auth_failure'
  | 'timeout'
  | 'tls'
  | 'no_jetstream'
  | 'not_found'
  | 'differs'
  | 'pull_failed'
  | 'refused'
  | 'other'

/** Never again: it would fail each time. */
export function isFatal(error: unknown): boolean {
  return error instanceof NatsError && (error.code === 'bad_options' || error.code === 'missing_package')
}

export function failureReason(error: unknown): FailureReason {
  if (error instanceof NatsError) {
    const { code } = error
    if (code === 'not_found' || code === 'differs' || code === 'pull_failed') return code
  }
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    const reason = reasonOf(at)
    if (reason !== undefined) return reason
  }
  return 'other'
}

function reasonOf(error: Error): FailureReason | undefined {
  const code: unknown = Reflect.get(error, 'code')
  if (code === 'ECONNREFUSED') return 'econnrefused'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'unknown_host'
  if (error.name === 'AuthorizationError' || error.name === 'UserAuthenticationExpiredError') return 'auth_failure'
  if (error.name === 'TimeoutError') return 'timeout'
  if (error.name === 'JetStreamNotEnabled' || error.name === 'NoResponders') return 'no_jetstream'
  if (error.name === 'JetStreamApiError') return 'refused'
  return /certificate|tls|ssl/i.test(error.message) ? 'tls' : undefined
}

/** The text and the error as the log may have them. */
export function withoutSecrets(
  error: unknown,
  { password, token }: Pick<NatsTarget, 'password' | 'token'>,
): { readonly text: string; readonly err: unknown } {
  const told = failureText(error)
  const secrets = [password, token].filter((secret) => secret !== undefined && secret !== '')
  const text = secrets.reduce<string>((safe, secret = '') => safe.replaceAll(secret, '***'), told)
  const clean = text === told && !secrets.some((secret = '') => inspect(error).includes(secret))
  return { text, err: clean ? error : undefined }
}

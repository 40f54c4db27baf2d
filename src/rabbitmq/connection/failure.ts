/** What went wrong with a connection, in a word and in a sentence that holds no password. */

import { inspect } from 'node:util'
import { failureText } from '../../connector/failure-report.ts'
import { RabbitMQError } from '../errors.ts'

/**
 * - `econnrefused`: nothing listens there.
 * - `unknown_host`: the name of the host is not known.
 * - `auth_failure`: wrong user or password.
 * - `not_allowed`: the user may not use the virtual host, or there is none of that name.
 * - `timeout`: no answer in time.
 * - `socket_closed`: the connection broke while it was made.
 * - `tls`: the certificate of the server is not trusted, or ours is not, or the other side speaks no TLS.
 * - `not_found`: the queue or the exchange does not exist.
 * - `refused`: the server refused what was declared, bound or consumed, as when the queue exists with other arguments.
 * - `other`: something else, such as an error of `afterConnect`.
 */
export type ConnectionFailureReason =
  | 'econnrefused'
  | 'unknown_host'
  | 'auth_failure'
  | 'not_allowed'
  | 'timeout'
  | 'socket_closed'
  | 'tls'
  | 'not_found'
  | 'refused'
  | 'other'

const BY_CODE: Readonly<Record<string, ConnectionFailureReason>> = {
  ECONNREFUSED: 'econnrefused',
  ENOTFOUND: 'unknown_host',
  EAI_AGAIN: 'unknown_host',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'socket_closed',
  EPIPE: 'socket_closed',
  setup_timeout: 'timeout',
  403: 'refused',
  404: 'not_found',
  405: 'refused',
  406: 'refused',
}

/** The codes of OpenSSL and of `node:tls`. Source: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const TLS = /^(ERR_SSL|ERR_TLS|EPROTO$|UNABLE_TO_|HOSTNAME_MISMATCH$)|CERT|^CRL_/

const BY_TEXT: readonly (readonly [RegExp, ConnectionFailureReason])[] = [
  [/ACCESS.REFUSED/, 'auth_failure'],
  [/NOT.ALLOWED/, 'not_allowed'],
  [/ETIMEDOUT|[Tt]imeout/, 'timeout'],
  [/[Ss]ocket|closed/, 'socket_closed'],
]

export function failureReason(error: unknown): ConnectionFailureReason {
  const code: unknown = Reflect.get(Object(error), 'code')
  const found = BY_CODE[String(code)]
  if (found !== undefined) return found
  if (TLS.test(String(code))) return 'tls'
  const text = error instanceof Error ? error.message : String(error)
  return BY_TEXT.find(([pattern]) => pattern.test(text))?.[1] ?? 'other'
}

/** No attempt would go better: the program has to be changed. */
export function isFatal(error: unknown): boolean {
  return error instanceof RabbitMQError && (error.code === 'bad_options' || error.code === 'missing_package')
}

/** A failure as the log may have it. */
export interface SafeFailure {
  readonly text: string
  /** Only when it does not hold the password. */
  readonly err: unknown
}

export function withoutPassword(error: unknown, password: string): SafeFailure {
  const message = failureText(error)
  if (password === '') return { text: message, err: error }
  const text = [password, encodeURIComponent(password)].reduce(
    (safe, secret) => safe.replaceAll(secret, '***'),
    message,
  )
  return { text, err: text === message && !inspect(error).includes(password) ? error : undefined }
}

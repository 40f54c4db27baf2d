/** What went wrong with a server, in a word; and in a text without the password. */

import { inspect } from 'node:util'
import { failureText } from '../../connector/failure-report.ts'
import { RedisError } from '../errors.ts'

/**
 * - `econnrefused`: nothing listens there.
 * - `unknown_host`: the name of the host is not known.
 * - `auth_failure`: wrong user or password, or none was given.
 * - `timeout`: no answer in time.
 * - `tls`: the certificate of the server is not trusted, or the like.
 * - `socket_closed`: the connection broke.
 * - `loading`: the server is not ready yet.
 * - `read_only`: the server is a replica, maybe since another one has taken its place.
 * - `cluster`: the key is on another server of a Redis Cluster, or the cluster is down.
 * - `other`: something else.
 */
export type FailureReason =
  | 'econnrefused'
  | 'unknown_host'
  | 'auth_failure'
  | 'timeout'
  | 'tls'
  | 'socket_closed'
  | 'loading'
  | 'read_only'
  | 'cluster'
  | 'other'

const BY_CODE: Readonly<Record<string, FailureReason>> = {
  ECONNREFUSED: 'econnrefused',
  ENOTFOUND: 'unknown_host',
  EAI_AGAIN: 'unknown_host',
  ETIMEDOUT: 'timeout',
  ECONNRESET: 'socket_closed',
  EPIPE: 'socket_closed',
}

const BY_TEXT: readonly (readonly [RegExp, FailureReason])[] = [
  [/^(WRONGPASS|NOAUTH|NOPERM|ERR AUTH|ERR invalid password)/, 'auth_failure'],
  [/^LOADING/, 'loading'],
  [/^(READONLY|MASTERDOWN|UNBLOCKED|ERR .*-READONLY)/, 'read_only'],
  [/^(MOVED|ASK|CROSSSLOT|CLUSTERDOWN|TRYAGAIN)/, 'cluster'],
  [/timeout/i, 'timeout'],
  [/certificate|tls|ssl/i, 'tls'],
  [/socket|closed/i, 'socket_closed'],
]

/** Never again: it would fail each time. */
export function isFatal(error: unknown): boolean {
  return error instanceof RedisError && (error.code === 'bad_options' || error.code === 'missing_package')
}

export function failureReason(error: unknown): FailureReason {
  const found = BY_CODE[String(Reflect.get(Object(error), 'code'))]
  if (found !== undefined) return found
  const text = error instanceof Error ? error.message : String(error)
  return BY_TEXT.find(([pattern]) => pattern.test(text))?.[1] ?? 'other'
}

/** The text and the error as the log may have them. */
export function withoutPassword(
  error: unknown,
  password: string | undefined,
): { readonly text: string; readonly err: unknown } {
  const told = failureText(error)
  if (password === undefined || password === '') return { text: told, err: error }
  const text = told.replaceAll(password, '***')
  return { text, err: text === told && !inspect(error).includes(password) ? error : undefined }
}

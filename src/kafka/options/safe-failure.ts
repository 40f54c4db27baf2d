/** A failure as the log may have it. */

import { inspect } from 'node:util'
import { failureText } from '../../connector/failure-report.ts'

export interface SafeFailure {
  readonly text: string
  /** Only when it holds no secret. */
  readonly err: unknown
}

export function safeFailure(error: unknown, secrets: readonly string[]): SafeFailure {
  const message = failureText(error)
  if (secrets.length === 0) return { text: message, err: error }
  const text = secrets.reduce((safe, secret) => safe.replaceAll(secret, '***'), message)
  const shown = inspect(error, { depth: 6 })
  return { text, err: secrets.some((secret) => shown.includes(secret)) ? undefined : error }
}

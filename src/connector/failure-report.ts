/** Says in the log that a server could not be reached, or did not do what it was asked: the same words for each of them. */

import type { Process } from '../process/process.ts'

/** What went wrong, as the log may have it. */
export interface Failure {
  /** Without secrets. */
  readonly text: string
  /** Only when it holds no secret. */
  readonly err?: unknown
  /** In a word, where the server is one that has words for it. */
  readonly reason?: string | undefined
}

/** Milliseconds until it is tried again, after which everybody looks; `undefined` for never. */
export function reportFailure(process: Process, what: string, failure: Failure, retryIn: number | undefined): void {
  const { text, err, reason } = failure
  const word = reason === undefined ? '' : ` (${reason})`
  const next = retryIn === undefined ? 'it does not try again: backoffType is stop' : `it tries again in ${retryIn} ms`
  process.runtime.logger.error(
    { process: `${process}`, reason, retryIn, err },
    `${process} ${what}${word}: ${text}; ${next}`,
  )
}

/**
 * What an error says. Node has several in one, without a text, when a host such as `localhost` has several addresses; and what `fetch`
 * throws only has a cause that says something.
 */
export function failureText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.message === 'fetch failed' && error.cause !== undefined)
    return `${error.message}: ${failureText(error.cause)}`
  if (error.message !== '') return error.message
  const parts = error instanceof AggregateError ? error.errors.map(failureText) : []
  return parts.length > 0 ? parts.join('; ') : error.name
}

/** Waiting for a server, which may be away. */

import type { Link } from './link.ts'

/**
 * Waits for what a server answers, to the end: what it has given must not get lost. Only when the signal fires while there is no
 * connection is it given up, since then nothing is given.
 */
export function unlessAway<T>(signal: AbortSignal, link: Link | undefined, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      if (link?.isReady !== true) reject(signal.reason)
    }
    signal.addEventListener('abort', aborted)
    if (signal.aborted) aborted()
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted))
  })
}

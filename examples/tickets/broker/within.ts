/** Patience with a server: one that is frozen, or behind a broken network, neither answers nor fails. */

import { setTimeout } from 'node:timers/promises'

export class NoAnswer extends Error {}

/** @throws what `answer` rejects with; `NoAnswer` when it has not come after so many milliseconds. */
export async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  const come = new AbortController()
  const late = setTimeout(ms, undefined, { signal: come.signal }).then(() => {
    throw new NoAnswer(`no answer within ${ms} ms`)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    come.abort()
  }
}

/** What became of a promise, as a value: so that a test can wait for a failure later than it was caused. */

export interface Settlement<T> {
  readonly value?: T
  readonly error?: unknown
}

export function settlement<T>(promise: Promise<T>): Promise<Settlement<T>> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
}

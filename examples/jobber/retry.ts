/** How often a failed attempt is repeated, and after which time. */

export interface RetryOptions {
  /** Attempts after the first one. */
  readonly maxRetries: number
  /** Milliseconds before the first of them. */
  readonly delay: number
  /** Whether it stays at that, or doubles each time. */
  readonly backoff: Backoff
}

export type Backoff = (typeof BACKOFFS)[number]

export const BACKOFFS = ['constant', 'exponential'] as const

/** Milliseconds before a retry; the first is 1. */
export function delayBefore(retry: number, { delay, backoff }: RetryOptions): number {
  return backoff === 'constant' ? delay : delay * 2 ** (retry - 1)
}

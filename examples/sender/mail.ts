/** What the steps send, and with what: any function that sends one mail will do. */

/** The server has taken a mail. */
export interface Receipt {
  readonly address: string
  /** What it said to that. */
  readonly response: string
}

/**
 * Sends a mail to an address, and rejects when it is not taken. A `signal` that fires ends that: the connection is closed,
 * and nobody is left waiting.
 */
export type Send = (address: string, signal?: AbortSignal) => Promise<Receipt>

/** How many mails may be on their way at once, and how many milliseconds each may take. */
export interface Limits {
  readonly maxConcurrency: number
  readonly timeout: number
}

/** How long to wait before the next attempt to connect. */

/**
 * - `exp`: `min` first, then twice as long each time, up to `max`.
 * - `rand`: anything between `min` and `max`.
 * - `rand_exp`: longer and longer by chance, so that many who lost the server at once do not come back at once.
 * - `stop`: there is no next attempt.
 */
export type BackoffType = 'exp' | 'rand' | 'rand_exp' | 'stop'

export interface BackoffOptions {
  readonly type: BackoffType
  /** Milliseconds. */
  readonly min: number
  /** Milliseconds. */
  readonly max: number
}

/** Elixir: `AMQP`'s and `DBConnection.Backoff`. */
export class Backoff {
  readonly #options: BackoffOptions
  readonly #random: () => number
  #previous: number | undefined = undefined

  /** @param random Gives numbers in [0, 1). */
  constructor(options: BackoffOptions, random: () => number) {
    this.#options = options
    this.#random = random
  }

  /** Milliseconds to wait; `undefined` for ever. */
  next(): number | undefined {
    const { type, min, max } = this.#options
    switch (type) {
      case 'stop':
        return undefined
      case 'rand':
        return this.#between(min, max)
      case 'exp':
        this.#previous = this.#previous === undefined ? min : Math.min(Math.max(this.#previous * 2, 1), max)
        return this.#previous
      case 'rand_exp': {
        const previous = this.#previous ?? min
        const lower = Math.max(min, Math.floor(max / 3))
        this.#previous = this.#between(Math.min(previous, lower), Math.min(Math.max(previous * 3, 1), max))
        return this.#previous
      }
    }
  }

  /** The server was there. */
  reset(): void {
    this.#previous = undefined
  }

  #between(low: number, high: number): number {
    return low + Math.floor(this.#random() * (high - low + 1))
  }
}

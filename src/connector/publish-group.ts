/** Messages of one call to a publisher, whose caller waits until the server has all of them. */

import type { Later } from '../process/later.ts'

/** One message of several that was not published. */
export interface PublishFailure<E extends Error = Error> {
  /** Its place in what was given. */
  readonly index: number
  readonly error: E
}

export class PublishGroup<E extends Error = Error> {
  readonly #later: Later<void>
  /** Makes one error of all failures, of which there is at least one. */
  readonly #refusal: (text: string, failures: readonly PublishFailure<E>[]) => Error
  readonly #failures: PublishFailure<E>[] = []
  #left: number
  #abandoned = false

  constructor(
    later: Later<void>,
    size: number,
    refusal: (text: string, failures: readonly PublishFailure<E>[]) => Error,
  ) {
    this.#later = later
    this.#left = size
    this.#refusal = refusal
    later.onAbandoned(() => {
      this.#abandoned = true
    })
    if (size === 0) later.reply(undefined)
  }

  /** Nobody waits for them any more. */
  get abandoned(): boolean {
    return this.#abandoned
  }

  /** One of them has ended. */
  settle(index: number, error: E | undefined): void {
    if (error !== undefined) this.#failures.push({ index, error })
    if (--this.#left > 0) return
    if (this.#failures.length === 0) this.#later.reply(undefined)
    else this.#later.fail(this.#refusal(failureText(this.#failures), this.#failures))
  }
}

function failureText(failures: readonly PublishFailure[]): string {
  const text = failures[0]?.error.message ?? ''
  return failures.length === 1 ? text : `${failures.length} messages were not published; the first: ${text}`
}

/** Whether a message that failed is handled again, and after how long. */

import { BroadwayError } from '../errors.ts'
import { type Message, wasAcknowledged } from '../message.ts'
import type { CheckedRetry } from '../options/retry-options.ts'
import type { Here } from './place.ts'

/** Comes to a stage when messages that wait are to be handled again. */
export const RETRY: unique symbol = Symbol('retry')

export class RetryPolicy {
  readonly #here: Here
  readonly #retry: CheckedRetry
  /** The pipeline ends: nothing waits any more. */
  #over = false

  constructor(here: Here, retry: CheckedRetry) {
    this.#here = here
    this.#retry = retry
  }

  /** From now on nothing is handled again. */
  end(): void {
    this.#over = true
  }

  get over(): boolean {
    return this.#over
  }

  /** Milliseconds until the message, as the callback got it, is to be handled again; `undefined` when it has failed for good. */
  delay(message: Message, failed: Message): number | undefined {
    const { status } = failed
    const { attempts, when, backoff } = this.#retry
    if (this.#over || status === 'ok' || message.attempts >= attempts) return undefined
    // A mistake in the program stays one, and who has acknowledged a message does not get it twice.
    if (status.reason instanceof BroadwayError || wasAcknowledged(message)) return undefined
    try {
      if (when !== undefined && when(status, message) !== true) return undefined
    } catch (thrown) {
      this.#here.report('when of retry threw, the message is not handled again', thrown)
      return undefined
    }
    return delayOf(backoff, message.attempts, this.#here.runtime.random)
  }
}

/** Milliseconds after attempt number `attempt`, from 1 on. */
function delayOf({ type, min, max }: CheckedRetry['backoff'], attempt: number, random: () => number): number {
  if (type === 'rand') return between(min, max, random)
  // From 0 on nothing would grow.
  const step = Math.max(min, 1) * 2 ** (attempt - 1)
  if (type === 'exp') return Math.min(max, step)
  return between(min, Math.min(max, 2 * step), random)
}

function between(least: number, most: number, random: () => number): number {
  return least + Math.floor(random() * (most - least + 1))
}

/** Requests about messages of one subscription: made again when that may help, and in parts when there are many ids. */

import { failureText } from '../../connector/failure-report.ts'
import type { Process } from '../../process/process.ts'
import type { PubSubClient, ReceivedMessage } from './port.ts'
import { statusOf } from './request-status.ts'

/** When a request that failed is made again. */
export interface RetryPlan {
  /** After these statuses, and when there was no answer at all. */
  readonly codes: readonly number[]
  /** Milliseconds until then. */
  readonly delay: number
  readonly max: number
}

/** The service takes so many ids in one request. */
const MAX_IDS = 2500

export class RetryingClient {
  readonly #process: Process
  readonly #client: PubSubClient
  readonly #subscription: string
  readonly #plan: RetryPlan

  constructor(process: Process, client: PubSubClient, subscription: string, plan: RetryPlan) {
    this.#process = process
    this.#client = client
    this.#subscription = subscription
    this.#plan = plan
  }

  pull(maxMessages: number, signal: AbortSignal): Promise<readonly ReceivedMessage[]> {
    return this.#retrying(() => this.#client.pull(this.#subscription, maxMessages, signal), signal)
  }

  /** Gives the errors of requests that failed, for good. */
  acknowledge(ackIds: readonly string[]): Promise<readonly unknown[]> {
    return this.#inParts(ackIds, (part) => this.#client.acknowledge(this.#subscription, part))
  }

  /** Gives the errors of requests that failed, for good. */
  modifyAckDeadline(ackIds: readonly string[], seconds: number): Promise<readonly unknown[]> {
    return this.#inParts(ackIds, (part) => this.#client.modifyAckDeadline(this.#subscription, part, seconds))
  }

  async #inParts(
    ackIds: readonly string[],
    request: (part: readonly string[]) => Promise<void>,
  ): Promise<readonly unknown[]> {
    const parts: (readonly string[])[] = []
    for (let start = 0; start < ackIds.length; start += MAX_IDS) parts.push(ackIds.slice(start, start + MAX_IDS))
    const outcomes = await Promise.allSettled(parts.map((part) => this.#retrying(() => request(part))))
    return outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
  }

  async #retrying<T>(request: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let retries = 0; ; retries++) {
      try {
        return await request()
      } catch (error) {
        const process = this.#process
        if (signal?.aborted || !process.alive || retries >= this.#plan.max || !this.#mayHelp(error)) throw error
        process.runtime.logger.debug(
          { err: error, process: `${process}` },
          `${process} makes a request again in ${this.#plan.delay} ms: ${failureText(error)}`,
        )
        await this.#wait(signal)
        if (signal?.aborted || !process.alive) throw error
      }
    }
  }

  #mayHelp(error: unknown): boolean {
    const status = statusOf(error)
    return status === undefined || this.#plan.codes.includes(status)
  }

  /** Until it is time, or nobody waits any more: timers of a process that has ended never fire. */
  async #wait(signal: AbortSignal | undefined): Promise<void> {
    const process = this.#process
    let over = (): void => {}
    const waited = new Promise<void>((resolve) => {
      over = resolve
    })
    const timer = process.setTimer(this.#plan.delay, over)
    process.onEnd(over)
    signal?.addEventListener('abort', over)
    await waited
    timer.cancel()
    process.offEnd(over)
    signal?.removeEventListener('abort', over)
  }
}

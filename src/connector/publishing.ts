/**
 * Messages on their way to a server that takes several in one request: what waits when a request ends goes with the next, so that
 * nothing waits for a timer. A request of which nobody knows what became of it is made again, in the order in which it was made:
 * its messages may arrive twice, and are not lost.
 */

import type { Later } from '../process/later.ts'
import type { Process } from '../process/process.ts'
import { Queue } from '../stage/queue.ts'
import { Backoff, type BackoffOptions } from './backoff.ts'
import { type Failure, failureText } from './failure-report.ts'
import { type PublishFailure, PublishGroup } from './publish-group.ts'
import type { Outgoing } from './publisher.ts'

/** How a publisher talks to its server; `P` is a message. */
export interface PublishingPlan<P, E extends Error> {
  /** Messages sent in one request at most. */
  readonly maxBatch: number
  /** Bytes of a request at most, and of a message; not bounded by default. */
  readonly maxBytes?: number | undefined
  readonly bytesOf?: ((publication: P) => number) | undefined
  /** Requests under way at the same time at most. With 1 messages keep the order of the calls, also when requests are repeated. */
  readonly maxRequests: number
  /** Messages that may wait. */
  readonly maxWaiting: number
  readonly backoff: BackoffOptions
  /**
   * Sends them. Resolves with an error for each that the server refused, and `undefined` for each that it has; rejects when nobody
   * knows.
   */
  send(publications: readonly P[], signal: AbortSignal): Promise<readonly (E | undefined)[]>
  /** It is of no use to send again after this. */
  isFinal(error: unknown): boolean
  /** Told of a request that failed before it is made again. */
  retrying?(error: unknown, retryIn: number): void
  /** Makes one error of what became of the messages of a call. */
  refusal(text: string, failures: readonly PublishFailure<E>[]): Error
  /** Too many messages wait. */
  full(text: string): Error
  /** A failure as the log may have it, where it may hold secrets. */
  safe?(error: unknown): Failure
  /** A request that failed, for good: for all of its messages. */
  failed(error: unknown): E
}

interface Entry<P, E extends Error> {
  readonly publication: P
  readonly index: number
  readonly group: PublishGroup<E>
}

export class Publishing<P, E extends Error> implements Outgoing<P> {
  onIdle: () => void = () => {}
  readonly #process: Process
  readonly #plan: PublishingPlan<P, E>
  readonly #backoff: Backoff
  readonly #ended = new AbortController()
  #waiting = new Queue<Entry<P, E>>()
  #requests = 0
  /** Requests that failed wait for their time, and all others behind them. */
  #retrying = false

  constructor(process: Process, plan: PublishingPlan<P, E>) {
    this.#process = process
    this.#plan = plan
    this.#backoff = new Backoff(plan.backoff, () => process.runtime.random())
    process.onEnd(() => this.#ended.abort())
  }

  get isIdle(): boolean {
    return this.#requests === 0 && this.#waiting.size === 0
  }

  add(publications: readonly P[], later: Later<void>): void {
    const { maxWaiting, full, refusal } = this.#plan
    const before = this.#waiting.size
    if (before > 0 && before + publications.length > maxWaiting) {
      const text = `${before} messages wait to be published, ${publications.length} more would be over maxWaiting, ${maxWaiting}`
      return later.fail(full(text))
    }
    const group = new PublishGroup<E>(later, publications.length, refusal)
    for (const [index, publication] of publications.entries()) this.#waiting.push({ publication, index, group })
    this.#send()
  }

  #send(): void {
    while (!this.#retrying && !this.#ended.signal.aborted && this.#requests < this.#plan.maxRequests) {
      const batch = this.#batch()
      if (batch.length === 0) break
      this.#requests++
      void this.#request(batch)
    }
    if (this.isIdle) this.onIdle()
  }

  /** What the next request takes with it. */
  #batch(): readonly Entry<P, E>[] {
    const { maxBatch, maxBytes = Infinity, bytesOf } = this.#plan
    const batch: Entry<P, E>[] = []
    let bytes = 0
    while (batch.length < maxBatch) {
      const next = this.#waiting.peek()
      if (next === undefined) break
      if (next.group.abandoned) {
        this.#waiting.shift()
        next.group.settle(next.index, undefined)
        continue
      }
      bytes += bytesOf?.(next.publication) ?? 0
      // One that is too large alone is for the server to refuse.
      if (bytes > maxBytes && batch.length > 0) break
      this.#waiting.shift()
      batch.push(next)
    }
    return batch
  }

  async #request(batch: readonly Entry<P, E>[]): Promise<void> {
    try {
      const errors = await this.#plan.send(
        batch.map(({ publication }) => publication),
        this.#ended.signal,
      )
      this.#backoff.reset()
      for (const [at, { group, index }] of batch.entries()) group.settle(index, errors[at])
    } catch (error) {
      if (this.#ended.signal.aborted) return
      const wait = this.#plan.isFinal(error) ? undefined : this.#backoff.next()
      if (wait === undefined) {
        const refused = this.#plan.failed(error)
        for (const { group, index } of batch) group.settle(index, refused)
      } else this.#again(batch, error, wait)
    }
    this.#requests--
    this.#send()
  }

  /** They go before all that wait. */
  #again(batch: readonly Entry<P, E>[], error: unknown, wait: number): void {
    const { text, err } = this.#plan.safe?.(error) ?? { text: failureText(error), err: error }
    const behind = this.#waiting
    this.#waiting = new Queue()
    for (const entry of batch) this.#waiting.push(entry)
    for (let entry = behind.shift(); entry !== undefined; entry = behind.shift()) this.#waiting.push(entry)
    const process = this.#process
    this.#plan.retrying?.(error, wait)
    process.runtime.logger.warn(
      { process: `${process}`, retryIn: wait, err },
      `${process} could not publish ${batch.length} messages: ${text}; it sends them again in ${wait} ms`,
    )
    if (this.#retrying) return
    this.#retrying = true
    process.setTimer(wait, () => {
      this.#retrying = false
      this.#send()
    })
  }
}

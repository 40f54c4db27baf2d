/** The job: a process that does one order, again and again until it succeeds or has used up its retries. */

import { GenServer, name, type Timer } from 'sluice'
import { Board } from './board.ts'
import type { Order } from './order.ts'
import { delayBefore, type RetryOptions } from './retry.ts'
import type { Work } from './work.ts'

export interface JobOptions {
  readonly order: Order
  readonly work: Work
  readonly retry: RetryOptions
}

const RETRY = Symbol('retry')

/**
 * Starting it takes no time: the work begins in `handleContinue`, when its supervisor has gone on already. It ends with
 * `normal` when it is done or has failed, since then nobody should start it again. A crash loses its retries with it: the
 * next process begins anew.
 */
export class Job extends GenServer {
  readonly #order: Order
  readonly #work: Work
  readonly #retry: RetryOptions
  #status: 'running' | 'errored' | 'done' | 'failed' = 'running'
  #retries = 0
  #reminder: Timer | undefined = undefined

  constructor({ order, work, retry }: JobOptions) {
    super()
    this.#order = order
    this.#work = work
    this.#retry = retry
    this.continue('attempt')
  }

  override async handleContinue() {
    await this.#attempt()
    if (this.#status === 'errored') this.#reminder = this.sendAfter(RETRY, this.#delay())
    else this.stop()
  }

  override handleInfo(message: unknown) {
    if (message !== RETRY) return super.handleInfo(message)
    this.#retries++
    return this.continue('attempt')
  }

  /**
   * Asked to stop. The attempt that ran has come to its end before; one that errored is repeated now, as often as it may and
   * as the time allows that the supervisor gives: then it kills.
   */
  override async terminate() {
    this.#reminder?.cancel()
    while (this.#status === 'errored') {
      this.#retries++
      await this.#attempt()
      if (this.#status === 'errored') await this.sleep(this.#delay())
    }
  }

  async #attempt() {
    const board = name(Board)
    const { id, subject } = this.#order
    this.#status = 'running'
    // The board watches the job before the work begins: of one that crashes sooner it would not learn why.
    await board.call.attempt(this.#order, this.self, this.#retries === 0)
    const outcome = await this.#work(subject, {
      signal: this.signal,
      progress: (share) => board.cast.progress(id, share),
      sleep: (ms) => this.sleep(ms),
    })
    // Killed meanwhile: the work has given up, and what it says of it is no outcome.
    this.signal.throwIfAborted()
    if ('done' in outcome) this.#end('done', outcome.done)
    else if (this.#retries === this.#retry.maxRetries) this.#end('failed', outcome.errored)
    else {
      const when = this.stopping ? '' : ` in ${this.#delay()} ms`
      this.#end('errored', `${outcome.errored}; retry ${this.#retries + 1} of ${this.#retry.maxRetries}${when}`)
    }
  }

  #end(status: 'errored' | 'failed' | 'done', remark: string) {
    this.#status = status
    name(Board).cast.ended(this.#order.id, status, remark)
  }

  /** Until the next retry. */
  #delay() {
    return delayBefore(this.#retries + 1, this.#retry)
  }
}

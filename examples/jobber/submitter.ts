/** Hands the orders in, and waits where there is no place for one. */

import { Down, GenServer, name, type Ref } from 'sluice'
import { Board } from './board.ts'
import { runningJobs } from './job-registry.ts'
import { startJob } from './jobber.ts'
import { JobRefused } from './refusal.ts'

export interface SubmitterOptions {
  /** All orders were handed in once: as many jobs run as may. */
  readonly busy?: (() => void) | undefined
}

/**
 * Whenever a job has ended there is a place for another one. It ends when no job runs any more, and the program with it. It
 * knows nothing that the board and the registry do not, so one that is started again goes on where the other was.
 */
export class Submitter extends GenServer {
  readonly #busy: SubmitterOptions['busy']
  readonly #running = new Set<Ref>()

  constructor({ busy }: SubmitterOptions) {
    super()
    this.#busy = busy
    this.continue('begin')
  }

  override async handleContinue() {
    await this.#submit()
    if (!this.stopping) this.#busy?.()
  }

  override async handleInfo(message: unknown) {
    if (!(message instanceof Down) || message.from === undefined) {
      super.handleInfo(message)
      return
    }
    this.#running.delete(message.from)
    await this.#submit()
  }

  async #submit() {
    /** Types of which no more may run. */
    const full = new Set<string>()
    const waiting = await name(Board).call.waiting()
    // In this order: a job is registered before it begins, so an order that waits no more runs, or has ended.
    for (const { ref } of runningJobs()) this.#watch(ref)
    for (const order of waiting) {
      // Asked to stop, it starts nothing new.
      if (this.stopping) return
      if (full.has(order.type)) continue
      try {
        this.#watch(await startJob(order))
      } catch (error) {
        if (!(error instanceof JobRefused)) throw error
        if (error.ref !== undefined) {
          // It runs already: the front door fell when it had started it, and could not say so.
          this.#watch(error.ref)
          continue
        }
        name(Board).cast.refused(order.id, error.message, error.passes)
        if (error.code === 'runner_full') break
        if (error.code === 'quota_reached') full.add(order.type)
      }
    }
    if (this.#running.size === 0) this.stop()
  }

  #watch(job: Ref) {
    if (this.#running.has(job)) return
    this.#running.add(job)
    this.monitor(job)
  }
}

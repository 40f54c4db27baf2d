/** Puts jobs in: two thirds as fast as it can, and the others later. A full queue makes it wait, or says no. */

import { CallError, GenServer, name } from 'sluice'
import { type Job, Jobs } from './jobs.ts'

export interface ClientOptions {
  readonly jobs: readonly Job[]
  /** Milliseconds between the two bursts. */
  readonly pause: number
  /** What it does now. */
  readonly tell: (doing: string) => void
  readonly refused: (job: Job) => void
}

export class Client extends GenServer {
  readonly #options: ClientOptions

  constructor(options: ClientOptions) {
    super()
    this.#options = options
    this.continue('work')
  }

  override async handleContinue() {
    const { jobs, pause, tell } = this.#options
    const burst = Math.ceil((jobs.length * 2) / 3)
    await this.#enqueue(jobs.slice(0, burst))
    tell('has a break')
    await this.sleep(pause)
    await this.#enqueue(jobs.slice(burst))
    // After Ctrl-C the program drains: it empties the queue itself.
    if (this.stopping) return
    // No more: the queue ends when it is empty, the workers end with it, and with them the program.
    await name(Jobs).call.finish()
    tell('has finished')
    this.stop()
  }

  async #enqueue(jobs: readonly Job[]) {
    const { tell, refused } = this.#options
    for (const job of jobs) {
      if (this.stopping) return
      tell(`puts in #${job.id}`)
      try {
        await name(Jobs).with({ timeout: Infinity, signal: this.signal }).call.enqueue(job)
      } catch (error) {
        if (!(error instanceof CallError && error.code === 'failed')) throw error
        refused(job)
      }
    }
  }
}

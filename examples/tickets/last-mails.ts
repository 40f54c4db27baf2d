/** When no more tickets are sold, their buyers still have to hear of them. */

import { CallError, GenServer } from 'sluice'
import type { Confirmation } from './booking.ts'
import type { BrokerQueue } from './broker/broker.ts'

export interface LastMailsOptions {
  readonly queue: () => Pick<BrokerQueue<Confirmation>, 'isDone'>
  /** Milliseconds. */
  readonly patience: number
}

/** Milliseconds between two looks. */
const EVERY = 20

/** Stands between those who sell and those who tell, and so stops in between: it waits until nothing is left to tell of. */
export class LastMails extends GenServer {
  readonly #options: LastMailsOptions

  constructor(options: LastMailsOptions) {
    super()
    this.#options = options
  }

  override async terminate() {
    const { queue, patience } = this.#options
    const end = performance.now() + patience
    // What is left then will be told.
    while (performance.now() < end && !(await isDone(queue()))) await this.sleep(EVERY)
  }
}

async function isDone(queue: Pick<BrokerQueue<Confirmation>, 'isDone'>) {
  try {
    return await queue.isDone()
  } catch (error) {
    // The broker is not there: nothing more will come.
    if (error instanceof CallError) return true
    throw error
  }
}

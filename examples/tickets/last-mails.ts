/** When no more tickets are sold, their buyers still have to hear of them. */

import { CallError, GenServer, name } from 'sluice'
import { Confirmations } from './queues.ts'

/** Stands between those who sell and those who tell, and so stops in between: it waits until nothing is left to tell of. */
export class LastMails extends GenServer {
  readonly #patience: number

  /** @param patience Milliseconds. */
  constructor(patience: number) {
    super()
    this.#patience = patience
  }

  override async terminate() {
    try {
      await name(Confirmations).with({ timeout: this.#patience }).call.idle()
    } catch (error) {
      // What is left will be told.
      if (!(error instanceof CallError)) throw error
    }
  }
}

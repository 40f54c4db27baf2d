/** The end of what a last stage has to do, for the terminator, which waits for it. */

import type { GenServer } from '../../otp/gen-server.ts'
import type { Later } from '../../process/later.ts'

export class Ending {
  readonly #stage: GenServer
  #reached = false
  readonly #waiting: Later<void>[] = []

  constructor(stage: GenServer) {
    this.#stage = stage
  }

  /** There is nothing left to do. */
  reach(): void {
    this.#reached = true
    for (const later of this.#waiting.splice(0)) later.reply(undefined)
  }

  /** The reply to who waits, at once or later. */
  reached(): Later<void> {
    const later = this.#stage.later<void>()
    if (this.#reached) later.reply(undefined)
    else this.#waiting.push(later)
    return later
  }
}

/** Kills processes at moments that the seed of a simulation decides: it is always one of those that may run next. */

import { GenServer, type Ref } from 'sluice'

export interface AdversaryArg {
  /** Who is to be killed now; nobody: `undefined`. */
  readonly victim: () => Ref | undefined
  /** How often it gets a chance. */
  readonly chances: number
}

export class Adversary extends GenServer {
  readonly #victim: () => Ref | undefined
  #chances: number

  constructor({ victim, chances }: AdversaryArg) {
    super()
    this.#victim = victim
    this.#chances = chances
    this.self.send('next')
  }

  override handleInfo() {
    this.#victim()?.kill()
    if (--this.#chances > 0) this.self.send('next')
  }
}

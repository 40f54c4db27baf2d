/** Hands out the parts of a source, one by one, to those who read them: who is done first gets the next. */

import { GenServer } from '../../otp/gen-server.ts'
import type { Later } from '../../process/later.ts'

/** The next part; `undefined` when there is none any more. */
export type NextSplit = { readonly split: unknown } | undefined

export class SplitFeed extends GenServer {
  readonly #parts: Promise<readonly unknown[]>
  #left: unknown[] = []
  #open = false
  readonly #waiting: Later<NextSplit>[] = []

  constructor(parts: () => Promise<readonly unknown[]>) {
    super()
    this.#parts = parts()
  }

  /** Everybody has subscribed, and the parts are known: reading begins. */
  async begin(): Promise<void> {
    this.#left = [...(await this.#parts)]
    this.#open = true
    for (const reader of this.#waiting.splice(0)) reader.reply(this.#next())
  }

  next(): NextSplit | Later<NextSplit> {
    if (this.#open) return this.#next()
    const later = this.later<NextSplit>()
    this.#waiting.push(later)
    return later
  }

  #next(): NextSplit {
    return this.#left.length === 0 ? undefined : { split: this.#left.shift() }
  }
}

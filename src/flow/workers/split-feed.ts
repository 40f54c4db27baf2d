/** Hands out the parts of a source, one by one, to those who read them: who is done first gets the next. */

import { GenServer } from '../../otp/gen-server.ts'
import type { Later } from '../../process/later.ts'
import type { SplitSource } from '../splits/split-source.ts'

/** Parts for each reader: so many that who is done first finds some to take from the others. */
const PARTS_A_READER = 4

/** The next part; `undefined` when there is none any more. */
export type NextSplit = { readonly split: unknown } | undefined

export class SplitFeed extends GenServer {
  readonly #source: SplitSource<unknown>
  readonly #readers: number
  #left: unknown[] = []
  #open = false
  readonly #waiting: Later<NextSplit>[] = []

  constructor(given: () => { readonly source: SplitSource<unknown>; readonly readers: number }) {
    super()
    const { source, readers } = given()
    this.#source = source
    this.#readers = readers
  }

  override async init(): Promise<void> {
    this.#left = [...(await this.#source.plan(PARTS_A_READER * this.#readers))]
  }

  /** Everybody has subscribed: reading begins. */
  begin(): void {
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

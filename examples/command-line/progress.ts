/** Tells how a run goes, every now and then. */

import { CallError, GenServer } from 'sluice'
import type { Screen } from './screen.ts'

/** Where it is told. */
export interface ProgressOptions {
  /** Milliseconds between two lines. */
  readonly every: number
  /** Takes a line; the empty one at the end. */
  readonly show: (line: string) => void
}

/** What there is to tell, so many milliseconds after the start; nothing as yet is `undefined`. */
export type ProgressLine = (ms: number) => Promise<string | undefined>

/** A terminal gets one line that changes, anything else a line a second, told as the others are. */
export function progressOn(screen: Screen, tell = (line: string) => screen.line(line)): ProgressOptions {
  if (screen.changes) return { every: 50, show: (line) => screen.status(line) }
  const show = (line: string) => {
    if (line !== '') tell(line)
  }
  return { every: 1000, show }
}

const TICK = Symbol('tick')

export class Progress extends GenServer {
  readonly #options: ProgressOptions & { readonly line: ProgressLine }
  readonly #started = performance.now()

  constructor(options: ProgressOptions & { readonly line: ProgressLine }) {
    super()
    this.#options = options
    this.sendAfter(TICK, options.every)
  }

  override async handleInfo(message: unknown) {
    if (message !== TICK) {
      super.handleInfo(message)
      return
    }
    const line = await this.#line()
    if (line !== undefined) this.#options.show(line)
    this.sendAfter(TICK, this.#options.every)
  }

  override terminate() {
    this.#options.show('')
  }

  /** Nothing while somebody who would have to be asked is being restarted. */
  async #line() {
    try {
      return await this.#options.line(performance.now() - this.#started)
    } catch (error) {
      if (error instanceof CallError) return undefined
      throw error
    }
  }
}

/** The output: lines that stay, and on a terminal a last one that changes. */

import type { Output } from './output.ts'

export class Screen {
  readonly #out: Output
  #status = ''

  constructor(out: Output) {
    this.#out = out
  }

  /** It is a terminal, with a last line that changes. */
  get changes(): boolean {
    return this.#out.isTTY === true
  }

  line(text: string) {
    this.#out.write(`${this.#cleared()}${text}\n${this.#status}`)
  }

  /** Replaces the last line; on anything but a terminal nothing changes. */
  status(text: string) {
    if (!this.changes) return
    const before = this.#cleared()
    this.#status = text.slice(0, (this.#out.columns ?? 80) - 1)
    this.#out.write(`${before}${this.#status}`)
  }

  #cleared() {
    return this.#status === '' ? '' : '\r\x1b[K'
  }
}

/** What happened, and when. */
export function timed(ms: number, text: string): string {
  return `${(ms / 1000).toFixed(2).padStart(7)} s  ${text}`
}

/** A logger that keeps a line for each report, to show it where it belongs. */

import type { Logger } from 'sluice'
import { messageOf } from './flights.ts'

export class CrashLog implements Logger {
  #lines: string[] = []

  /** The lines since the last time. */
  take(): readonly string[] {
    const lines = this.#lines
    this.#lines = []
    return lines
  }

  debug() {}
  info() {}

  warn(_fields: object, message: string) {
    this.#lines.push(messageOf(message))
  }

  error(_fields: object, message: string) {
    this.#lines.push(messageOf(message))
  }
}

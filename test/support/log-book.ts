/** A logger that keeps its lines, and on which a test can wait for one. */

import type { Logger } from 'sluice'

export class LogBook implements Logger {
  readonly lines: string[] = []
  #waiting: { readonly pattern: RegExp; readonly resolve: () => void }[] = []

  debug(): void {}

  info(_fields: object, message: string): void {
    this.#note('info', message)
  }

  warn(_fields: object, message: string): void {
    this.#note('warn', message)
  }

  error(_fields: object, message: string): void {
    this.#note('error', message)
  }

  /** Resolves when there is such a line, from a place on. */
  async has(pattern: RegExp, from = 0): Promise<void> {
    if (this.lines.slice(from).some((line) => pattern.test(line))) return
    await new Promise<void>((resolve) => this.#waiting.push({ pattern, resolve }))
  }

  #note(level: string, message: string): void {
    const line = `${level} ${message}`
    this.lines.push(line)
    for (const { resolve } of this.#waiting.filter(({ pattern }) => pattern.test(line))) resolve()
    this.#waiting = this.#waiting.filter(({ pattern }) => !pattern.test(line))
  }
}

/** What a source does when the server refuses a request, or cannot be reached for good: it says so, and tries again later. */

import { Backoff } from '../../connector/backoff.ts'
import { reportFailure } from '../../connector/failure-report.ts'
import type { Process } from '../../process/process.ts'
import type { CheckedServer } from '../options/connection-options.ts'
import { failureReason, isFatal, withoutPassword } from './failure.ts'

export class Failing {
  readonly #process: Process
  readonly #server: CheckedServer
  readonly #backoff: Backoff
  readonly #fatal: (error: unknown) => void

  /** @param fatal Told of what would fail each time. */
  constructor(process: Process, server: CheckedServer, fatal: (error: unknown) => void) {
    this.#process = process
    this.#server = server
    this.#fatal = fatal
    this.#backoff = new Backoff(server.backoff, () => process.runtime.random())
  }

  succeeded(): void {
    this.#backoff.reset()
  }

  /** Gives the milliseconds until the next request, `undefined` for none. */
  failed(error: unknown, what: string): number | undefined {
    if (isFatal(error)) {
      this.#fatal(error)
      return undefined
    }
    const process = this.#process
    const delay = this.#backoff.next()
    const { target, shown } = this.#server
    const { text, err } = withoutPassword(error, target.password)
    reportFailure(process, `cannot ${what} at ${shown}`, { text, err, reason: failureReason(error) }, delay)
    return delay
  }
}

/** What the runtime reports. */

import type { Logger } from 'sluice'
import type { Output } from '../command-line/output.ts'
import type { Screen } from '../command-line/screen.ts'

/** Where problems are on purpose only `verbose` shows them. */
export function logger(screen: Screen, errors: Output, verbose: boolean): Logger {
  const problem = (message: string, ...details: readonly (string | undefined)[]) => {
    if (!verbose) return
    errors.write(`${[message, ...details].filter((text) => text !== undefined).join('\n')}\n`)
  }
  return {
    debug: () => {},
    info: (_fields, message) => screen.line(message),
    warn: ({ left, dropped }: Fields, message) => problem(message, left, dropped),
    error: (fields: Fields, message) => problem(message, placeOf(fields), fields.stack, fields.left),
  }
}

interface Fields {
  readonly err?: unknown
  /** Milliseconds; there for all that is tried again. */
  readonly retryIn?: number | undefined
  readonly stack?: string | undefined
  /** What still runs while the application stops. */
  readonly left?: string
  /** What had not finished when it ended. */
  readonly dropped?: string
}

/** Where an error comes from that nobody expects. That a server is away, or says no, is a fact: the message tells it. */
function placeOf(fields: Fields): string | undefined {
  const { err } = fields
  const isFact = 'retryIn' in fields || (err instanceof Error && 'code' in err)
  return err instanceof Error && !isFact ? err.stack : undefined
}

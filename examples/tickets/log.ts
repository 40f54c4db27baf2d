/** What the runtime reports. */

import type { Logger } from 'sluice'
import type { Output } from '../command-line/output.ts'
import type { Screen } from '../command-line/screen.ts'

/** Where problems are on purpose only `verbose` shows them. */
export function logger(screen: Screen, errors: Output, verbose: boolean): Logger {
  const problem = (fields: object, message: string) => {
    if (!verbose) return
    const { err, stack, left, dropped }: Fields = fields
    const said = [message, err instanceof Error ? err.stack : undefined, stack, left, dropped]
    errors.write(`${said.filter((text) => text !== undefined).join('\n')}\n`)
  }
  return { debug: () => {}, info: (_fields, message) => screen.line(message), warn: problem, error: problem }
}

interface Fields {
  readonly err?: unknown
  readonly stack?: string | undefined
  /** What still runs while the application stops. */
  readonly left?: string
  /** What had not finished when it ended. */
  readonly dropped?: string
}

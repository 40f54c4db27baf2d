/** Where reports go: any logger of pino's shape. The default writes readable lines to standard error. */

import { inspect } from 'node:util'

/** The part of pino's logger that Sluice uses; pino, bunyan and roarr loggers fit as they are. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

type Level = keyof Logger

/** Writes `level message` and the fields below it to standard error; debug and info lines are left out. */
export const consoleLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: (fields, message) => write('warn', fields, message),
  error: (fields, message) => write('error', fields, message),
}

/** A logger whose own failures are passed on, so that a report never stops what it reports on. */
export function guarded(logger: Logger, failed: (error: unknown) => void): Logger {
  const guard =
    (level: Level) =>
    (fields: object, message: string): void => {
      try {
        logger[level](fields, message)
      } catch (error) {
        failed(error)
      }
    }
  return { debug: guard('debug'), info: guard('info'), warn: guard('warn'), error: guard('error') }
}

function write(level: Level, fields: object, message: string): void {
  // A failure after which the same is tried again, maybe for hours: its line says it all. Other loggers have the fields, too.
  if ('retryIn' in fields && fields.retryIn !== undefined) {
    process.stderr.write(`sluice ${level}: ${message}\n`)
    return
  }
  // A report has the error's stack in a better order than the error itself.
  const hidden = 'stack' in fields && fields.stack !== undefined ? 'err' : undefined
  const details = Object.entries(fields).filter(([key, value]) => value !== undefined && key !== hidden)
  const lines = details.map(([key, value]) => `\n  ${key}: ${indent(format(value))}`)
  process.stderr.write(`sluice ${level}: ${message}${lines.join('')}\n`)
}

function format(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value, { depth: 2, breakLength: 120 })
}

function indent(text: string): string {
  return text.replaceAll('\n', '\n    ')
}

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { consoleLogger } from '../../src/process/logger.ts'

describe('the console logger', () => {
  const { write } = process.stderr
  let written = ''

  beforeEach(() => {
    written = ''
    process.stderr.write = (text: string | Uint8Array) => {
      written += String(text)
      return true
    }
  })
  afterEach(() => {
    process.stderr.write = write
  })

  it('writes the level, the message and the fields below it', () => {
    consoleLogger.warn({ process: 'Worker#2', message: { id: 7 } }, 'something odd')
    expect(written).toBe('sluice warn: something odd\n  process: Worker#2\n  message: { id: 7 }\n')
  })

  it('indents what has several lines, such as a stack, and leaves out what is undefined', () => {
    consoleLogger.error({ stack: 'Error: boom\n    at here', supervisor: undefined, restarts: 0 }, 'crashed')
    expect(written).toBe('sluice error: crashed\n  stack: Error: boom\n        at here\n  restarts: 0\n')
  })

  it('writes what is tried again as one line, since it may be tried for hours', () => {
    consoleLogger.error({ process: 'Source#2', retryIn: 1000, err: new Error('refused') }, 'cannot connect: refused')
    expect(written).toBe('sluice error: cannot connect: refused\n')
  })

  it('writes the error of what is given up', () => {
    consoleLogger.error({ retryIn: undefined, err: 'refused' }, 'cannot connect')
    expect(written).toBe('sluice error: cannot connect\n  err: refused\n')
  })

  it('writes no debug and info lines', () => {
    consoleLogger.debug({ a: 1 }, 'quiet')
    consoleLogger.info({ a: 1 }, 'quiet')
    expect(written).toBe('')
  })
})

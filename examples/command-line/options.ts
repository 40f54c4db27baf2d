/** Options of a command line, with mistakes told in one line that says what was expected. */

import { InputError } from './input-error.ts'

/** Runs `parseArgs` with options; what it throws becomes one line that lists what is known. */
export function explained<T>(options: object, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    // The first sentence says it; what follows explains the syntax of command lines.
    const [said = ''] = error.message.split(/\.? To specify|\. This command|\n/)
    const known = Object.keys(options).map((option) => `--${option}`)
    const text = `${said.charAt(0).toLowerCase()}${said.slice(1)}; known are ${known.join(', ')}`
    throw new InputError(text, { cause: error })
  }
}

export function integer(option: string, given: string, least: number, most: number): number {
  const value = /^\d+$/.test(given) ? Number(given) : Number.NaN
  if (value >= least && value <= most) return value
  throw new InputError(`--${option}: expected a whole number from ${least} to ${most}, got '${given}'`)
}

export function oneOf<T extends string>(option: string, given: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === given)
  if (found !== undefined) return found
  throw new InputError(`--${option}: expected one of ${allowed.join(', ')}, got '${given}'`)
}

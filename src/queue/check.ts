/** What the checks of options and arguments have in common. */

import { show } from '../stage/show.ts'
import { QueueError } from './errors.ts'

export function checkObject(what: string, options: unknown, known: readonly string[]): void {
  if (!isObject(options)) throw bad(what, 'an object', options)
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown === undefined) return
  throw new QueueError('bad_options', `${what}: there is no ${unknown}; known are ${known.join(', ')}`)
}

export function checker(what: string): (option: string, value: unknown, fine: boolean, expected: string) => void {
  return (option, value, fine, expected) => {
    if (!fine) throw bad(`${option} of ${what}`, expected, value)
  }
}

export function bad(what: string, expected: string, value: unknown): QueueError {
  return new QueueError('bad_options', `${what}: expected ${expected}, got ${show(value)}`)
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

export function isCount(value: unknown): boolean {
  return value === Infinity || (Number.isInteger(value) && Number(value) >= 1)
}

export function isDelay(value: unknown): boolean {
  return Number.isFinite(value) && Number(value) >= 0
}

export function isPositive(value: unknown): boolean {
  return Number.isFinite(value) && Number(value) > 0
}

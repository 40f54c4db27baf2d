/** Reads one object of options: each value is checked, and each error says where it stands, what was given and what is allowed. */

import { closest } from '../../otp/definition.ts'
import { show } from '../../stage/show.ts'
import { BroadwayError } from '../errors.ts'

export class OptionReader {
  /** Where the object stands: `batchers.sqs`; empty for all options. */
  readonly path: string
  readonly #given: object

  /** @throws `BroadwayError` `bad_options` when it is no object, or has a key that is not known. */
  constructor(path: string, given: unknown, known: readonly string[]) {
    this.path = path
    this.#given = objectAt(path, given)
    for (const key of Object.keys(this.#given)) {
      if (known.includes(key)) continue
      const nearest = closest(key, known)
      const hint = nearest.distance <= 3 ? `did you mean ${nearest.name}? Known` : 'known'
      const owner = path === '' ? 'a pipeline' : `${path} of a pipeline`
      throw new BroadwayError('bad_options', `${owner} has no option ${key}: ${hint} are ${known.join(', ')}`)
    }
  }

  get(key: string): unknown {
    return Reflect.get(this.#given, key)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  /** A whole number that is at least `least`. */
  integer(key: string, least: number, otherwise: number): number
  integer(key: string, least: number): number | undefined
  integer(key: string, least: number, otherwise?: number): number | undefined {
    const value = this.get(key)
    if (value === undefined) return otherwise
    if (typeof value === 'number' && Number.isInteger(value) && value >= least) return value
    throw this.bad(key, `a whole number >= ${least}`)
  }

  /** A function, called as a method of the options. What it takes and gives only shows when it is called. */
  method<F>(key: string, expected: string): F | undefined {
    const value = this.get(key)
    if (value === undefined) return undefined
    if (typeof value !== 'function') throw this.bad(key, expected)
    return value.bind(this.#given) as F
  }

  /** A function that has to be there. */
  required<F>(key: string, expected: string): F {
    const method = this.method<F>(key, expected)
    if (method === undefined) throw this.bad(key, expected)
    return method
  }

  /** The options at a key, as `[key, value]`; at least one. */
  entries(key: string, expected: string): readonly (readonly [string, unknown])[] {
    const value = this.get(key)
    if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) throw this.bad(key, expected)
    return Object.entries(value)
  }

  /** Where an option stands. */
  at(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`
  }

  bad(key: string, expected: string): BroadwayError {
    return badOption(this.at(key), this.get(key), expected)
  }
}

function badOption(path: string, value: unknown, expected: string): BroadwayError {
  const got = value === undefined ? 'nothing' : show(value)
  return new BroadwayError('bad_options', `${path} of a pipeline: expected ${expected}, got ${got}`)
}

function objectAt(path: string, given: unknown): object {
  if (typeof given === 'object' && given !== null) return given
  throw badOption(path === '' ? 'the options' : path, given, 'an object of options')
}

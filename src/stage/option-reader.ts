/**
 * Reads one object of options: each value is checked, and each error says where it stands, what was given and what is allowed. An
 * option that is not there is `undefined`, so that defaults stand where it is read: `options.integer('port', 1) ?? 5672`.
 */

import { unknownKey, unknownOptionText } from '../otp/unknown-option.ts'
import { show } from './show.ts'

/** Whose options they are. */
export interface OptionOwner {
  /** As errors say it: `a pipeline`, `RabbitMQSource`. */
  readonly name: string
  /** Makes the error of the owner's layer. */
  readonly refusal: (text: string) => Error
  /** Says of an option that is none of these where it belongs. */
  readonly elsewhere?: ((key: string) => string | undefined) | undefined
}

export class OptionReader {
  readonly #owner: OptionOwner
  readonly #given: object
  /** Where the object stands: `batchers.sqs`; empty for all options. */
  readonly #path: string

  /** @throws what `refusal` makes when it is no object, or has a key that is not known. */
  constructor(owner: OptionOwner, given: unknown, known: readonly string[], path = '') {
    this.#owner = owner
    this.#path = path
    const whole = path === '' ? owner.name : `${path} of ${owner.name}`
    if (!isObject(given)) {
      throw owner.refusal(badValue(path === '' ? `the options of ${whole}` : whole, 'an object of options', given))
    }
    this.#given = given
    const unknown = unknownKey(given, known)
    if (unknown !== undefined) {
      const place = owner.elsewhere?.(unknown)
      const text = unknownOptionText(whole, unknown, known)
      throw owner.refusal(place === undefined ? text : `${whole} has no option ${unknown}: ${place}`)
    }
  }

  get(key: string): unknown {
    return Reflect.get(this.#given, key)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  /** Reads the object at a key, or what stands for it. */
  at(key: string, known: readonly string[], given: unknown = this.get(key)): OptionReader {
    return new OptionReader(this.#owner, given, known, this.#pathOf(key))
  }

  /** A whole number that is at least `least`. */
  integer(key: string, least: number): number | undefined {
    const value = this.get(key)
    if (value === undefined || isWhole(value, least)) return value
    throw this.bad(key, `a whole number >= ${least}`)
  }

  /** A whole number that is at least 1, or `Infinity`. */
  count(key: string): number | undefined {
    const value = this.get(key)
    if (value === undefined || isCount(value)) return value
    throw this.bad(key, COUNT)
  }

  /** Milliseconds to wait, maybe none. */
  delay(key: string): number | undefined {
    const value = this.get(key)
    if (value === undefined || isDelay(value)) return value
    throw this.bad(key, 'milliseconds >= 0')
  }

  /** Milliseconds that something may take or lasts. */
  duration(key: string): number | undefined {
    const value = this.get(key)
    if (value === undefined || isDuration(value)) return value
    throw this.bad(key, DURATION)
  }

  boolean(key: string): boolean | undefined {
    const value = this.get(key)
    if (value === undefined || typeof value === 'boolean') return value
    throw this.bad(key, 'a boolean')
  }

  string(key: string): string | undefined {
    const value = this.get(key)
    if (value === undefined || typeof value === 'string') return value
    throw this.bad(key, 'a string')
  }

  /** A string that must not be seen in an error. */
  secret(key: string): string | undefined {
    const value = this.get(key)
    if (value === undefined || typeof value === 'string') return value
    throw this.bad(key, 'a string', typeof value)
  }

  oneOf<const T extends string>(key: string, allowed: readonly T[]): T | undefined {
    const value = this.get(key)
    if (value === undefined) return undefined
    const found = allowed.find((each) => each === value)
    if (found === undefined) throw this.bad(key, wordsOf(allowed))
    return found
  }

  /** An object with any keys, copied. */
  object(key: string): Readonly<Record<string, unknown>> | undefined {
    const value = this.get(key)
    if (value === undefined) return undefined
    if (!isObject(value)) throw this.bad(key, 'an object')
    return Object.fromEntries(Object.entries(value))
  }

  /** What stands at the keys of an object, at least one. */
  entries(key: string, expected: string): readonly (readonly [string, unknown])[] {
    const value = this.get(key)
    if (!isObject(value) || Object.keys(value).length === 0) throw this.bad(key, expected)
    return Object.entries(value)
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

  /** The error for an option; `got` is what to show of it. */
  bad(key: string, expected: string, got?: string): Error {
    const what = `${this.#pathOf(key)} of ${this.#owner.name}`
    return this.#owner.refusal(
      got === undefined ? badValue(what, expected, this.get(key)) : `${what}: expected ${expected}, got ${got}`,
    )
  }

  #pathOf(key: string): string {
    return this.#path === '' ? key : `${this.#path}.${key}`
  }
}

/** What an error says about a value that is not what it should be. */
export function badValue(what: string, expected: string, value: unknown): string {
  return `${what}: expected ${expected}, got ${value === undefined ? 'nothing' : show(value)}`
}

/** Words to choose from: `'a', 'b' or 'c'`. */
export function wordsOf(words: readonly string[]): string {
  const shown = words.map((word) => `'${word}'`)
  return [...shown.slice(0, -2), shown.slice(-2).join(' or ')].join(', ')
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What `isCount` is true of, in words. */
export const COUNT = 'a whole number >= 1 or Infinity'

export function isCount(value: unknown): value is number {
  return value === Infinity || isWhole(value, 1)
}

/** What `isDuration` is true of, in words. */
export const DURATION = 'milliseconds > 0'

export function isDuration(value: unknown): value is number {
  return isDelay(value) && value > 0
}

export function isDelay(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Infinity
}

function isWhole(value: unknown, least: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= least
}

/** Reads one object of options: each value is checked, and each error says where it stands, what was given and what is allowed. */

import { closest } from '../../otp/definition.ts'
import { show } from '../../stage/show.ts'
import { RabbitMQError } from '../errors.ts'

export class OptionReader {
  /** Whose options they are, and where in them the object stands: `qos of RabbitMQSource`. */
  readonly #where: (key: string) => string
  readonly #given: object

  /** @throws `RabbitMQError` `bad_options` when it is no object, or has a key that is not known. */
  constructor(owner: string, path: string, given: unknown, known: readonly string[]) {
    const what = path === '' ? `the options of ${owner}` : `${path} of ${owner}`
    this.#where = (key) => `${path === '' ? key : `${path}.${key}`} of ${owner}`
    if (!isObject(given)) throw badOption(what, 'an object of options', given)
    this.#given = given
    for (const key of Object.keys(given)) {
      if (known.includes(key)) continue
      const nearest = closest(key, known)
      const hint = nearest.distance <= 3 ? `did you mean ${nearest.name}? Known` : 'known'
      throw new RabbitMQError('bad_options', `${what}: there is no ${key}; ${hint} are ${known.join(', ')}`)
    }
  }

  get(key: string): unknown {
    return Reflect.get(this.#given, key)
  }

  /** A whole number that is at least `least`. */
  integer(key: string, least = 0): number | undefined {
    const value = this.get(key)
    if (value === undefined || (typeof value === 'number' && Number.isInteger(value) && value >= least)) return value
    throw this.bad(key, `a whole number >= ${least}`)
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

  /** What must not be seen in an error. */
  secret(key: string): string | undefined {
    const value = this.get(key)
    if (value === undefined || typeof value === 'string') return value
    throw badOption(this.#where(key), 'a string', typeof value)
  }

  object(key: string): Readonly<Record<string, unknown>> | undefined {
    const value = this.get(key)
    if (value === undefined) return undefined
    if (!isObject(value)) throw this.bad(key, 'an object')
    return Object.fromEntries(Object.entries(value))
  }

  oneOf<const T extends string>(key: string, allowed: readonly T[]): T | undefined {
    const value = this.get(key)
    if (value === undefined) return undefined
    const found = allowed.find((each) => each === value)
    if (found === undefined) throw this.bad(key, allowed.map((each) => `'${each}'`).join(', '))
    return found
  }

  /** A function. What it takes and gives only shows when it is called. */
  isFunction(key: string, expected: string): boolean {
    const value = this.get(key)
    if (value !== undefined && typeof value !== 'function') throw this.bad(key, expected)
    return value !== undefined
  }

  bad(key: string, expected: string): RabbitMQError {
    return badOption(this.#where(key), expected, this.get(key))
  }
}

export function badOption(what: string, expected: string, value: unknown): RabbitMQError {
  return new RabbitMQError(
    'bad_options',
    `${what}: expected ${expected}, got ${value === undefined ? 'nothing' : show(value)}`,
  )
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

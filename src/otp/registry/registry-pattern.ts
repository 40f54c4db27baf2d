/** Patterns and predicates that choose entries of a registry: what match specifications are in Elixir, as plain TypeScript. */

import { RegistryError } from '../errors.ts'

/**
 * What a value has to look like. An object or an array is compared part by part: a property or an array element that is left
 * out matches anything, lengths of arrays must agree. A function is a predicate of the part it stands for and says true or
 * false. Anything else, instances of classes too, is compared as keys are (strictly, `NaN` equals itself).
 */
export type Pattern<V> = unknown extends V
  ? unknown
  : ((value: V) => boolean) | (V extends Whole ? V : { readonly [K in keyof V]?: Pattern<V[K]> })

/** What has no parts to compare. */
type Whole = string | number | bigint | boolean | symbol | null | undefined | ((...args: never[]) => unknown)

/** Says of a value whether it matches. */
export type Matcher = (value: unknown) => boolean

/** The test behind a pattern; `where` says whose pattern it is, for errors. */
export function matcherOf(pattern: unknown, where: string): Matcher {
  if (typeof pattern === 'function') return (value) => checked(pattern(value), where)
  if (!isPlain(pattern)) return (value) => sameKey(value, pattern)
  const length = Array.isArray(pattern) ? pattern.length : undefined
  const parts = Object.entries(pattern).map(([key, part]) => ({ key, matches: matcherOf(part, `${where}.${key}`) }))
  return (value) => {
    if (typeof value !== 'object' || value === null) return false
    if (length !== (Array.isArray(value) ? value.length : undefined)) return false
    return parts.every(({ key, matches }) => key in value && matches(Reflect.get(value, key)))
  }
}

/** What a predicate said: a promise, say, would match everything. */
export function checked(answer: unknown, where: string): boolean {
  if (typeof answer === 'boolean') return answer
  const got = answer instanceof Promise ? 'a promise' : String(answer)
  throw new RegistryError('bad_pattern', `the predicate of ${where} returned ${got}, expected true or false`)
}

/** The comparison of a `Map`: `===`, and `NaN` is itself. */
function sameKey(a: unknown, b: unknown): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b))
}

function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return Array.isArray(value) || prototype === Object.prototype || prototype === null
}

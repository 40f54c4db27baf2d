/**
 * What a key says, as text: two keys are one when their texts are equal. Strings, numbers, bigints, booleans, null and undefined
 * are themselves (-0 is 0, NaN is NaN, and 1, 1n and '1' are three keys); refs count by their process, arrays by their elements,
 * plain objects by their properties, in whatever order.
 */

import { ProcessError } from '../process/errors.ts'
import { ProcessRef } from '../process/ref.ts'

/**
 * The text of a key. It depends on nothing but the key, so that threads and programs agree on it.
 *
 * @throws `ProcessError` `bad_argument` for a function, a symbol, or an instance of a class.
 */
export function canonicalKey(key: unknown): string {
  switch (typeof key) {
    case 'string':
      return JSON.stringify(key)
    case 'bigint':
      return `${key}n`
    case 'number':
    case 'boolean':
    case 'undefined':
      // The text of -0 is 0.
      return String(key)
    case 'object':
      return key === null ? 'null' : ofObject(key)
    default:
      throw unhashable(key)
  }
}

function ofObject(key: object): string {
  if (Array.isArray(key)) return `[${key.map(canonicalKey).join()}]`
  if (key instanceof ProcessRef) return `ref(${key.id})`
  const prototype: unknown = Object.getPrototypeOf(key)
  if (prototype !== Object.prototype && prototype !== null) throw unhashable(key)
  const entries = Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${canonicalKey(value)}`).join()}}`
}

function unhashable(key: unknown): ProcessError {
  const what = typeof key === 'object' ? `a ${key?.constructor.name ?? 'object'}` : String(key)
  return new ProcessError(
    'bad_argument',
    `cannot hash ${what}: a key is a string, number, bigint, boolean, null, ref, or a plain object or array of those; take one of them from it`,
  )
}

/** Keys that are equal by what they say: composite keys are made one object, so that `Map` and `Set` can hold them. */

import { canonicalKey } from '../otp/canonical-key.ts'

export class Keys {
  #composite: Map<string, unknown> | undefined = undefined

  /** The key itself, or the first one that was equal to it. @throws `ProcessError` `bad_argument` for what is no key. */
  of<K>(key: K): K
  of(key: unknown): unknown {
    // `Map` and `Set` compare these by value as `canonicalKey` does.
    if (typeof key === 'string' || typeof key === 'number') return key
    if (key === null || key === undefined || typeof key === 'boolean' || typeof key === 'bigint') return key
    const text = canonicalKey(key)
    this.#composite ??= new Map()
    const known = this.#composite.get(text)
    if (known !== undefined) return known
    this.#composite.set(text, key)
    return key
  }
}

/** What the listeners of a registry are told. */

import type { Ref } from '../../process/ref.ts'

/** A process was registered. Elixir: `{:register, registry, key, pid, value}`. */
export class Registered<K = unknown, V = unknown> {
  readonly type = 'register'
  /** The registry that tells it. */
  readonly registry: Ref
  readonly key: K
  /** Who was registered. */
  readonly ref: Ref
  readonly value: V

  constructor(registry: Ref, key: K, ref: Ref, value: V) {
    this.registry = registry
    this.key = key
    this.ref = ref
    this.value = value
  }
}

/**
 * A process has no entry of that key any more because it was unregistered. The end of a process tells nothing: who must
 * know, monitors it. Elixir: `{:unregister, registry, key, pid}`.
 */
export class Unregistered<K = unknown> {
  readonly type = 'unregister'
  /** The registry that tells it. */
  readonly registry: Ref
  readonly key: K
  /** Who was unregistered. */
  readonly ref: Ref

  constructor(registry: Ref, key: K, ref: Ref) {
    this.registry = registry
    this.key = key
    this.ref = ref
  }
}

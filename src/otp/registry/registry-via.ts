/** A key in a registry as the name of a process. */

import { type Class, Name } from '../../process/name.ts'
import type { Process } from '../../process/process.ts'
import { currentRuntime, type Runtime } from '../../process/runtime.ts'
import { noRegistry, notUnique, partsOf, type RegistryTarget } from './registry.ts'
import { describeKey } from './registry-table.ts'

class ViaName<T, K, V> extends Name<T> {
  readonly #registry: RegistryTarget<K, V>
  readonly #key: K
  readonly #value: V

  constructor(registry: RegistryTarget<K, V>, type: Class<T>, key: K, value: V) {
    super(type)
    this.#registry = registry
    this.#key = key
    this.#value = value
  }

  /** Nobody either when the registry does not run: it may be on its way back. */
  holder(runtime: Runtime = currentRuntime()): Process | undefined {
    const parts = partsOf(runtime, this.#registry)
    if (parts?.options.keys === 'duplicate') throw notUnique(parts.process, `the name ${this}`)
    return parts?.table.of(this.#key)[0]?.process
  }

  take(process: Process): void {
    const parts = partsOf(process.runtime, this.#registry)
    if (parts === undefined) throw noRegistry(this.#registry)
    parts.table.add(process, this.#key, this.#value)
  }

  /** The registry itself forgets the dead, under whatever key they are known. */
  release(): void {}

  toString(): string {
    const registry = typeof this.#registry === 'function' ? this.#registry.name : `${this.#registry}`
    const key = typeof this.#key === 'string' ? this.#key : describeKey(this.#key)
    return `${this.type.name}(${registry}/${key})`
  }
}

/**
 * A key in a registry with unique keys as the name of a process of a class, usable wherever a name is. `value` is stored when
 * a process is started under the name, and plays no part in finding it. While the registry does not run nobody is found.
 *
 * @throws where it is used: `RegistryError` `not_unique` when the keys of the registry are duplicate. A start under the name
 * fails with `start_failed`, whose cause is `ProcessError` `noproc`, when the registry does not run. Elixir:
 * `{:via, Registry, {registry, key}}`.
 */
export function via<T, K, V>(
  registry: RegistryTarget<K, V>,
  type: Class<T>,
  key: NoInfer<K>,
  value?: NoInfer<V>,
): Name<T> {
  return new ViaName(registry, type, key, value)
}

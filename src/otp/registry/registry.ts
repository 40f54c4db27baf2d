/**
 * Registry: processes found by keys of your own, one process a key (`unique`) or many (`duplicate`). Everything is done at
 * once, in the caller: asking a registry sends no message. The registry's process only stands for its life.
 */

import { ProcessError } from '../../process/errors.ts'
import { type Class, holderOf, type Name } from '../../process/name.ts'
import type { Process } from '../../process/process.ts'
import { processOf, type Ref } from '../../process/ref.ts'
import { currentRuntime, type Runtime } from '../../process/runtime.ts'
import { Exit } from '../../process/signals.ts'
import { RegistryError } from '../errors.ts'
import { GenServer, serverOf } from '../gen-server.ts'
import { isPromise, ServerBehaviour } from '../server-behaviour.ts'
import { Task } from '../task/task.ts'
import { RegistryLocks } from './registry-locks.ts'
import { type CheckedRegistryOptions, checkRegistryOptions, type RegistryOptions } from './registry-options.ts'
import { checked, matcherOf, type Pattern } from './registry-pattern.ts'
import { describeKey, type Entry, RegistryTable } from './registry-table.ts'

/** A registry: its class or name when it was started under one, or its ref. */
export type RegistryTarget<K, V> = Class<Registry<K, V>> | Name<Registry<K, V>> | Ref<Registry<K, V>>

/** Whose entry it is: a ref, or inside a process `this` (in a task its context). */
export type RegistryOwner = Ref | { readonly self: Ref }

/** One entry of a key. */
export interface RegistryEntry<V> {
  readonly ref: Ref
  readonly value: V
}

/** One entry of a registry. */
export interface KeyedEntry<K, V> extends RegistryEntry<V> {
  readonly key: K
}

/** Which entries are meant: a pattern for each of their parts, those left out match anything; or a predicate. */
export type EntryPattern<K, V> =
  | { readonly key?: Pattern<K>; readonly ref?: Ref; readonly value?: Pattern<V> }
  | ((entry: KeyedEntry<K, V>) => boolean)

/** The value may be left out where `undefined` is one. */
export type ValueArgument<V> = undefined extends V ? [value?: V] : [value: V]

export interface DispatchOptions {
  /**
   * Runs each group of entries in a task of its own, all at the same time; only with duplicate keys and several `partitions`.
   * Default false.
   */
  readonly parallel?: boolean | undefined
}

/** The parts of a running registry. */
interface Parts<K, V> {
  readonly process: Process
  readonly options: CheckedRegistryOptions
  readonly table: RegistryTable<K, V>
  readonly locks: RegistryLocks
  readonly meta: Map<string, unknown>
}

/** The parts of a registry for its names; `undefined` when it does not run. */
export let partsOf: <K, V>(runtime: Runtime, registry: RegistryTarget<K, V>) => Parts<K, V> | undefined

/**
 * A registry, a process as any other: start it, or put it in a supervisor before those who use it. A subclass says what its
 * keys and values are; without one they are given at the start, `start(Registry<string, number>, { arg: { keys: 'unique' } })`, and
 * in the name, `name(Registry<string, number>, 'id')`. Without a second type there are no values. Keys are compared as those of a
 * `Map`: strictly, so that `1` and `'1'` are two, objects by identity, while `1.0` is `1` and `NaN` is itself.
 *
 * An entry belongs to a process and vanishes at its end. The process is linked to the registry: when the registry fails, so
 * do all who are registered. Every function throws `ProcessError` `noproc` when the registry does not run.
 *
 * @example
 * ```ts
 * import { child, GenServer, Registry, supervise, via } from 'sluice'
 *
 * class Jobs extends Registry<string, { type: string }> {
 *   constructor() { super({ keys: 'unique' }) }
 * }
 * class Job extends GenServer {
 *   progress() { return 0.5 }
 * }
 * await using tree = await supervise({
 *   strategy: 'one_for_one',
 *   children: [child(Jobs, { name: Jobs }), child(Job, { name: via(Jobs, Job, 'import', { type: 'csv' }) })],
 * })
 * console.log(await via(Jobs, Job, 'import').call.progress()) // 0.5
 * console.log(Registry.select(Jobs, { value: { type: 'csv' } }, ({ key }) => key)) // [ 'import' ]
 * ```
 * Elixir: `Registry`.
 */
export class Registry<K = unknown, V = undefined> extends GenServer {
  /** The types of keys and values; exists for the compiler only. */
  declare readonly $entry?: { readonly key: K; readonly value: V } | undefined
  readonly #parts: Parts<K, V> | undefined

  /** @throws `RegistryError` `bad_options`. */
  constructor(given: RegistryOptions) {
    super()
    const options = checkRegistryOptions(given)
    const process = serverOf(this)?.process
    if (process === undefined) return
    // The end of those who are registered is no message for a subclass, and does not end the registry.
    process.trap = 'all'
    this.#parts = {
      process,
      options,
      table: new RegistryTable(process, options.keys === 'unique', options.listeners),
      locks: new RegistryLocks(process),
      meta: new Map(Object.entries(options.meta)),
    }
  }

  override handleInfo(message: unknown): unknown {
    // The end of somebody registered, who is forgotten already.
    return message instanceof Exit ? undefined : super.handleInfo(message)
  }

  // ---- Entries

  /**
   * Gives a process an entry, and links it to the registry. With duplicate keys the same process may have many of a key.
   *
   * @throws `RegistryError` `already_registered` (with `ref`) when keys are unique and the key is taken, by the process
   * itself even; `ProcessError` `bad_argument` when the process has ended. Elixir: `Registry.register`.
   */
  static register<K, V>(
    registry: RegistryTarget<K, V>,
    owner: RegistryOwner,
    key: NoInfer<K>,
    ...value: ValueArgument<NoInfer<V>>
  ): void
  static register<K>(registry: RegistryTarget<K, unknown>, owner: RegistryOwner, key: K, value?: unknown): void {
    running(registry).table.add(ownerOf(owner), key, value)
  }

  /** Removes all entries of a process with a key; none is fine. With its last one the link goes too. Elixir: `Registry.unregister`. */
  static unregister<K, V>(registry: RegistryTarget<K, V>, owner: RegistryOwner, key: NoInfer<K>): void {
    const { table } = running(registry)
    const process = ownerOf(owner)
    table.remove(process, key, own(table, process, key))
  }

  /**
   * Removes the entries of a process with a key whose value matches.
   *
   * @throws `RegistryError` `bad_pattern`. Elixir: `Registry.unregister_match`.
   */
  static unregisterMatch<K, V>(
    registry: RegistryTarget<K, V>,
    owner: RegistryOwner,
    key: NoInfer<K>,
    pattern: Pattern<NoInfer<V>>,
  ): void {
    const { table } = running(registry)
    const process = ownerOf(owner)
    const matches = matcherOf(pattern, 'unregisterMatch')
    const chosen = own(table, process, key).filter((entry) => matches(entry.value))
    if (chosen.length > 0) table.remove(process, key, chosen)
  }

  /**
   * Replaces the value of a key; only for its holder.
   *
   * @throws `RegistryError` `not_registered` for anybody else, `not_unique` when keys are duplicate. Elixir:
   * `Registry.update_value`.
   */
  static updateValue<K, V>(
    registry: RegistryTarget<K, V>,
    owner: RegistryOwner,
    key: NoInfer<K>,
    update: (value: V) => NoInfer<V>,
  ): { readonly value: V; readonly previous: V } {
    const { table, process, options } = running(registry)
    if (options.keys !== 'unique') throw notUnique(process, 'updateValue')
    const [entry] = table.of(key)
    const asking = ownerOf(owner)
    if (entry?.process !== asking) {
      const whose = entry === undefined ? 'nobody has it' : `it belongs to ${entry.process}`
      const text = `${asking} cannot update the key ${describeKey(key)} of ${process}: ${whose}`
      throw new RegistryError('not_registered', text, entry?.process.ref)
    }
    const previous = entry.value
    entry.value = update(previous)
    return { value: entry.value, previous }
  }

  // ---- Questions

  /** Who has a key, oldest first; one at most when keys are unique. Elixir: `Registry.lookup`. */
  static lookup<K, V>(registry: RegistryTarget<K, V>, key: NoInfer<K>): readonly RegistryEntry<V>[] {
    return running(registry).table.of(key).map(withoutKey)
  }

  /** The values that a process has with a key. Elixir: `Registry.values`. */
  static values<K, V>(registry: RegistryTarget<K, V>, key: NoInfer<K>, owner: RegistryOwner): readonly V[] {
    return own(running(registry).table, ownerOf(owner), key).map(({ value }) => value)
  }

  /** The keys of a process, one for each entry. Elixir: `Registry.keys`. */
  static keys<K, V>(registry: RegistryTarget<K, V>, owner: RegistryOwner): readonly K[] {
    return running(registry)
      .table.ofProcess(ownerOf(owner))
      .map(({ key }) => key)
  }

  /** How many entries there are. Elixir: `Registry.count`. */
  static count<K, V>(registry: RegistryTarget<K, V>): number {
    return running(registry).table.size
  }

  /**
   * The entries of a key whose value matches a pattern or a predicate.
   *
   * @throws `RegistryError` `bad_pattern`. Elixir: `Registry.match`.
   */
  static match<K, V>(
    registry: RegistryTarget<K, V>,
    key: NoInfer<K>,
    pattern: Pattern<NoInfer<V>>,
  ): readonly RegistryEntry<V>[] {
    const { table } = running(registry)
    const matches = matcherOf(pattern, 'match')
    return table.of(key).flatMap((entry) => (matches(entry.value) ? withoutKey(entry) : []))
  }

  /** How many entries `match` finds. Elixir: `Registry.count_match`. */
  static countMatch<K, V>(registry: RegistryTarget<K, V>, key: NoInfer<K>, pattern: Pattern<NoInfer<V>>): number {
    return Registry.match(registry, key, pattern).length
  }

  /**
   * What `project` makes of the entries that match, whatever their key; without it, the entries.
   *
   * @throws `RegistryError` `bad_pattern`. Elixir: `Registry.select`.
   */
  static select<K, V>(
    registry: RegistryTarget<K, V>,
    where: EntryPattern<NoInfer<K>, NoInfer<V>>,
  ): readonly KeyedEntry<K, V>[]
  static select<K, V, R>(
    registry: RegistryTarget<K, V>,
    where: EntryPattern<NoInfer<K>, NoInfer<V>>,
    project: (entry: KeyedEntry<NoInfer<K>, NoInfer<V>>) => R,
  ): readonly R[]
  static select<K, V>(
    registry: RegistryTarget<K, V>,
    where: EntryPattern<K, V>,
    project: (entry: KeyedEntry<K, V>) => unknown = (entry) => entry,
  ): readonly unknown[] {
    if (typeof project !== 'function') throw malformed(`a function as the third argument of select`, project)
    const chosen = running(registry).table.all().map(withKey).filter(entryMatcher(where))
    return chosen.map((entry) => project(entry))
  }

  /** How many entries `select` finds. Elixir: `Registry.count_select`. */
  static countSelect<K, V>(registry: RegistryTarget<K, V>, where: EntryPattern<NoInfer<K>, NoInfer<V>>): number {
    return Registry.select(registry, where).length
  }

  // ---- More

  /**
   * Calls `run` in the caller with the entries of a key, once for each group (`partitions`) that has some; never with none. What
   * it throws rejects. Resolves when all is done; without `parallel` and promises all was done before `dispatch` returned.
   *
   * @throws `TaskError` `exit` when a parallel call failed, with the failure as its cause. Elixir: `Registry.dispatch`.
   */
  static async dispatch<K, V>(
    registry: RegistryTarget<K, V>,
    key: NoInfer<K>,
    run: (entries: readonly RegistryEntry<V>[]) => unknown,
    { parallel = false }: DispatchOptions = {},
  ): Promise<void> {
    const { table, options, process } = running(registry)
    const groups = grouped(table.of(key), options.partitions).map((group) => group.map(withoutKey))
    if (!parallel || options.keys === 'unique' || options.partitions === 1) {
      for (const group of groups) {
        const result = run(group)
        if (isPromise(result)) await result
      }
      return
    }
    const { runtime } = process
    const owner = runtime.current ?? runtime.main
    // The failure is told to who waits, and does not run over a link.
    const tasks = groups.map((group) => new Task({ owner, parent: owner, linked: false }, () => run(group)))
    await Task.awaitMany(tasks, { timeout: Infinity })
  }

  /** What is kept under a key of the registry itself; `undefined` when nothing is. Elixir: `Registry.meta`. */
  static meta<K, V>(registry: RegistryTarget<K, V>, key: string): unknown {
    return running(registry).meta.get(key)
  }

  /** Keeps something in the registry itself, as long as it runs. Elixir: `Registry.put_meta`. */
  static putMeta<K, V>(registry: RegistryTarget<K, V>, key: string, value: unknown): void {
    running(registry).meta.set(key, value)
  }

  /** Removes it again; nothing there is fine. Elixir: `Registry.delete_meta`. */
  static deleteMeta<K, V>(registry: RegistryTarget<K, V>, key: string): void {
    running(registry).meta.delete(key)
  }

  /**
   * Runs work while no other has the lock of that key, in the order of asking; gives what it returns. The lock is let go when
   * the work is done or has failed, and when its owner dies. Any value is a key; it has nothing to do with entries. Who asks
   * for a lock inside itself waits for ever.
   *
   * @throws what the work throws; `ProcessError` `noproc` when the registry ends first. Elixir: `Registry.lock`.
   */
  static async lock<K, V, R>(
    registry: RegistryTarget<K, V>,
    owner: RegistryOwner,
    key: unknown,
    work: () => R,
  ): Promise<Awaited<R>> {
    return await running(registry).locks.run(ownerOf(owner), key, work)
  }

  static {
    partsOf = (runtime, registry) => {
      const process = holderOf(runtime, registry)
      if (process === undefined || !process.alive) return undefined
      const instance = process.behaviour instanceof ServerBehaviour ? process.behaviour.instance : undefined
      if (instance instanceof Registry) return instance.#parts
      throw new ProcessError('bad_argument', `expected a registry, got ${process}`)
    }
  }
}

function running<K, V>(registry: RegistryTarget<K, V>): Parts<K, V> {
  const parts = partsOf(currentRuntime(), registry)
  if (parts === undefined) throw noRegistry(registry)
  return parts
}

/** Nobody can be found in, or put into, a registry that does not run. */
export function noRegistry(registry: RegistryTarget<unknown, unknown>): ProcessError {
  const label = typeof registry === 'function' ? registry.name : `${registry}`
  return new ProcessError('noproc', `there is no registry ${label}: start it before, or put it before those who use it`)
}

/** What needs one holder at most was asked of a registry with duplicate keys. */
export function notUnique(registry: Process, what: string): RegistryError {
  return new RegistryError('not_unique', `${what} needs unique keys, those of ${registry} are duplicate`)
}

function ownerOf(owner: RegistryOwner): Process {
  return processOf('self' in owner ? owner.self : owner)
}

function own<K, V>(table: RegistryTable<K, V>, process: Process, key: K): readonly Entry<K, V>[] {
  return table.of(key).filter((entry) => entry.process === process)
}

function withoutKey<K, V>({ process, value }: Entry<K, V>): RegistryEntry<V> {
  return { ref: process.ref, value }
}

function withKey<K, V>({ key, process, value }: Entry<K, V>): KeyedEntry<K, V> {
  return { key, ref: process.ref, value }
}

const ENTRY_PARTS = ['key', 'ref', 'value']

function entryMatcher<K, V>(where: EntryPattern<K, V>): (entry: KeyedEntry<K, V>) => boolean {
  if (typeof where === 'function') return (entry) => checked(where(entry), 'select')
  if (typeof where !== 'object' || where === null) throw malformed('{ key, ref, value } or a predicate', where)
  for (const part of Object.keys(where)) {
    if (!ENTRY_PARTS.includes(part)) throw malformed(`${ENTRY_PARTS.join(', ')} of an entry`, part)
  }
  return matcherOf({ ...where }, 'select')
}

function malformed(expected: string, got: unknown): RegistryError {
  return new RegistryError('bad_pattern', `expected ${expected}, got ${String(got)}`)
}

/** The entries by the group of their process. */
function grouped<K, V>(entries: readonly Entry<K, V>[], groups: number): readonly (readonly Entry<K, V>[])[] {
  const found = new Map<number, Entry<K, V>[]>()
  for (const entry of entries) {
    const group = entry.process.id % groups
    const known = found.get(group)
    if (known === undefined) found.set(group, [entry])
    else known.push(entry)
  }
  return Array.from(found.values())
}

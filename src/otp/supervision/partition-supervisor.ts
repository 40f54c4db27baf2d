/** PartitionSupervisor: several copies of one process that share the work, each key always at the same one. */

import { availableParallelism } from 'node:os'
import { ProcessError } from '../../process/errors.ts'
import { type Class, holderOf, Name } from '../../process/name.ts'
import type { Process } from '../../process/process.ts'
import type { Ref } from '../../process/ref.ts'
import { currentRuntime, type Runtime } from '../../process/runtime.ts'
import { ServerBehaviour } from '../server-behaviour.ts'
import { stableHash } from '../stable-hash.ts'
import { ChildSpec } from './child-spec.ts'
import { type Answered, attempt } from './supervised-child.ts'
import { insidesOf, Supervisor } from './supervisor.ts'
import { badOption, checkKeys, type SupervisorOptions } from './supervisor-options.ts'

export interface PartitionSupervisorOptions<T = unknown> extends Pick<SupervisorOptions, 'maxRestarts' | 'maxSeconds'> {
  /** What each partition runs: one specification for all, or one by the number of the partition, from 0. */
  readonly child: ChildSpec<T> | ((partition: number) => ChildSpec<T>)
  /** How many, at least 1. Default: the processors of the machine. */
  readonly partitions?: number | undefined
  /** Which partitions are restarted when one ends. Default `one_for_one`. */
  readonly strategy?: SupervisorOptions['strategy'] | undefined
}

const OPTIONS = ['child', 'partitions', 'strategy', 'maxRestarts', 'maxSeconds']

/** How keys are spread now; for `partition`. */
let spreadOf: (supervisor: PartitionSupervisor) => { readonly specs: readonly ChildSpec[]; readonly count: number }

/**
 * Runs the same process several times, numbered from 0, and `partition(supervisor, key)` finds the one that a key belongs to.
 * Typical use: what would be a bottleneck as one process, such as a `DynamicSupervisor` that all requests go through. It is a
 * `Supervisor` whose children have the ids '0', '1' and so on. Write it with the class of the partitions, as
 * `PartitionSupervisor<Counter>`: that is where `partition` has their messages from.
 *
 * @example
 * ```ts
 * import { child, GenServer, name, PartitionSupervisor, partition, startLink } from 'sluice'
 *
 * class Counter extends GenServer {
 *   #count = 0
 *   add(n: number) { return (this.#count += n) }
 * }
 * const counters = name(PartitionSupervisor<Counter>, 'counters')
 * await using running = await startLink(PartitionSupervisor<Counter>, {
 *   name: counters,
 *   arg: { partitions: 4, child: () => child(Counter) },
 * })
 * console.log(await partition(counters, 'ada').call.add(1)) // 1
 * console.log(await partition(counters, 'ada').call.add(1)) // 2
 * ```
 * Elixir: `PartitionSupervisor`.
 */
export class PartitionSupervisor<T = unknown> extends Supervisor {
  /** The type of the processes; exists for the compiler only. */
  declare readonly $partition?: T | undefined
  readonly #specs: readonly ChildSpec[]
  #count: number

  constructor(options: PartitionSupervisorOptions<T>) {
    const checked = checkPartitionOptions(options)
    super(checked)
    this.#specs = checked.children
    this.#count = checked.children.length
  }

  /** How many partitions keys are spread over now. Elixir: `PartitionSupervisor.partitions`. */
  partitions(): number {
    return this.#count
  }

  /**
   * Stops the partitions with the highest numbers, or starts them again, and replies how many there were before. Keys are
   * spread anew.
   *
   * @throws `CallError` `failed` with `ProcessError` `bad_argument` when `count` is not between 0 and the number at start, or
   * with the `StartError` of a partition. Elixir: `PartitionSupervisor.resize!`.
   */
  resize(count: number): Answered<number> {
    return attempt(this, async () => {
      const most = this.#specs.length
      if (!(Number.isInteger(count) && count >= 0 && count <= most)) {
        throw new ProcessError('bad_argument', `resize: expected an integer from 0 to ${most}, got ${String(count)}`)
      }
      const before = this.#count
      const { children, start, stop } = insidesOf(this)
      const ofPartition = (index: number) => children.find(({ spec }) => spec === this.#specs[index])
      // Nobody is sent to a partition that stops, nor to one that has not started.
      this.#count = Math.min(before, count)
      for (let index = before - 1; index >= count; index--) {
        const child = ofPartition(index)
        if (child !== undefined) await stop(child)
      }
      for (let index = before; index < count; index++) {
        const child = ofPartition(index)
        if (child !== undefined && child.process === undefined) await start(child)
        this.#count = index + 1
      }
      return before
    })
  }

  static {
    spreadOf = (supervisor) => ({ specs: supervisor.#specs, count: supervisor.#count })
  }
}

/**
 * The process of a partition supervisor that a key belongs to, as a name: it finds its process anew at every use, so it
 * stays good over restarts and `resize`. An integer belongs to the partition of its absolute value modulo their number,
 * anything else to that of its hash: a primitive, a ref, or a plain object or array of those.
 *
 * @throws `ProcessError` `noproc` when the supervisor does not run, or has no partitions (after `resize(0)`);
 * `bad_argument` for a key that cannot be hashed.
 *
 * Elixir: `{:via, PartitionSupervisor, {name, key}}`.
 */
export function partition<T>(
  supervisor: Ref<PartitionSupervisor<T>> | Class<PartitionSupervisor<T>> | Name<PartitionSupervisor<T>>,
  key: unknown,
): Name<T> {
  return new PartitionName<T>(supervisor, key)
}

class PartitionName<T> extends Name<T> {
  readonly #supervisor: Ref | Class | Name
  readonly #key: unknown
  readonly #hash: number | bigint

  constructor(supervisor: Ref | Class | Name, key: unknown) {
    const { spec } = route(currentRuntime(), supervisor, key, hashOf(key))
    super(spec.plan.type as Class<T>)
    this.#supervisor = supervisor
    this.#key = key
    this.#hash = hashOf(key)
  }

  holder(runtime: Runtime = currentRuntime()): Process | undefined {
    const { insides, index, spec } = route(runtime, this.#supervisor, this.#key, this.#hash)
    const { children } = insides
    const expected = children[index]
    const child = expected?.spec === spec ? expected : children.find((each) => each.spec === spec)
    // Nobody while the supervisor has not heard yet that it has ended.
    return child?.process?.alive ? child.process : undefined
  }

  take(): never {
    throw new ProcessError('bad_name', `${this} is where a key belongs, no process can bear it as its name`)
  }

  release(): void {}

  toString(): string {
    return `partition of ${textOf(this.#supervisor)} for ${String(this.#key)}`
  }
}

/** The partition that a key belongs to now. */
function route(runtime: Runtime, target: Ref | Class | Name, key: unknown, hash: number | bigint) {
  const supervisor = holderOf(runtime, target)
  const server = supervisor?.alive && supervisor.behaviour instanceof ServerBehaviour && supervisor.behaviour.instance
  if (!server) throw new ProcessError('noproc', `partition of ${textOf(target)} for ${String(key)}: it does not run`)
  if (!(server instanceof PartitionSupervisor)) {
    throw new ProcessError('bad_argument', `partition: expected a PartitionSupervisor, got ${String(supervisor)}`)
  }
  const { specs, count } = spreadOf(server)
  const index = count === 0 ? 0 : Number(typeof hash === 'bigint' ? hash % BigInt(count) : hash % count)
  const spec = count === 0 ? undefined : specs[index]
  if (spec === undefined) {
    const text = `partition of ${String(supervisor)} for ${String(key)}: it was resized to 0 and has no partitions`
    throw new ProcessError('noproc', text)
  }
  return { insides: insidesOf(server), index, spec }
}

function hashOf(key: unknown): number | bigint {
  if (typeof key === 'bigint') return key < 0n ? -key : key
  return typeof key === 'number' && Number.isInteger(key) ? Math.abs(key) : stableHash(key)
}

function textOf(target: Ref | Class | Name): string {
  return typeof target === 'function' ? target.name : String(target)
}

function checkPartitionOptions(
  options: PartitionSupervisorOptions,
): SupervisorOptions & { readonly children: readonly ChildSpec[] } {
  checkKeys('PartitionSupervisor', options, OPTIONS)
  const { child, partitions = availableParallelism(), strategy = 'one_for_one', ...intensity } = options
  if (!(Number.isInteger(partitions) && partitions >= 1)) {
    throw badOption('PartitionSupervisor', 'partitions', partitions, 'an integer >= 1')
  }
  const make = child instanceof ChildSpec ? () => child : child
  const expected = 'child(Class, options), or a function from the number of a partition to that'
  if (typeof make !== 'function') throw badOption('PartitionSupervisor', 'child', child, expected)
  const children = Array.from({ length: partitions }, (_, index) => {
    const spec: unknown = make(index)
    if (!(spec instanceof ChildSpec))
      throw badOption('PartitionSupervisor', `child(${index})`, spec, 'child(Class, options)')
    return new ChildSpec(spec.plan, { ...spec, id: String(index) })
  })
  const types = new Set(children.map(({ plan }) => plan.type))
  if (types.size > 1) {
    const names = [...types].map(({ name }) => name).join(', ')
    throw badOption('PartitionSupervisor', 'child', names, 'the same class for every partition')
  }
  return { ...intensity, strategy, children }
}

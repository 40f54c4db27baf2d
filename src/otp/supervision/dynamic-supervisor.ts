/** DynamicSupervisor: starts without children, takes them in while it runs, and finds them by their refs. */

import { type Class, type Name, name } from '../../process/name.ts'
import type { Process } from '../../process/process.ts'
import { type Ref, typedRef } from '../../process/ref.ts'
import { StartError } from '../errors.ts'
import { GenServer } from '../gen-server.ts'
import { launchChild } from '../start.ts'
import { ChildSpec } from './child-spec.ts'
import { DynamicChildren } from './dynamic-children.ts'
import { drainChild } from './stop-child.ts'
import { type Answered, answered, type ChildCounts, type ChildInfo, refused } from './supervised-child.ts'
import { badOption, checkChild, checkDynamicOptions, type DynamicOptions } from './supervisor-options.ts'

export interface DynamicSupervisorOptions extends DynamicOptions {
  /** Put under the argument of each child, at its start and at each restart; what the child's own `arg` says wins. */
  readonly extraArguments?: object | undefined
}

/**
 * A supervisor for children that come and go: sessions, connections, jobs. Start it with
 * `startLink(DynamicSupervisor, { arg: { maxChildren: 100 } })`, or as a child: `child(DynamicSupervisor, { name: ... })`. Its
 * children are independent of each other: each is restarted for itself, and at the end all are asked to stop at once, each
 * within its own `shutdown`. An `id` means nothing here; children are told apart by their refs. Its calls have no timeout.
 *
 * @example
 * ```ts
 * import { child, DynamicSupervisor, GenServer, startLink } from 'sluice'
 *
 * class Session extends GenServer {
 *   #user: string
 *   constructor(user: string) { super(); this.#user = user }
 *   user() { return this.#user }
 * }
 * const sessions = await startLink(DynamicSupervisor)
 * const ada = await DynamicSupervisor.startChild(sessions, child(Session, { arg: 'ada', restart: 'transient' }))
 * console.log(await ada?.call.user()) // ada
 * await sessions.stop()
 * ```
 * Elixir: `DynamicSupervisor`.
 */
export class DynamicSupervisor extends GenServer {
  static override readonly childType: 'worker' | 'supervisor' = 'supervisor'
  static override readonly callTimeout: number = Infinity
  /** Each child has its own deadline. */
  static override readonly stopTimeout: number = Infinity

  /**
   * Like `supervisor.call.startChild(spec)`, and the ref knows the type of the child.
   *
   * @throws as `startChild`; `StartError` `bad_child` at once, without asking the supervisor.
   *
   * Elixir: `DynamicSupervisor.start_child`.
   */
  static async startChild<T>(
    supervisor: Ref<DynamicSupervisor> | Class<DynamicSupervisor> | Name<DynamicSupervisor>,
    spec: ChildSpec<T>,
  ): Promise<Ref<T> | undefined> {
    checkDynamicChild(spec)
    const target = typeof supervisor === 'function' ? name(supervisor) : supervisor
    const ref = await target.call.startChild(spec)
    return ref && typedRef<T>(ref)
  }

  readonly #extraArguments: object | undefined
  readonly #children: DynamicChildren<ChildSpec>
  #process!: Process

  constructor(options: DynamicSupervisorOptions = {}) {
    super()
    const checked = checkDynamicOptions('DynamicSupervisor', options, ['extraArguments'])
    const { extraArguments } = options
    if (extraArguments !== undefined && !isRecord(extraArguments)) {
      throw badOption('DynamicSupervisor', 'extraArguments', extraArguments, 'an object')
    }
    this.#extraArguments = extraArguments
    this.#children = new DynamicChildren(this, checked, (spec, restarts) =>
      launchChild(spec.plan, this.#process, restarts),
    )
  }

  override init(): void {
    this.#process = this.#children.begin()
  }

  // ---- API

  /**
   * Starts a child. The reply is its ref, `undefined` when it declined to run. The supervisor waits for its `init`.
   *
   * @throws `CallError` `failed`, whose cause is the `StartError` of the child, which is then forgotten, or a
   * `SupervisorError` `max_children`.
   *
   * Elixir: `DynamicSupervisor.start_child`.
   */
  startChild(spec: ChildSpec): Answered<Ref | undefined> {
    // Not by `attempt`: children may come and go by the hundred thousand, each with a function that nobody needs.
    try {
      checkDynamicChild(spec)
      return answered(this, this.#children.add(this.#withExtraArguments(spec)))
    } catch (error) {
      return refused(this, error)
    }
  }

  /**
   * Stops a child and forgets it, whatever its `restart` says; also one that is being restarted, by its old ref.
   *
   * @throws `CallError` `failed` with `SupervisorError` `not_found`.
   */
  terminateChild(ref: Ref): Answered<void> {
    try {
      return answered(this, this.#children.terminate(ref))
    } catch (error) {
      return refused(this, error)
    }
  }

  /** The children, without an order. */
  whichChildren(): readonly ChildInfo<undefined>[] {
    return this.#children.which()
  }

  countChildren(): ChildCounts {
    return this.#children.count()
  }

  // ---- Callbacks

  override handleInfo(message: unknown): unknown {
    const handled = this.#children.handle(message)
    return handled === 'no child' ? super.handleInfo(message) : handled
  }

  override async handleDrain(): Promise<void> {
    await this.#children.drain(drainChild)
  }

  override async terminate(): Promise<void> {
    await this.#children.stopAll()
  }

  #withExtraArguments(spec: ChildSpec): ChildSpec {
    const extra = this.#extraArguments
    if (extra === undefined) return spec
    const { arg } = spec.plan
    if (arg !== undefined && !isRecord(arg)) {
      const text = `child ${spec.label}: extraArguments need an arg that is an object to be put into, got ${String(arg)}`
      throw new StartError('bad_child', text)
    }
    return new ChildSpec({ ...spec.plan, arg: Object.freeze({ ...extra, ...arg }) }, spec)
  }
}

function checkDynamicChild(spec: ChildSpec): void {
  if (spec instanceof ChildSpec && spec.significant) {
    const text = `child ${spec.label} is significant, which only Supervisor knows: a dynamic supervisor is not stopped by its children`
    throw new StartError('bad_child', text)
  }
  checkChild(spec, 'never')
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

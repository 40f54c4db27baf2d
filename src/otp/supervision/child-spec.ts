/** How a supervisor starts, restarts and stops one child. */

import type { Class } from '../../process/name.ts'
import { declareImmutable } from '../argument.ts'
import { StartError } from '../errors.ts'
import type { GenServer } from '../gen-server.ts'
import { type ArgumentOption, type GivenOptions, type OptionsOf, planStart, type StartPlan } from '../start.ts'

/** `permanent` always, `transient` only after an abnormal end, `temporary` never. */
export type Restart = 'permanent' | 'transient' | 'temporary'

/** Milliseconds between the request to stop and the kill; `Infinity` waits; `brutal_kill` kills at once. */
export type Shutdown = number | 'brutal_kill'

/** What tells the children of one supervisor apart: a word, or the class. */
export type ChildId = string | Class

export interface ChildOptions<R extends Restart = Restart> {
  /** Default: the class. Needed when a supervisor has several children of one class. */
  readonly id?: ChildId | undefined
  /** When to start it again. Default `permanent`. */
  readonly restart?: R | undefined
  /** Milliseconds it has to stop, finishing what it holds included. Default 5000, `Infinity` for supervisors. */
  readonly shutdown?: Shutdown | undefined
  /** With the supervisor's `autoShutdown`: its orderly end stops the supervisor. Default false. */
  readonly significant?: boolean | undefined
}

/** The options of a child, which may be left out when nothing in them is required. */
export type ChildArguments<T, A extends readonly unknown[], R extends Restart = Restart> =
  object extends ArgumentOption<A>
    ? [options?: ChildOptions<R> & OptionsOf<T, A>]
    : [options: ChildOptions<R> & OptionsOf<T, A>]

/** A checked child specification, made by `child`. It does not change. `R` is what its `restart` may be. */
export class ChildSpec<T = unknown, R extends Restart = Restart> {
  /** The type of the process; exists for the compiler only. */
  declare readonly $type?: T | undefined
  declare readonly $restart?: R | undefined
  readonly id: ChildId
  readonly restart: Restart
  readonly shutdown: Shutdown
  readonly significant: boolean
  readonly type: 'worker' | 'supervisor'
  readonly plan: StartPlan

  constructor(plan: StartPlan, options: ChildOptions) {
    this.plan = plan
    this.id = options.id ?? plan.type
    this.restart = options.restart ?? 'permanent'
    this.shutdown = options.shutdown ?? plan.definition.stubs.stopTimeout
    this.significant = options.significant ?? false
    this.type = plan.definition.stubs.childType
    Object.freeze(this)
  }

  /** The id as text. */
  get label(): string {
    return typeof this.id === 'string' ? this.id : this.id.name
  }
}

declareImmutable(ChildSpec)

const OWN_OPTIONS = ['id', 'restart', 'shutdown', 'significant']
const RESTARTS: readonly unknown[] = ['permanent', 'transient', 'temporary']

export function isRestart(value: unknown): value is Restart {
  return RESTARTS.includes(value)
}

export function isShutdown(value: unknown): value is Shutdown {
  return value === 'brutal_kill' || (typeof value === 'number' && value >= 0)
}

/**
 * Says how a supervisor is to start, restart and stop a process of a class: `child(Worker, { arg, id: 'worker_1' })`.
 *
 * @throws `StartError`: `bad_class`, `bad_options` or `bad_child`, which name the option, the value and what is allowed.
 *
 * Elixir: `Supervisor.child_spec`.
 */
export function child<T extends GenServer, A extends readonly unknown[], R extends Restart = 'permanent'>(
  type: new (...args: A) => T,
  ...options: ChildArguments<T, A, R>
): ChildSpec<T, NoInfer<R>> {
  const given: ChildOptions & GivenOptions = options[0] ?? {}
  const { id, restart, shutdown, significant } = given
  const plan = planStart(type, given, OWN_OPTIONS)
  if (id !== undefined && typeof id !== 'string' && typeof id !== 'function')
    throw bad(type, 'id', id, 'a string or a class')
  if (restart !== undefined && !isRestart(restart)) throw bad(type, 'restart', restart, RESTARTS.join(', '))
  if (shutdown !== undefined && !isShutdown(shutdown)) {
    throw bad(type, 'shutdown', shutdown, "milliseconds >= 0, Infinity or 'brutal_kill'")
  }
  if (significant !== undefined && typeof significant !== 'boolean')
    throw bad(type, 'significant', significant, 'true or false')
  return new ChildSpec(plan, given)
}

function bad(type: Class, option: string, value: unknown, expected: string): StartError {
  return new StartError('bad_child', `${option} of child ${type.name}: expected ${expected}, got ${String(value)}`)
}

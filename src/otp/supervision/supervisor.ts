/**
 * Supervisor: a process that starts others in order, restarts them fresh when they end, and stops them in reverse order. It
 * is a server as any other: its API is its public methods.
 */

import type { ExitReason } from '../../process/exit-reason.ts'
import type { Process } from '../../process/process.ts'
import { processOf, type Ref, typedRef } from '../../process/ref.ts'
import { mainProcess } from '../../process/runtime.ts'
import { Exit } from '../../process/signals.ts'
import { StartError, SupervisorError } from '../errors.ts'
import { GenServer } from '../gen-server.ts'
import { launchChild, type StartOptions, startFrom } from '../start.ts'
import type { ChildId, ChildSpec } from './child-spec.ts'
import { announceDrain, drainOrder } from './drain-order.ts'
import { hasFailed, noteOwnEnd } from './own-end.ts'
import { RestartIntensity } from './restart-intensity.ts'
import { drainChild, stopChild } from './stop-child.ts'
import {
  type Answered,
  attempt,
  becomeSupervisor,
  type ChildCounts,
  type ChildInfo,
  countChildren,
  Retry,
  SupervisedChild,
} from './supervised-child.ts'
import {
  type CheckedSupervisorOptions,
  checkChild,
  checkSupervisorOptions,
  type SupervisorOptions,
} from './supervisor-options.ts'

type Child = SupervisedChild<ChildSpec>

/** The insides of a supervisor, for kinds of supervisors that build on it. */
export let insidesOf: (supervisor: Supervisor) => {
  readonly children: readonly Child[]
  start(child: Child): Promise<void>
  stop(child: Child): Promise<void>
}

/**
 * A supervisor. Usually started by `supervise({ strategy, children })`, or as a child: `child(Supervisor, { arg: { ... } })`.
 * A subclass gives its own tree: `super({ strategy: 'one_for_one', children: [...] })`. Its calls have no timeout.
 *
 * Elixir: `Supervisor`.
 */
export class Supervisor extends GenServer {
  static override readonly childType: 'worker' | 'supervisor' = 'supervisor'
  static override readonly callTimeout: number = Infinity
  /** Each child has its own deadline. */
  static override readonly stopTimeout: number = Infinity

  readonly #options: CheckedSupervisorOptions
  readonly #intensity: RestartIntensity
  #children: Child[] = []
  #significantFailed = false

  constructor(options: SupervisorOptions) {
    super()
    this.#options = checkSupervisorOptions(options)
    this.#intensity = new RestartIntensity(this.#options.maxRestarts, this.#options.maxSeconds)
  }

  override async init(): Promise<void> {
    becomeSupervisor(this, () => this.#children)
    for (const spec of this.#options.children) {
      try {
        await this.#add(spec)
      } catch (error) {
        await this.#stopAll()
        const cause = error instanceof StartError ? error.reason : undefined
        const text = `child ${spec.label} failed to start: ${error instanceof Error ? error.message : String(error)}`
        const reason = { shutdown: { failedToStart: spec.id, reason: cause ?? error } }
        throw new StartError('start_failed', text, { cause: error, reason })
      }
    }
  }

  // ---- API

  /**
   * Adds a child after all others and starts it. The reply is its ref, `undefined` when it declined to run.
   *
   * @throws `CallError` `failed`, whose cause is a `SupervisorError` `already_started` or `already_present`, or the
   * `StartError` of the child, which is then forgotten.
   */
  startChild(spec: ChildSpec): Answered<Ref | undefined> {
    return attempt(this, async () => {
      checkChild(spec, this.#options.autoShutdown)
      const known = this.#children.find((child) => child.spec.id === spec.id)
      if (known !== undefined) throw alreadyKnown(known)
      return (await this.#add(spec)).process?.ref
    })
  }

  /**
   * Stops a child and keeps its specification, unless it is temporary. It is not restarted.
   *
   * @throws `CallError` `failed` with `SupervisorError` `not_found`.
   */
  terminateChild(id: ChildId): Answered<void> {
    return attempt(this, async () => {
      const child = this.#find(id)
      child.restarting = false
      await this.#stopOne(child)
      if (child.spec.restart === 'temporary') this.#forget(child)
    })
  }

  /**
   * Starts a child that does not run. The reply is its ref, `undefined` when it declined to run.
   *
   * @throws `CallError` `failed` with `SupervisorError` `not_found`, `running` or `restarting`, or the child's `StartError`.
   */
  restartChild(id: ChildId): Answered<Ref | undefined> {
    return attempt(this, async () => {
      const child = this.#findStopped(id)
      await this.#start(child)
      return child.process?.ref
    })
  }

  /**
   * Forgets a child that does not run.
   *
   * @throws `CallError` `failed` with `SupervisorError` `not_found`, `running` or `restarting`.
   */
  deleteChild(id: ChildId): Answered<void> {
    return attempt(this, () => this.#forget(this.#findStopped(id)))
  }

  /** The children in the order of their start. */
  whichChildren(): readonly ChildInfo[] {
    return this.#children.map(({ spec, process, restarting }) => ({
      id: spec.id,
      ref: restarting ? 'restarting' : process?.ref,
      type: spec.type,
    }))
  }

  countChildren(): ChildCounts {
    return countChildren(this.#children)
  }

  // ---- Callbacks

  override async handleInfo(message: unknown): Promise<void> {
    if (message instanceof Exit) {
      const child = this.#children.find(({ process }) => process?.ref === message.from)
      if (child !== undefined) await this.#ended(child, message.reason)
    } else if (message instanceof Retry) {
      const retried = this.#children.find((child) => child === message.child)
      if (retried?.restarting) await this.#restart(retried, 'retry')
    } else super.handleInfo(message)
  }

  override async handleDrain(): Promise<void> {
    announceDrain(this.#children)
    for (const child of drainOrder(this.#children)) {
      if (!child.process?.alive) continue
      child.askedAt = this.#process.runtime.clock.now()
      await drainChild(child.process, child.spec)
    }
  }

  override async terminate(): Promise<void> {
    await this.#stopAll()
  }

  // ---- How children end

  async #ended(child: Child, reason: ExitReason): Promise<void> {
    const { process } = child
    child.process = undefined
    if (child.comesBack(reason)) {
      await this.#restart(child, reason)
      return
    }
    if (child.spec.restart === 'temporary') this.#forget(child)
    if (child.spec.significant) this.#significantEnded(hasFailed(process, reason))
  }

  #significantEnded(failed: boolean): void {
    const { autoShutdown } = this.#options
    const others = this.#children.some((child) => child.spec.significant && child.process !== undefined)
    this.#significantFailed ||= failed
    if (autoShutdown === 'never' || (autoShutdown === 'all_significant' && others)) return
    noteOwnEnd(this.#process, this.#significantFailed ? 'significant child failed' : 'significant child ended')
    this.stop('shutdown')
  }

  async #restart(child: Child, reason: ExitReason): Promise<void> {
    if (!this.#intensity.allows(this.#process, child, reason)) {
      this.stop('shutdown')
      return
    }
    const group = await this.#stopGroup(child)
    for (const member of group) {
      try {
        member.restarting = false
        await this.#start(member)
      } catch (error) {
        member.retryLater(this.#process, error)
        return
      }
    }
  }

  /** Stops those that fall with a child, newest first, and says who is to be started, oldest first. */
  async #stopGroup(child: Child): Promise<readonly Child[]> {
    const { strategy } = this.#options
    if (strategy === 'one_for_one') return [child]
    const from = strategy === 'rest_for_one' ? this.#children.indexOf(child) : 0
    const group = this.#children.slice(from)
    for (const member of group.toReversed()) {
      await this.#stopOne(member)
      if (member !== child && member.spec.restart === 'temporary') this.#forget(member)
    }
    return group.filter((member) => this.#children.includes(member))
  }

  // ---- Starting and stopping one

  async #add(spec: ChildSpec): Promise<Child> {
    const child = new SupervisedChild(spec)
    await this.#start(child)
    if (child.process !== undefined || spec.restart !== 'temporary') this.#children.push(child)
    return child
  }

  async #start(child: Child): Promise<void> {
    child.askedAt = undefined
    try {
      child.process = await launchChild(child.spec.plan, this.#process, child.restarts)
    } catch (error) {
      if (!(error instanceof StartError && error.code === 'ignore')) throw error
    }
  }

  async #stopOne(child: Child): Promise<void> {
    const { process } = child
    child.process = undefined
    child.restarting = false
    if (process?.alive) await stopChild(this.#process, process, child)
  }

  async #stopAll(): Promise<void> {
    for (const child of this.#children.toReversed()) await this.#stopOne(child)
  }

  // ---- The list

  #find(id: ChildId): Child {
    const child = this.#children.find((known) => known.spec.id === id)
    if (child !== undefined) return child
    const known = this.#children.map(({ spec }) => spec.label).join(', ') || 'none'
    const text = `no child has the id ${typeof id === 'function' ? id.name : String(id)}; known are ${known}`
    throw new SupervisorError('not_found', text)
  }

  #findStopped(id: ChildId): Child {
    const child = this.#find(id)
    const { label } = child.spec
    if (child.restarting) throw new SupervisorError('restarting', `child ${label} is being started again`)
    if (child.process !== undefined) {
      throw new SupervisorError('running', `child ${label} runs; stop it with terminateChild first`, child.process.ref)
    }
    return child
  }

  #forget(child: Child): void {
    this.#children = this.#children.filter((known) => known !== child)
  }

  get #process(): Process {
    return processOf(this.self)
  }

  static {
    insidesOf = (supervisor) => ({
      children: supervisor.#children,
      start: (child) => supervisor.#start(child),
      stop: (child) => supervisor.#stopOne(child),
    })
  }
}

function alreadyKnown({ spec, process }: Child): SupervisorError {
  if (process !== undefined) {
    return new SupervisorError('already_started', `a child with the id ${spec.label} runs: ${process}`, process.ref)
  }
  const text = `a child with the id ${spec.label} is known but does not run: use restartChild, or deleteChild first`
  return new SupervisorError('already_present', text)
}

/**
 * Starts a supervisor for the program: its children in order, restarted by the strategy, stopped in reverse order. It keeps
 * the program alive. Inside a process use `this.startLink(Supervisor, { arg: { ... } })`, in a tree
 * `child(Supervisor, { arg: { ... } })`.
 *
 * @throws `StartError`: `start_failed` when a child does not start (those before it are stopped again), `bad_options`,
 * `bad_child`.
 *
 * Elixir: `Supervisor.start_link`.
 */
export async function supervise(options: SupervisorOptions & StartOptions<Supervisor>): Promise<Ref<Supervisor>> {
  const { name, timeout, ...arg } = options
  return typedRef(
    await startFrom(mainProcess('supervise', 'this.startLink(Supervisor, { arg: ... })'), true, Supervisor, {
      arg,
      name,
      timeout,
    }),
  )
}

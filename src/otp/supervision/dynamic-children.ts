/**
 * The children of a supervisor that come and go while it runs: found by their process in O(1), restarted one by one, stopped
 * all at once. What a child is made from is the supervisor's business.
 */

import type { ExitReason } from '../../process/exit-reason.ts'
import { Process } from '../../process/process.ts'
import { processOf, type Ref } from '../../process/ref.ts'
import { Exit } from '../../process/signals.ts'
import { StartError, SupervisorError } from '../errors.ts'
import type { GenServer } from '../gen-server.ts'
import { ChainedChild, ChildChain } from './child-chain.ts'
import { RestartIntensity } from './restart-intensity.ts'
import { stopChild } from './stop-child.ts'
import {
  becomeSupervisor,
  type ChildCounts,
  type ChildInfo,
  type ChildTerms,
  countChildren,
  Retry,
  type SupervisedChild,
} from './supervised-child.ts'
import type { CheckedDynamicOptions } from './supervisor-options.ts'

/** Starts the process of a child, linked to the supervisor; throws `StartError`. */
export type StartChild<Spec> = (spec: Spec, restarts: number) => Process | Promise<Process>

/** Told of a child that has gone for good, by itself or by request; not of those that end with the supervisor. */
export type ChildGone<Spec> = (spec: Spec) => void

export class DynamicChildren<Spec extends ChildTerms> {
  readonly #server: GenServer
  readonly #maxChildren: number
  readonly #intensity: RestartIntensity
  readonly #start: StartChild<Spec>
  readonly #gone: ChildGone<Spec> | undefined
  #supervisor!: Process
  /** One that is restarting stands here as the process that ended. */
  #children!: ChildChain<Spec>

  constructor(
    server: GenServer,
    options: CheckedDynamicOptions,
    start: StartChild<Spec>,
    gone?: ChildGone<Spec> | undefined,
  ) {
    this.#server = server
    this.#maxChildren = options.maxChildren
    this.#intensity = new RestartIntensity(options.maxRestarts, options.maxSeconds)
    this.#start = start
    this.#gone = gone
  }

  /** The server begins to supervise; nothing works before. `looked` runs whenever somebody looks at the children. */
  begin(looked?: () => void): Process {
    this.#supervisor = becomeSupervisor(this.#server, () => {
      looked?.()
      return this.#children.list()
    })
    this.#children = new ChildChain(this.#supervisor)
    return this.#supervisor
  }

  // ---- Coming

  /** @throws `SupervisorError` `max_children` when there is no place for one more. */
  admit(): void {
    if (this.#children.size < this.#maxChildren) return
    const text = `${this.#supervisor} has ${this.#children.size} children, and maxChildren is ${this.#maxChildren}`
    throw new SupervisorError('max_children', text)
  }

  /** Takes a process in that was started for a specification. */
  adopt(spec: Spec, process: Process): void {
    this.#children.append(new ChainedChild(spec), process)
  }

  /** Starts a child; `undefined` when it declined to run. @throws `StartError`, and as `admit`. */
  add(spec: Spec): Ref | undefined | Promise<Ref | undefined> {
    this.admit()
    try {
      const started = this.#start(spec, 0)
      if (started instanceof Process) return this.#added(spec, started)
      return started.then((process) => this.#added(spec, process), declined)
    } catch (error) {
      return declined(error)
    }
  }

  #added(spec: Spec, process: Process): Ref {
    this.adopt(spec, process)
    return process.ref
  }

  // ---- Ending

  /** Handles a message if it is about a child. */
  handle(message: unknown): 'no child' | void | Promise<void> {
    if (message instanceof Exit) {
      const child = this.#children.find(processOf(message.from))
      if (child === undefined) return
      if (child.comesBack(message.reason)) return this.#restart(child, message.reason)
      this.#forget(child)
      return
    }
    if (!(message instanceof Retry)) return 'no child'
    const { process } = message.child
    const child = process && this.#children.find(process)
    // It may have been terminated meanwhile.
    if (child?.restarting) return this.#restart(child, 'retry')
  }

  async #restart(child: ChainedChild<Spec>, reason: ExitReason): Promise<void> {
    if (!this.#intensity.allows(this.#supervisor, child, reason)) {
      this.#server.stop('shutdown')
      return
    }
    child.restarting = false
    try {
      const process = await this.#start(child.spec, child.restarts)
      this.#children.remove(child)
      this.#children.append(child, process)
    } catch (error) {
      if (isIgnore(error)) this.#forget(child)
      else child.retryLater(this.#supervisor, error)
    }
  }

  /** Stops one and forgets it. @throws `SupervisorError` `not_found`. */
  terminate(ref: Ref): void | Promise<void> {
    const child = this.#children.find(processOf(ref))
    if (child === undefined) {
      throw new SupervisorError('not_found', `${ref} is no child of ${this.#supervisor}, or has ended`)
    }
    const stopping = this.#stop(child)
    if (stopping !== undefined) return stopping.then(() => this.#forget(child))
    this.#forget(child)
  }

  #forget(child: ChainedChild<Spec>): void {
    this.#children.remove(child)
    this.#gone?.(child.spec)
  }

  /** Stops all at once, each within its own time. */
  async stopAll(): Promise<void> {
    const children = this.#children.list()
    await Promise.all(children.map((child) => this.#stop(child)))
    for (const child of children) this.#children.remove(child)
  }

  #stop(child: SupervisedChild<Spec>): void | Promise<void> {
    if (child.process?.alive) return stopChild(this.#supervisor, child.process, child)
  }

  /** Lets all finish at once what they hold. */
  async drain(finish: (child: Process, spec: Spec) => Promise<void>): Promise<void> {
    const now = this.#supervisor.runtime.clock.now()
    await Promise.all(
      this.#children.list().map((child) => {
        const { process, spec } = child
        if (!process?.alive) return undefined
        child.askedAt = now
        return finish(process, spec)
      }),
    )
  }

  /** All are expected to end by themselves from now on; returns how many milliseconds the last of them has. */
  expectEnds(): number {
    const askedAt = this.#supervisor.runtime.clock.now()
    let longest = 0
    for (const child of this.#children.list()) {
      child.askedAt = askedAt
      if (typeof child.spec.shutdown === 'number') longest = Math.max(longest, child.spec.shutdown)
    }
    return longest
  }

  // ---- What there is

  /** Those that run, and those that are restarting. */
  get size(): number {
    return this.#children.size
  }

  /** The processes that run, in the order of their start. */
  get refs(): readonly Ref[] {
    return this.#children.list().flatMap(({ process }) => (process?.alive ? process.ref : []))
  }

  which(): readonly ChildInfo<undefined>[] {
    return this.#children.list().map(({ spec, process, restarting }) => ({
      id: undefined,
      ref: restarting ? 'restarting' : process?.ref,
      type: spec.type,
    }))
  }

  count(): ChildCounts {
    return countChildren(this.#children.list())
  }
}

function isIgnore(error: unknown): boolean {
  return error instanceof StartError && error.code === 'ignore'
}

/** A child that declines is no failure, and is not kept. */
function declined(error: unknown): undefined {
  if (!isIgnore(error)) throw error
}

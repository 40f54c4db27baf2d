/** What supervisors of all kinds have in common: how a child stands, when it comes back, and how requests are refused. */

import { type ExitReason, isOrderly } from '../../process/exit-reason.ts'
import type { Later } from '../../process/later.ts'
import type { Process } from '../../process/process.ts'
import { processOf, type Ref } from '../../process/ref.ts'
import type { GenServer } from '../gen-server.ts'
import type { ChildId, ChildSpec } from './child-spec.ts'

/** One child as `whichChildren` tells it. */
export interface ChildInfo<Id extends ChildId | undefined = ChildId> {
  /** `undefined` under a dynamic supervisor, whose children are told apart by their refs. */
  readonly id: Id
  /** Its process; `undefined` when it does not run, `restarting` while it is being started again. */
  readonly ref: Ref | 'restarting' | undefined
  readonly type: 'worker' | 'supervisor'
}

/** How many children there are. */
export interface ChildCounts {
  /** Child specifications, running or not. */
  readonly specs: number
  /** Processes that run. */
  readonly active: number
  readonly supervisors: number
  readonly workers: number
}

/** What a supervisor has to know of a child, whatever it is made from. */
export type ChildTerms = Pick<ChildSpec, 'label' | 'restart' | 'shutdown' | 'type'>

/** A child as its supervisor sees it. */
export class SupervisedChild<Spec extends ChildTerms = ChildTerms> {
  readonly spec: Spec
  process: Process | undefined = undefined
  /** A start failed and will be tried again. */
  restarting = false
  restarts = 0
  /** Its process while it is being stopped, which some supervisors no longer count as theirs. */
  stopping: Process | undefined = undefined
  /** When it was asked to stop, or to finish what it holds. */
  askedAt: number | undefined = undefined

  constructor(spec: Spec) {
    this.spec = spec
  }

  /** It is to be started again after it ended so. */
  comesBack(reason: ExitReason): boolean {
    const { restart } = this.spec
    return restart === 'permanent' || (restart === 'transient' && !isOrderly(reason))
  }

  /** Its restart failed: says so, and has the supervisor try again, after the requests that wait. */
  retryLater(supervisor: Process, error: unknown): void {
    const { label } = this.spec
    const text = `${supervisor} could not restart ${label} and will try again: ${error instanceof Error ? error.message : String(error)}`
    supervisor.runtime.logger.error({ supervisor: `${supervisor}`, child: label, err: error }, text)
    this.restarting = true
    supervisor.ref.send(new Retry(this))
  }
}

/** Sent to itself after a failed restart, so that other requests are served between the attempts. */
export class Retry {
  readonly child: SupervisedChild

  constructor(child: SupervisedChild) {
    this.child = child
  }
}

/** The children of each supervisor, to be looked at from outside: what a supervisor is doing need not end first. */
const supervised = new WeakMap<Process, () => Iterable<SupervisedChild>>()

/** The children of a process in the order of their start, `undefined` when it is no supervisor. */
export function childrenOf(process: Process): Iterable<SupervisedChild> | undefined {
  return supervised.get(process)?.()
}

/** Makes a server a supervisor: the ends of its children are messages, and while it runs the program goes on. */
export function becomeSupervisor(server: GenServer, children: () => Iterable<SupervisedChild>): Process {
  const process = processOf(server.self)
  supervised.set(process, children)
  server.trapExits(true)
  process.onEnd(process.runtime.hold())
  return process
}

/** How many of these children there are. */
export function countChildren(children: Iterable<SupervisedChild>): ChildCounts {
  let specs = 0
  let active = 0
  let supervisors = 0
  for (const { spec, process } of children) {
    specs++
    if (process?.alive) active++
    if (spec.type === 'supervisor') supervisors++
  }
  return { specs, active, supervisors, workers: specs - supervisors }
}

/** What a request returns: its reply, at once or promised, or a handle by which it is refused. */
export type Answered<T> = T | Later<T> | Promise<T | Later<T>>

/** Handles a request. An expected failure rejects the call, it does not crash the supervisor. */
export function attempt<T>(server: GenServer, work: () => T | Promise<T>): Answered<T> {
  try {
    return answered(server, work())
  } catch (error) {
    return refused<T>(server, error)
  }
}

/** What a request returns for what it came to. */
export function answered<T>(server: GenServer, result: T | Promise<T>): Answered<T> {
  return result instanceof Promise ? result.then(undefined, (error: unknown) => refused<T>(server, error)) : result
}

/** What a request returns that failed as it may. */
export function refused<T>(server: GenServer, error: unknown): Later<T> {
  const later = server.later<T>()
  later.fail(error)
  return later
}

/** Where the processes of tasks are started: by their owner, or by a task supervisor, whose children they then are. */

import { ProcessError } from '../../process/errors.ts'
import type { Class, Name } from '../../process/name.ts'
import { holderOf } from '../../process/name.ts'
import type { Outcome } from '../../process/plain.ts'
import type { Process } from '../../process/process.ts'
import type { Ref } from '../../process/ref.ts'
import type { Runtime } from '../../process/runtime.ts'
import { isShutdown, type Restart, type Shutdown } from '../supervision/child-spec.ts'
import type { AsyncStreamOptions } from './async-stream.ts'
import type { TaskFunction } from './task-context.ts'
import type { TaskSupervisor } from './task-supervisor.ts'

/** A task supervisor: a ref, a name, or the class when it is the name. */
export type TaskSupervisorTarget = Ref<TaskSupervisor> | Name<TaskSupervisor> | Class<TaskSupervisor>

/** How a process starts a task: `this.task(run, { supervisor, link: false })`. */
export interface TaskOptions {
  /** The task supervisor whose child it becomes. Default: none, it is a child of its owner. */
  readonly supervisor?: TaskSupervisorTarget | undefined
  /** Ties the fates of task and owner. With false the owner only hears of the end. Default true. */
  readonly link?: boolean | undefined
  /** Milliseconds it has to stop when the supervisor stops, or `brutal_kill`. Default 5000. */
  readonly shutdown?: Shutdown | undefined
}

/** How a process starts a stream of tasks: `this.asyncStream(source, run, { supervisor, maxConcurrency: 10 })`. */
export interface TaskStreamOptions extends AsyncStreamOptions, TaskOptions {}

/** A task as the child of a supervisor. */
export interface TaskTerms {
  readonly label: string
  readonly restart: Restart
  readonly shutdown: Shutdown
  readonly type: 'worker'
  readonly run: TaskFunction<unknown>
  /** Who asked for it. */
  readonly owner: Process
  readonly ended: ((outcome: Outcome) => void) | undefined
}

/** Starts a task as a child; throws `SupervisorError` `max_children`. */
export type TaskHost = (terms: TaskTerms) => Process

const hosts = new WeakMap<Process, TaskHost>()

/** Declares a process to be a task supervisor. */
export function hostTasks(process: Process, host: TaskHost): void {
  hosts.set(process, host)
}

/**
 * The host of a task supervisor.
 *
 * @throws `ProcessError` `noproc` when it does not run, or stops; `bad_argument` when it is no task supervisor.
 */
export function hostOf(runtime: Runtime, target: TaskSupervisorTarget): TaskHost {
  const process = holderOf(runtime, target)
  const text = typeof target === 'function' ? target.name : String(target)
  if (process === undefined || !process.alive || process.stopping) {
    const state = process?.alive ? 'is stopping' : 'does not run'
    throw new ProcessError('noproc', `the task was not started: the task supervisor ${text} ${state}`)
  }
  const host = hosts.get(process)
  if (host !== undefined) return host
  throw new ProcessError('bad_argument', `the task was not started: expected a TaskSupervisor, got ${text}`)
}

/** How the tasks of an owner are started by these options: `undefined` when the owner does that itself. */
export function spawnerOf(
  owner: Process,
  { supervisor, shutdown = 5000 }: TaskOptions,
): ((run: TaskFunction<unknown>, ended: (outcome: Outcome) => void, label: string) => Process) | undefined {
  if (!isShutdown(shutdown)) throw badShutdown(shutdown)
  if (supervisor === undefined) return undefined
  return (run, ended, label) => {
    const host = hostOf(owner.runtime, supervisor)
    return host({ owner, run, ended, label, restart: 'temporary', shutdown, type: 'worker' })
  }
}

export function badShutdown(got: unknown): ProcessError {
  const text = `shutdown of a task: expected milliseconds >= 0, Infinity or 'brutal_kill', got ${String(got)}`
  return new ProcessError('bad_argument', text)
}

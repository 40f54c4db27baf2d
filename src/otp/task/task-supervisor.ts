/** TaskSupervisor: tasks as the children of a supervisor, so that they can be limited, listed and stopped together. */

import { ProcessError } from '../../process/errors.ts'
import type { Process } from '../../process/process.ts'
import type { Ref } from '../../process/ref.ts'
import { currentRuntime, mainProcess } from '../../process/runtime.ts'
import { GenServer } from '../gen-server.ts'
import { isRestart, isShutdown, type Restart } from '../supervision/child-spec.ts'
import { DynamicChildren } from '../supervision/dynamic-children.ts'
import { endOf } from '../supervision/stop-child.ts'
import { type Answered, attempt } from '../supervision/supervised-child.ts'
import { checkDynamicOptions, type DynamicOptions } from '../supervision/supervisor-options.ts'
import type { AsyncStreamOptions, StreamFunction, StreamOutcome } from './async-stream.ts'
import { labelOf, spawnTask } from './spawn-task.ts'
import { startTask, streamTasks, type Task, tasks } from './task.ts'
import type { TaskFunction } from './task-context.ts'
import {
  badShutdown,
  hostOf,
  hostTasks,
  type TaskOptions,
  type TaskSupervisorTarget,
  type TaskTerms,
} from './task-host.ts'

/** What a task supervisor is told of a task: how long it has to stop when the supervisor stops. */
export type SupervisedTaskOptions = Pick<TaskOptions, 'shutdown'>

/** Options of `TaskSupervisor.startChild`. */
export interface TaskChildOptions extends SupervisedTaskOptions {
  /** When to run the function again. Default `temporary`: never. */
  readonly restart?: Restart | undefined
}

/**
 * A supervisor whose children are tasks. Start it with `startLink(TaskSupervisor, { arg: { maxChildren: 100 } })`, or as a
 * child: `child(TaskSupervisor, { name: TaskSupervisor })`. When it stops, all its tasks are asked to stop at once, each
 * within its own `shutdown`; `stop({ drain: true })` lets them finish within that time. Its calls have no timeout.
 *
 * The static methods start tasks for the program. Inside a process use `this.task(run, { supervisor })`, with `link: false`
 * for what is `asyncNolink` here, and `this.asyncStream(source, run, { supervisor })`.
 *
 * @example
 * ```ts
 * import { startLink, TaskSupervisor } from 'sluice'
 *
 * const tasks = await startLink(TaskSupervisor, { arg: { maxChildren: 10 } })
 * const answer = TaskSupervisor.async(tasks, async () => 6 * 7)
 * console.log(await answer.await()) // 42
 * await tasks.stop()
 * ```
 * Elixir: `Task.Supervisor`.
 */
export class TaskSupervisor extends GenServer {
  static override readonly childType: 'worker' | 'supervisor' = 'supervisor'
  static override readonly callTimeout: number = Infinity
  /** Each task has its own deadline. */
  static override readonly stopTimeout: number = Infinity

  /**
   * Starts a task that belongs to the program. A failure that nobody has asked for is thrown as an uncaught error.
   *
   * @throws `SupervisorError` `max_children`; `ProcessError` `noproc` when the supervisor does not run. Elixir:
   * `Task.Supervisor.async`.
   */
  static async<T>(
    supervisor: TaskSupervisorTarget,
    run: TaskFunction<T>,
    options?: SupervisedTaskOptions,
  ): Task<Awaited<T>> {
    const owner = mainProcess('TaskSupervisor.async', 'this.task(run, { supervisor })')
    return startTask(owner, run, { ...options, supervisor })
  }

  /** Like `async`, and not linked: its failure is only told to who asks. Elixir: `Task.Supervisor.async_nolink`. */
  static asyncNolink<T>(
    supervisor: TaskSupervisorTarget,
    run: TaskFunction<T>,
    options?: SupervisedTaskOptions,
  ): Task<Awaited<T>> {
    const owner = mainProcess('TaskSupervisor.asyncNolink', 'this.task(run, { supervisor, link: false })')
    return startTask(owner, run, { ...options, supervisor, link: false })
  }

  /**
   * Runs a function as a child that nobody waits for and nobody but the supervisor is linked to. It may be called inside a
   * process too.
   *
   * @throws as `async`. Elixir: `Task.Supervisor.start_child`.
   */
  static startChild(supervisor: TaskSupervisorTarget, run: TaskFunction<unknown>, options: TaskChildOptions = {}): Ref {
    const { restart = 'temporary', shutdown = 5000 } = options
    if (!isShutdown(shutdown)) throw badShutdown(shutdown)
    if (!isRestart(restart)) {
      const text = `restart of a task: expected permanent, transient, temporary, got ${String(restart)}`
      throw new ProcessError('bad_argument', text)
    }
    const runtime = currentRuntime()
    const owner = runtime.current ?? runtime.main
    const host = hostOf(runtime, supervisor)
    return host({ owner, run, ended: undefined, label: labelOf(run), restart, shutdown, type: 'worker' }).ref
  }

  /**
   * A stream of tasks that are children of the supervisor: see `Task.asyncStream`. When the supervisor has no place for one
   * more, the stream ends its tasks and fails with `SupervisorError` `max_children`. Elixir: `Task.Supervisor.async_stream`.
   */
  static asyncStream<E, R>(
    supervisor: TaskSupervisorTarget,
    source: Iterable<E> | AsyncIterable<E>,
    run: StreamFunction<E, R>,
    options?: AsyncStreamOptions & SupervisedTaskOptions,
  ): AsyncIterable<StreamOutcome<Awaited<R>, E>> {
    const owner = mainProcess('TaskSupervisor.asyncStream', 'this.asyncStream(source, run, { supervisor })')
    return streamTasks(owner, source, run, { ...options, supervisor })
  }

  /** Like `asyncStream`, and the tasks are not linked to the reader. Elixir: `Task.Supervisor.async_stream_nolink`. */
  static asyncStreamNolink<E, R>(
    supervisor: TaskSupervisorTarget,
    source: Iterable<E> | AsyncIterable<E>,
    run: StreamFunction<E, R>,
    options?: AsyncStreamOptions & SupervisedTaskOptions,
  ): AsyncIterable<StreamOutcome<Awaited<R>, E>> {
    const instead = 'this.asyncStream(source, run, { supervisor, link: false })'
    const owner = mainProcess('TaskSupervisor.asyncStreamNolink', instead)
    return streamTasks(owner, source, run, { ...options, supervisor, link: false })
  }

  readonly #children: DynamicChildren<TaskTerms>
  #process!: Process

  constructor(options: DynamicOptions = {}) {
    super()
    const checked = checkDynamicOptions('TaskSupervisor', options)
    this.#children = new DynamicChildren(this, checked, (terms, restarts) => this.#spawn(terms, restarts))
  }

  override init(): void {
    this.#process = this.#children.begin()
    // The owner has its task at once, and not after a message to the supervisor.
    hostTasks(this.#process, (terms) => {
      this.#children.admit()
      const process = this.#spawn(terms, 0)
      this.#children.adopt(terms, process)
      // What a callback starts after its process was killed belongs to nobody, and does not run.
      if (!terms.owner.alive) process.exit({ shutdown: terms.owner.exitReason }, 'signalled')
      return process
    })
  }

  // ---- API

  /** The tasks that run. Elixir: `Task.Supervisor.children`. */
  children(): readonly Ref[] {
    return this.#children.refs
  }

  /**
   * Stops a task and forgets it, whatever its `restart` says.
   *
   * @throws `CallError` `failed` with `SupervisorError` `not_found`. Elixir: `Task.Supervisor.terminate_child`.
   */
  terminateChild(ref: Ref): Answered<void> {
    return attempt(this, () => this.#children.terminate(ref))
  }

  // ---- Callbacks

  override handleInfo(message: unknown): unknown {
    const handled = this.#children.handle(message)
    return handled === 'no child' ? super.handleInfo(message) : handled
  }

  override async handleDrain(): Promise<void> {
    await this.#children.drain(endOf)
  }

  override async terminate(): Promise<void> {
    await this.#children.stopAll()
  }

  #spawn({ owner, run, label, ended }: TaskTerms, restarts: number): Process {
    const process = spawnTask({ owner, parent: this.#process, label, run, ended }, tasks)
    process.restarts = restarts
    this.#process.link(process)
    return process
  }
}

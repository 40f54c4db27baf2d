/** What the function of a task can do as that process: what `this` is inside a server. */

import { contextOf, type Outcome, PlainContext } from '../../process/plain.ts'
import type { Process } from '../../process/process.ts'
import { type Ref, typedRef } from '../../process/ref.ts'
import type { GenServer } from '../gen-server.ts'
import { type StartArguments, startFrom } from '../start.ts'
import type { StreamFunction, StreamOutcome } from './async-stream.ts'
import type { Task } from './task.ts'
import type { TaskOptions, TaskStreamOptions } from './task-host.ts'

/** How a task ended: `{ ok: true, value }`, or `{ ok: false, exit }` with the exit reason. */
export type TaskOutcome<T> = Outcome<T>

/** The function of a task; its argument is what it can do as a process. */
export type TaskFunction<T> = (context: TaskContext) => T

/** How a task starts tasks of its own. */
export interface Tasks {
  start<T>(owner: Process, run: TaskFunction<T>, options?: TaskOptions): Task<Awaited<T>>
  stream<E, R>(
    owner: Process,
    source: Iterable<E> | AsyncIterable<E>,
    run: StreamFunction<E, R>,
    options?: TaskStreamOptions,
  ): AsyncIterable<StreamOutcome<Awaited<R>, E>>
}

export class TaskContext extends PlainContext {
  readonly #caller: Process
  readonly #tasks: Tasks

  constructor(process: Process, caller: Process, tasks: Tasks) {
    super(process)
    this.#caller = caller
    this.#tasks = tasks
  }

  /** Who asked for this task, nearest first; a supervisor in between is not one. Elixir: `$callers`. */
  get callers(): readonly Ref[] {
    const asked = contextOf(this.#caller)
    return [this.#caller.ref, ...(asked instanceof TaskContext ? asked.callers : [])]
  }

  /** Starts a task that belongs to this one: linked to it, and ended with it. Elixir: `Task.async`. */
  task<T>(run: TaskFunction<T>, options?: TaskOptions): Task<Awaited<T>> {
    return this.#tasks.start(this.process, run, options)
  }

  /** A stream of tasks that belongs to this one: see `Task.asyncStream`. It ends with the task. */
  asyncStream<E, R>(
    source: Iterable<E> | AsyncIterable<E>,
    run: StreamFunction<E, R>,
    options?: TaskStreamOptions,
  ): AsyncIterable<StreamOutcome<Awaited<R>, E>> {
    return this.#tasks.stream(this.process, source, run, options)
  }

  /** Starts a process of its own. */
  async start<T extends GenServer, A extends readonly unknown[]>(
    type: new (...args: A) => T,
    ...options: StartArguments<T, A>
  ): Promise<Ref<T>> {
    return typedRef(await startFrom(this.process, false, type, options[0]))
  }

  /** Starts a process linked to this one. */
  async startLink<T extends GenServer, A extends readonly unknown[]>(
    type: new (...args: A) => T,
    ...options: StartArguments<T, A>
  ): Promise<Ref<T>> {
    return typedRef(await startFrom(this.process, true, type, options[0]))
  }
}

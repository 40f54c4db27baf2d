/**
 * Task: a function that runs as a process of its own, and whose outcome somebody waits for.
 *
 * A task belongs to its owner, the process that started it. It is linked to it: when the task fails, so does an owner that
 * does not trap exits, and a task does not outlive its owner. The program as owner is not linked: a failure that nobody has
 * asked for by the end of the turn is thrown as an uncaught error. Anybody may wait for the outcome. If nobody does, an
 * owner that is a process gets it as messages: a `TaskReply`, then a `Down`.
 */

import { failInCallersFrame } from '../../process/call.ts'
import { describeReason, isOrderly } from '../../process/exit-reason.ts'
import { DOWN, INFO } from '../../process/message.ts'
import { contextOf, type Outcome } from '../../process/plain.ts'
import type { Process } from '../../process/process.ts'
import type { Ref } from '../../process/ref.ts'
import { currentRuntime, mainProcess } from '../../process/runtime.ts'
import { Down, type Monitor } from '../../process/signals.ts'
import { TaskError } from '../errors.ts'
import {
  type AsyncStreamOptions,
  asyncStream,
  type StreamFunction,
  type StreamOutcome,
  type StreamPlan,
} from './async-stream.ts'
import { labelOf, spawnTask } from './spawn-task.ts'
import type { TaskFunction, TaskOutcome, Tasks } from './task-context.ts'
import { spawnerOf, type TaskOptions, type TaskStreamOptions } from './task-host.ts'
import {
  DEFAULT_TIMEOUT,
  timeoutOf,
  type WaitOptions,
  type YieldManyOptions,
  yieldManyOptions,
} from './task-options.ts'
import { TaskReply } from './task-reply.ts'
import { addWaiter, firstWaiting, Waiter } from './task-waiter.ts'

/** How a task is bound to its owner. */
export interface TaskPlan {
  readonly owner: Process
  /** Who starts and stops the process: the owner, or a supervisor. */
  readonly parent: Process
  /** Its fate is tied to that of its owner, unless that is the program. */
  readonly linked: boolean
  /** Starts its process; left out, it is a child of the parent. */
  readonly spawn?: StreamPlan['spawn'] | undefined
}

/**
 * A function that runs as a process, and its outcome. Inside a process use `this.task(run)`.
 *
 * @example
 * ```ts
 * import { Task } from 'sluice'
 *
 * const answer = Task.async(async () => 6 * 7)
 * console.log(await answer.await()) // 42
 * ```
 * Elixir: `Task`.
 */
export class Task<T> implements Monitor {
  readonly id: number
  readonly #owner: Process
  readonly #process: Process | undefined
  #outcome: TaskOutcome<T> | undefined
  /** Somebody waits or has waited for the value, or has let go of it: the owner gets no messages. */
  #taken = false
  /** Somebody has asked: a failure is no surprise to the program. */
  #asked = false
  /** The outcome went to the owner as messages. */
  #informed = false
  /** The outcome was handed out. */
  #consumed = false
  #waiter: Waiter | undefined = undefined

  constructor(plan: TaskPlan, run: TaskFunction<T | PromiseLike<T>> | undefined, outcome?: TaskOutcome<T>) {
    const { owner, parent, linked } = plan
    this.#owner = owner
    this.#outcome = outcome
    this.id = owner.runtime.nextId()
    if (run === undefined) return
    const ended = (outcome: Outcome): void => this.#ended(outcome as TaskOutcome<T>)
    const label = labelOf(run)
    this.#process = plan.spawn?.(run, ended, label) ?? spawnTask({ owner, parent, label, run, ended }, tasks)
    // The program hears of a failure when it waits, or as an uncaught error when nobody does.
    if (linked && owner !== owner.runtime.main) this.#process.link(owner)
  }

  /**
   * Starts a task that belongs to the program. Inside a process use `this.task(run)`.
   *
   * Elixir: `Task.async`.
   */
  static async<T>(run: TaskFunction<T>): Task<Awaited<T>> {
    return startTask(mainProcess('Task.async', 'this.task'), run)
  }

  /**
   * Runs a function for each element of a source, a few at a time, and gives the outcomes as an async iterable. Lazy: nothing
   * runs before a loop reads it, and each loop runs it anew. An element is taken from the source when its task can start;
   * when the reader is slow, the tasks wait for it. Leaving the loop early kills what runs and closes the source.
   *
   * A task that fails is an `{ ok: false, exit }`; in a process (`this.asyncStream`) that does not trap exits it ends the
   * process. A function that declares its second parameter, the context, runs as a process; one that does not runs without.
   *
   * @example
   * ```ts
   * import { Task } from 'sluice'
   *
   * for await (const outcome of Task.asyncStream([1, 2, 3], async (n) => n * 2, { maxConcurrency: 2 })) {
   *   if (outcome.ok) console.log(outcome.value) // 2, 4, 6
   * }
   * ```
   * @throws `ProcessError` `bad_argument` for a bad option, at once; in the loop what the source throws, and `TaskError`
   * `timeout` when a task is late and `onTimeout` is `exit`. Elixir: `Task.async_stream`.
   */
  static asyncStream<E, R>(
    source: Iterable<E> | AsyncIterable<E>,
    run: StreamFunction<E, R>,
    options?: AsyncStreamOptions,
  ): AsyncIterable<StreamOutcome<Awaited<R>, E>> {
    return streamTasks(mainProcess('Task.asyncStream', 'this.asyncStream'), source, run, options)
  }

  /** A task that is done, without a process. Elixir: `Task.completed`. */
  static completed<T>(value: T): Task<T> {
    const { main } = currentRuntime()
    return new Task<T>({ owner: main, parent: main, linked: false }, undefined, { ok: true, value })
  }

  /** Runs a function as a process that nobody waits for and nobody is linked to. Elixir: `Task.start`. */
  static start(run: TaskFunction<unknown>): Ref {
    const owner = mainProcess('Task.start', 'this.task')
    return spawnTask({ owner, parent: owner, label: labelOf(run), run }, tasks).ref
  }

  /**
   * Runs a function as a process linked to the program that nobody waits for: a failure is thrown as an uncaught error.
   * Elixir: `Task.start_link`.
   */
  static startLink(run: TaskFunction<unknown>): Ref {
    const owner = mainProcess('Task.startLink', 'this.task')
    const process = spawnTask({ owner, parent: owner, label: labelOf(run), run }, tasks)
    owner.link(process)
    return process.ref
  }

  /**
   * Waits for all, within one timeout; the values stand in the order of the tasks.
   *
   * @throws `TaskError` `exit` as soon as one fails, `timeout` when they are not all done in time: they go on.
   * `ProcessError` `bad_argument` for a bad timeout. Elixir: `Task.await_many`.
   */
  static awaitMany<const Tasks extends readonly Task<unknown>[]>(
    tasks: Tasks,
    options: WaitOptions = {},
  ): Promise<{ -readonly [K in keyof Tasks]: Tasks[K] extends Task<infer Value> ? Value : never }> {
    type Values = { -readonly [K in keyof Tasks]: Tasks[K] extends Task<infer Value> ? Value : never }
    return new Promise((resolve, reject) => {
      const timeout = timeoutOf(options)
      for (const task of tasks) task.#take()
      const values: unknown[] = new Array(tasks.length).fill(undefined)
      let left = tasks.length
      if (left === 0) resolve(values as Values)
      Task.#waitForEach(tasks, timeout, (task, index) => {
        const outcome = task.#outcome
        if (outcome?.ok !== true) {
          failInCallersFrame(resolve, reject, () => task.#error(outcome, timeout))
          return true
        }
        task.#consumed = true
        values[index] = outcome.value
        left--
        if (left === 0) resolve(values as Values)
        return left === 0
      })
    })
  }

  /**
   * Waits for all, within one timeout, or until `limit` have ended. Outcomes stand in the order of the tasks, `undefined` for
   * those that are not done. The late ones go on, unless `onTimeout` says otherwise; it does not count when `limit` was reached.
   *
   * @throws `ProcessError` `bad_argument` for a bad option. Elixir: `Task.yield_many`.
   */
  static async yieldMany<T>(
    tasks: readonly Task<T>[],
    options: YieldManyOptions = {},
  ): Promise<readonly (TaskOutcome<T> | undefined)[]> {
    const { timeout, limit, onTimeout } = yieldManyOptions(options)
    const wanted = Math.min(limit, new Set(tasks).size)
    const outcomes = new Map<Task<T>, TaskOutcome<T>>()
    const late = await new Promise<boolean>((resolve) => {
      if (wanted === 0) resolve(false)
      Task.#waitForEach(tasks, timeout, (task) => {
        const outcome = task.#outcome
        if (outcome !== undefined) {
          task.#consume()
          outcomes.set(task, outcome)
        } else resolve(true)
        if (outcomes.size >= wanted) resolve(false)
        return outcome === undefined || outcomes.size >= wanted
      })
    })
    const rest = async (task: Task<T>): Promise<TaskOutcome<T> | undefined> => {
      if (!late || onTimeout === 'nothing') return undefined
      return onTimeout === 'ignore' ? task.ignore() : await task.shutdown('brutal_kill')
    }
    return await Promise.all(tasks.map((task) => outcomes.get(task) ?? rest(task)))
  }

  /** The process; `undefined` for a task made by `completed`. */
  get ref(): Ref | undefined {
    return this.#process?.ref
  }

  /** The process that it belongs to. */
  get owner(): Ref {
    return this.#owner.ref
  }

  /**
   * Waits for the value. Anybody may, as often as they like.
   *
   * @throws `TaskError` `exit` when the task failed, with the crash as its cause; `timeout` when it is not done in time: it
   * goes on. `ProcessError` `bad_argument` for a bad timeout. Elixir: `Task.await`.
   */
  await(options?: WaitOptions): Promise<T> {
    return new Promise((resolve, reject) => {
      const timeout = timeoutOf(options)
      this.#take()
      this.#wait(timeout, () => {
        const outcome = this.#outcome
        if (outcome !== undefined) this.#consumed = true
        if (outcome?.ok === true) resolve(outcome.value)
        else failInCallersFrame(resolve, reject, () => this.#error(outcome, timeout))
      })
    })
  }

  /**
   * Waits for the outcome; `undefined` when the task is not done in time: it goes on, and can be waited for again. An owner
   * that does not wait again gets the outcome as messages. Elixir: `Task.yield`.
   *
   * @throws `ProcessError` `bad_argument` for a bad timeout.
   */
  yield(options?: WaitOptions): Promise<TaskOutcome<T> | undefined> {
    return new Promise((resolve) => {
      this.#wait(timeoutOf(options), () => {
        if (this.#outcome !== undefined) this.#consume()
        resolve(this.#outcome)
      })
    })
  }

  /**
   * Ends the task: asks it to shut down, and kills it after `timeout` milliseconds (default 5000), or at once with
   * `brutal_kill`. Gives the outcome if there is one, `undefined` when it ended as it was told, and
   * `{ ok: false, exit: 'noproc' }` when the outcome had been handed out before. The owner is not hurt.
   *
   * @throws `ProcessError` `bad_argument` for a bad timeout. Elixir: `Task.shutdown`.
   */
  async shutdown(timeout: number | 'brutal_kill' = DEFAULT_TIMEOUT): Promise<TaskOutcome<T> | undefined> {
    const brutal = timeout === 'brutal_kill'
    const patience = brutal ? Infinity : timeoutOf({ timeout })
    const process = this.#process
    if (process === undefined) return this.#outcome
    if (this.#consumed) return { ok: false, exit: 'noproc' }
    this.#take()
    this.#owner.unlink(process)
    if (brutal) process.kill()
    else process.signal(this.#owner, 'shutdown')
    const outcome = await new Promise<TaskOutcome<T> | undefined>((resolve) => {
      this.#wait(patience, () => resolve(this.#outcome))
    })
    this.#consumed = true
    if (outcome === undefined) {
      process.kill()
      return { ok: false, exit: 'killed' }
    }
    return !outcome.ok && outcome.exit === (brutal ? 'killed' : 'shutdown') ? undefined : outcome
  }

  /**
   * Lets go of the task without stopping it: it can neither hurt nor inform the owner. Its outcome if it has ended,
   * otherwise `undefined`. Elixir: `Task.ignore`.
   */
  ignore(): TaskOutcome<T> | undefined {
    this.#take()
    if (this.#process !== undefined) this.#owner.unlink(this.#process)
    if (this.#outcome !== undefined) this.#consumed = true
    return this.#outcome
  }

  // ---- How it ends

  #ended(outcome: TaskOutcome<T>): void {
    this.#outcome = outcome
    let waiter = firstWaiting(this.#waiter)
    this.#waiter = undefined
    if (waiter === undefined && !this.#taken) return this.#inform(outcome)
    const { deadlines } = this.#owner.runtime
    for (; waiter !== undefined; waiter = firstWaiting(waiter.next)) {
      deadlines.remove(waiter)
      waiter.settle()
    }
  }

  /** Nobody waits. A process is told; the program fails, unless somebody comes to wait within this turn. */
  #inform(outcome: TaskOutcome<T>): void {
    const owner = this.#owner
    const reason = outcome.ok ? 'normal' : outcome.exit
    if (owner !== owner.runtime.main) {
      this.#informed = true
      if (outcome.ok) owner.deliver(INFO, new TaskReply(this, outcome.value))
      owner.deliver(DOWN, new Down(this, this.ref, reason))
    } else if (!isOrderly(reason)) {
      owner.runtime.atTurnEnd(() => {
        if (!this.#taken && !this.#asked) owner.runtime.scheduler.throwUncaught(this.#error(outcome, 0))
      })
    }
  }

  /** Calls back when the task has ended, or the time is over: then there is no outcome. */
  #wait(timeout: number, heard: () => void): Waiter | undefined {
    this.#asked = true
    if (this.#outcome !== undefined) {
      heard()
      return undefined
    }
    const { runtime } = this.#owner
    const waiter = new Waiter(heard)
    this.#waiter = this.#waiter === undefined ? waiter : addWaiter(this.#waiter, waiter)
    runtime.deadlines.add(waiter, timeout)
    runtime.scheduler.markTurn()
    return waiter
  }

  /** Waits for several, until what is called back says that it has enough. */
  static #waitForEach<T>(
    tasks: readonly Task<T>[],
    timeout: number,
    heard: (task: Task<T>, index: number) => boolean,
  ): void {
    const waiters: Waiter[] = []
    let enough = false
    for (const [index, task] of tasks.entries()) {
      const waiter = task.#wait(timeout, () => {
        enough = heard(task, index)
        if (!enough) return
        for (const waiting of waiters) {
          waiting.heard = undefined
          task.#owner.runtime.deadlines.remove(waiting)
        }
      })
      if (enough) return
      if (waiter !== undefined) waiters.push(waiter)
    }
  }

  /** From now on the outcome goes to who waits; messages that the owner has not handled are taken back. */
  #take(): void {
    this.#taken = true
    if (!this.#informed) return
    this.#informed = false
    const isOurs = (message: unknown): boolean =>
      (message instanceof TaskReply && message.task === this) || (message instanceof Down && message.monitor === this)
    this.#owner.mailbox.remove(isOurs)
    contextOf(this.#owner)?.discard(isOurs)
  }

  /** The outcome is handed out. */
  #consume(): void {
    this.#consumed = true
    this.#take()
  }

  #error(outcome: TaskOutcome<T> | undefined, timeout: number): TaskError {
    const task = this.#process === undefined ? 'task' : `${this.#process}`
    if (outcome === undefined || outcome.ok) {
      return new TaskError('timeout', `${task} was not done within ${timeout} ms; it goes on`, undefined)
    }
    return new TaskError('exit', `${task} failed: ${describeReason(outcome.exit)}`, outcome.exit)
  }
}

/** Starts a task for its owner. */
export function startTask<T>(owner: Process, run: TaskFunction<T>, options: TaskOptions = {}): Task<Awaited<T>> {
  const plan = { owner, parent: owner, linked: options.link !== false, spawn: spawnerOf(owner, options) }
  return new Task<Awaited<T>>(plan, run as TaskFunction<Awaited<T>>)
}

/** A stream of tasks for its owner. */
export function streamTasks<E, R>(
  owner: Process,
  source: Iterable<E> | AsyncIterable<E>,
  run: StreamFunction<E, R>,
  options: TaskStreamOptions = {},
): AsyncIterable<StreamOutcome<Awaited<R>, E>> {
  const supervised = spawnerOf(owner, options)
  const spawn: StreamPlan['spawn'] =
    supervised ?? ((perform, ended, label) => spawnTask({ owner, parent: owner, label, run: perform, ended }, tasks))
  // Who has a supervisor is its child, so it is a process.
  return asyncStream(
    { owner, linked: options.link !== false, bare: supervised === undefined, spawn },
    source,
    run,
    options,
  )
}

/** What a task starts tasks of its own with. */
export const tasks: Tasks = { start: startTask, stream: streamTasks }

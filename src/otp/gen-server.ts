/**
 * GenServer: a process with state. The class is the server, `this` is the state, public methods are the messages.
 */

import type { Timer } from '../process/clock.ts'
import { ProcessError } from '../process/errors.ts'
import type { ExitReason } from '../process/exit-reason.ts'
import { Later } from '../process/later.ts'
import { type Class, holderOf, type Name } from '../process/name.ts'
import { processOf, type Ref, typedRef } from '../process/ref.ts'
import { sendAfter } from '../process/send-after.ts'
import type { Monitor } from '../process/signals.ts'
import { defineBase } from './definition.ts'
import { isPromise, ServerBehaviour } from './server-behaviour.ts'
import { claimBehaviour, type StartArguments, startFrom } from './start.ts'
import type { StreamFunction, StreamOutcome } from './task/async-stream.ts'
import { startTask, streamTasks, type Task } from './task/task.ts'
import type { TaskFunction } from './task/task-context.ts'
import type { TaskOptions, TaskStreamOptions } from './task/task-host.ts'

/** The behaviour behind an instance, for layers that build on servers; `undefined` when it does not run. */
export let serverOf: (instance: GenServer) => ServerBehaviour | undefined

/**
 * A server. Extend it; every public method you add is a message, callable as `ref.call.method(...)` (the return value is the
 * reply) and `ref.cast.method(...)`. One message is handled at a time, to its end. The constructor is the start: it gets the
 * one `arg`, sets the state, and may call `this.continue` and `this.sendAfter`. Outside the runtime (`new Stack(...)` in a
 * unit test) an instance is passive.
 *
 * @example
 * ```ts
 * import { GenServer, startLink } from 'sluice'
 *
 * class Counter extends GenServer {
 *   #count = 0
 *   add(n: number) { return (this.#count += n) }
 * }
 * const counter = await startLink(Counter)
 * console.log(await counter.call.add(2)) // 2
 * await counter.stop()
 * ```
 * Elixir: `GenServer`.
 */
export class GenServer {
  /** Which members are ours and no messages; exists for the compiler only. */
  declare readonly $base?: GenServer | undefined
  /** Options of `start` and `child` beside the common ones; exists for the compiler only. */
  declare readonly $options?: object | undefined

  /** What `whichChildren` and `countChildren` call it. */
  static readonly childType: 'worker' | 'supervisor' = 'worker'
  /** Default timeout of calls to this class in milliseconds. */
  static readonly callTimeout: number = 5000
  /** Default deadline of a stop in milliseconds, after which the process is killed. */
  static readonly stopTimeout: number = 5000

  readonly #server: ServerBehaviour | undefined

  constructor() {
    this.#server = claimBehaviour()
  }

  // ---- Callbacks

  /** Runs before `start` resolves, for what can fail or must be awaited. Refuse by throwing; `throw ignore` declines. */
  init(): void | Promise<void> {}

  /** Any message that is no call or cast: `ref.send`, `sendAfter`, `Exit`, `Down`, `timeout`. By default it is reported and dropped. */
  handleInfo(message: unknown): unknown {
    this.#server?.process.runtime.logger.warn(
      { process: `${this.#server.process}`, message },
      `${this.#server.process} got a message and has no handleInfo, it was dropped`,
    )
    return undefined
  }

  /** Runs for each `this.continue(step)`, before the next message. */
  handleContinue(step: unknown): unknown {
    throw new ProcessError('bad_argument', `${this} asked to continue with ${String(step)} and has no handleContinue`)
  }

  /** Runs before the process ends by a stop, a crash of its own, or the end of its parent; not when it is killed. */
  terminate(_reason: ExitReason): void | Promise<void> {}

  /** Runs at `stop({ drain: true })`, before `terminate`: finishes what the process holds. */
  handleDrain(): void | Promise<void> {}

  toString(): string {
    return this.#server?.process.toString() ?? `${this.constructor.name} (not running)`
  }

  // ---- What a process can do, beyond what a callback returns. Function-valued, so that a subclass that declares a method
  // of the same name does not compile.

  /** This process, for others. To call or cast to it yourself, use `selfAs`: inside a class `this` has no type of its own. */
  get self(): Ref<this> {
    return typedRef(this.#running('self').process.ref)
  }

  /** Fires when the process is dead or must be dead. Give it to what the callbacks await. */
  get signal(): AbortSignal {
    return this.#server?.process.signalOfEnd ?? never
  }

  /** True from the moment a stop was requested. */
  get stopping(): boolean {
    return this.#server?.process.stopping ?? false
  }

  /** This process as a ref of its class: `this.selfAs(Worker).cast.next()`, to be handled after what already waits. */
  declare readonly selfAs: <T extends GenServer>(type: new (...args: never[]) => T) => Ref<T>
  /** Ends the process after this callback, with a reason (default `normal`). */
  declare readonly stop: (reason?: ExitReason) => void
  /** Runs `handleContinue(step)` after this callback, before any message. */
  declare readonly continue: (step: unknown) => void
  /** Sends `timeout` to `handleInfo` when no message arrives within `ms` milliseconds after this callback. Once. */
  declare readonly idleTimeout: (ms: number) => void
  /** Replies later and lets the mailbox go on: with work, whose outcome is the reply, or without, to answer by hand. */
  declare readonly later: { <T>(work: () => T | PromiseLike<T>): Later<Awaited<T>>; <T>(): Later<T> }
  /** Delivers a message to this process, or another, after `ms` milliseconds. */
  declare readonly sendAfter: (message: unknown, ms: number, to?: Ref | Class | Name) => Timer
  /** Waits `ms` milliseconds on the runtime's clock; the mailbox is held meanwhile. Elixir: `Process.sleep`. */
  declare readonly sleep: (ms: number) => Promise<void>
  /** Watches a process: a `Down` arrives at `handleInfo` when it ends. */
  declare readonly monitor: (target: Ref | Class | Name) => Monitor
  /** Ends a watch. */
  declare readonly demonitor: (monitor: Monitor, options?: { readonly flush?: boolean }) => void
  /** Ties the fates of two processes: when one fails, so does the other. */
  declare readonly link: (ref: Ref) => void
  /** Unties them. */
  declare readonly unlink: (ref: Ref) => void
  /** Turns exit signals into `Exit` messages; returns what was set before. */
  declare readonly trapExits: (on: boolean) => boolean
  /** Sends an exit signal from this process; `kill` cannot be trapped. */
  declare readonly exit: (target: Ref, reason: ExitReason) => void
  /** Starts a task that belongs to this process: `await this.task(work).await()`, or its outcome comes as messages. */
  declare readonly task: <T>(run: TaskFunction<T>, options?: TaskOptions) => Task<Awaited<T>>
  /** A stream of tasks that belongs to this process: see `Task.asyncStream`. It ends with the process. */
  declare readonly asyncStream: <E, R>(
    source: Iterable<E> | AsyncIterable<E>,
    run: StreamFunction<E, R>,
    options?: TaskStreamOptions,
  ) => AsyncIterable<StreamOutcome<Awaited<R>, E>>
  /** Starts a process of its own. */
  declare readonly start: <T extends GenServer, A extends readonly unknown[]>(
    type: new (...args: A) => T,
    ...options: StartArguments<T, A>
  ) => Promise<Ref<T>>
  /** Starts a process linked to this one, its parent. */
  declare readonly startLink: <T extends GenServer, A extends readonly unknown[]>(
    type: new (...args: A) => T,
    ...options: StartArguments<T, A>
  ) => Promise<Ref<T>>

  #running(what: string): ServerBehaviour {
    if (this.#server !== undefined) return this.#server
    throw new ProcessError(
      'not_running',
      `${this.constructor.name} was made with new, so it has no ${what}; start it with start or startLink`,
    )
  }

  static {
    serverOf = (instance) => instance.#server
    members(GenServer.prototype, {
      selfAs(this: GenServer, type: Class) {
        if (this instanceof type) return this.#running('self').process.ref
        throw new ProcessError('bad_argument', `selfAs: ${this} is no ${type.name}, expected its own class`)
      },
      stop(this: GenServer, reason: ExitReason = 'normal') {
        this.#server?.requestStop(reason)
      },
      continue(this: GenServer, step: unknown) {
        this.#server?.requestContinue(step)
      },
      idleTimeout(this: GenServer, ms: number) {
        this.#server?.requestIdleTimeout(ms)
      },
      later(this: GenServer, work?: () => unknown) {
        const later = new Later<unknown>(this.#server?.process)
        if (work === undefined) return later
        let result: unknown
        try {
          result = work()
        } catch (thrown) {
          later.fail(thrown)
          return later
        }
        if (!isPromise(result)) later.reply(result)
        else {
          result.then(
            (value) => later.reply(value),
            (error) => later.fail(error),
          )
        }
        return later
      },
      sendAfter(this: GenServer, message: unknown, ms: number, to?: Ref | Class | Name) {
        return sendAfter(this.#running('timers').process, message, ms, to)
      },
      sleep(this: GenServer, ms: number) {
        return this.#running('clock').process.sleep(ms)
      },
      monitor(this: GenServer, target: Ref | Class | Name) {
        const { process } = this.#running('monitors')
        return process.monitor(holderOf(process.runtime, target))
      },
      demonitor(this: GenServer, monitor: Monitor, options?: { readonly flush?: boolean }) {
        this.#running('monitors').process.demonitor(monitor, options?.flush)
      },
      link(this: GenServer, ref: Ref) {
        this.#running('links').process.link(processOf(ref))
      },
      unlink(this: GenServer, ref: Ref) {
        this.#running('links').process.unlink(processOf(ref))
      },
      trapExits(this: GenServer, on: boolean) {
        const { process, definition } = this.#running('exit signals')
        const before = process.trap === 'all'
        const otherwise = definition.hasTerminate ? 'parent' : 'none'
        process.trap = on ? 'all' : otherwise
        return before
      },
      exit(this: GenServer, target: Ref, reason: ExitReason) {
        processOf(target).signalSent(this.#running('exit signals').process, reason)
      },
      task(this: GenServer, run: TaskFunction<unknown>, options?: TaskOptions) {
        return startTask(this.#running('tasks').process, run, options)
      },
      asyncStream(
        this: GenServer,
        source: Iterable<unknown>,
        run: StreamFunction<unknown, unknown>,
        options?: TaskStreamOptions,
      ) {
        return streamTasks(this.#running('tasks').process, source, run, options)
      },
      start(this: GenServer, type: new () => GenServer, options?: object) {
        return startFrom(this.#running('children').process, false, type, options)
      },
      startLink(this: GenServer, type: new () => GenServer, options?: object) {
        return startFrom(this.#running('children').process, true, type, options)
      },
    })
  }
}

/** Puts functions on a prototype that the class declares as properties. */
export function members(prototype: object, functions: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(functions))
    Object.defineProperty(prototype, key, { value, writable: false })
}

/** The signal of an instance that does not run. */
const never = new AbortController().signal

defineBase(GenServer, (process, definition) => new ServerBehaviour(process, definition))

/**
 * Application: the root of a program. It starts the tree, stops it in order when the program is asked to end, within a
 * deadline, and says what was lost when that was not enough.
 */

import { describeReason, type ExitReason, isOrderly } from '../../process/exit-reason.ts'
import { DRAIN, STOP } from '../../process/message.ts'
import type { Cause, Process } from '../../process/process.ts'
import { exitCodeOf, type Signal } from '../../process/program.ts'
import { type Ref, typedRef } from '../../process/ref.ts'
import { mainProcess, type Runtime } from '../../process/runtime.ts'
import { StartError } from '../errors.ts'
import { outcomeOf, planStart, Starting } from '../start.ts'
import type { ChildSpec } from '../supervision/child-spec.ts'
import { ownEndOf } from '../supervision/own-end.ts'
import { processesBelow } from '../supervision/process-tree.ts'
import { Supervisor } from '../supervision/supervisor.ts'
import { type CheckedRunOptions, checkRunOptions, type RunOptions } from './application-options.ts'
import { type Dropped, describeDropped, droppedBy, stillRunning } from './shutdown-report.ts'

/** How an application ended. */
export interface ApplicationEnd {
  /**
   * - `signal`: the program was asked to end from outside; `signal` says how.
   * - `stop`: by `stop`, by the `signal` option, by the end of the block, or because the root supervisor was stopped.
   * - `finished`: significant children ended in order, and `autoShutdown` says that this is all.
   * - `failed`: the root supervisor gave up, was killed, or a significant child failed.
   */
  readonly by: 'signal' | 'stop' | 'finished' | 'failed'
  readonly signal: Signal | undefined
  /** The exit reason of the root supervisor. */
  readonly reason: ExitReason
  /**
   * What the program ends with: 0; 1 when it failed; after a signal 128 and its number (130, 143), or what the option `exitCode`
   * of `run` says.
   */
  readonly exitCode: number
  /** Milliseconds that stopping took. */
  readonly ms: number
  /** What was lost; empty when everything finished in time. */
  readonly dropped: readonly Dropped[]
}

/** Signals that come so soon after the first are the same one: a terminal and a parent process may both send it. */
const ONE_SIGNAL = 500
/** Milliseconds that the program has to end by itself, even if stopping has used up its time. */
const LAST_WORDS = 500

const applications = new WeakMap<Runtime, Application>()

/** A running application, made by `run`. */
export class Application implements AsyncDisposable {
  /** The root supervisor. */
  readonly supervisor: Ref<Supervisor>
  /** Resolves when everything has ended, with how. Never rejects. */
  readonly done: Promise<ApplicationEnd>
  readonly #root: Process
  readonly #options: CheckedRunOptions
  readonly #unlisten: (() => void)[] = []
  readonly #dropped: Dropped[] = []
  #started = false
  #askedAt: number | undefined = undefined
  #signal: Signal | undefined = undefined
  #signalledAt = 0

  private constructor(root: Process, options: CheckedRunOptions) {
    this.#root = root
    this.#options = options
    this.supervisor = typedRef(root.ref)
    const { runtime } = root
    applications.set(runtime, this)
    for (const signal of options.signals) {
      this.#unlisten.push(runtime.program.onSignal(signal, () => this.#signalled(signal)))
    }
    const { signal } = options
    const abort = (): void => this.#stop('aborted')
    signal?.addEventListener('abort', abort)
    this.#unlisten.push(() => signal?.removeEventListener('abort', abort))
    // Last, since the root may have ended already.
    this.done = new Promise((resolve) => root.onEnd((reason) => resolve(this.#ended(reason))))
  }

  /**
   * Stops everything in order, children in reverse order of their start, as the options of `run` say. Resolves when all have
   * ended, with how; never rejects.
   */
  stop(): Promise<ApplicationEnd> {
    if (this.#root.alive) this.#stop('stop')
    return this.done
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** For `run`: starts the root supervisor. Signals count from here on, so that a start that hangs can be ended. */
  static async start(main: Process, options: CheckedRunOptions): Promise<Application> {
    const { runtime } = main
    const running = applications.get(runtime)
    if (running !== undefined) {
      const text = `an application runs already, ${running.supervisor}: put the children under one run, or wait for its done`
      throw new StartError('already_started', text, { ref: running.supervisor })
    }
    options.signal?.throwIfAborted()
    const plan = planStart(Supervisor, { arg: options.supervisor, name: options.name })
    const starting = new Starting(plan, main, false, 0)
    const application = new Application(starting.process, options)
    try {
      await outcomeOf(starting, plan)
    } catch (error) {
      throw startFailure(error)
    }
    application.#started = true
    return application
  }

  // ---- Being asked to end

  #signalled(signal: Signal): void {
    const { runtime } = this.#root
    const now = runtime.clock.now()
    if (this.#signal === undefined) {
      this.#signal = signal
      this.#signalledAt = now
      this.#stop(signal)
    } else if (now - this.#signalledAt >= ONE_SIGNAL) {
      this.#killAll(`${signal} came again: the application is killed`)
      runtime.program.exit(exitCodeOf(this.#signal))
    }
  }

  #stop(why: string): void {
    const root = this.#root
    const { runtime } = root
    const { shutdown, drain } = this.#options
    if (this.#askedAt !== undefined || !root.alive) return
    this.#askedAt = runtime.clock.now()
    runtime.logger.info({ shutdown }, `${why}: the application stops, within ${shutdown} ms`)
    runtime.onExit = (process, reason, cause) => this.#exited(process, reason, cause)
    const notice = runtime.clock.setTimer(shutdown / 2, () => this.#stillStopping())
    const deadline = runtime.clock.setTimer(shutdown, () => this.#overdue())
    root.onEnd(() => {
      notice.cancel()
      deadline.cancel()
    })
    root.stopping = true
    root.stopTimed = true
    root.deliver(drain ? DRAIN : STOP, 'shutdown')
  }

  /** Half of the time is over: who waits for the end wants to know for whom. */
  #stillStopping(): void {
    const { shutdown } = this.#options
    const text = `the application is still stopping, what is left after ${shutdown} ms will be killed`
    this.#root.runtime.logger.warn({ left: stillRunning(this.#root) }, text)
  }

  #overdue(): void {
    const starting = !this.#started
    this.#killAll(`the application was not stopped within ${this.#options.shutdown} ms: what is left is killed`)
    // Who waits for the start would only see it fail, and report that.
    if (starting && this.#signal !== undefined) this.#root.runtime.program.exit(exitCodeOf(this.#signal))
  }

  #killAll(why: string): void {
    const root = this.#root
    const { logger } = root.runtime
    const left = processesBelow(root)
    logger.error({ left: stillRunning(root) }, why)
    // Each by itself, since some trap the exit of their parent. They are dead before any supervisor hears of it.
    for (const process of left) process.kill()
    root.kill()
  }

  #exited(process: Process, reason: ExitReason, cause: Cause): void {
    if (process === this.#root) return
    const ms = process.runtime.clock.now() - (this.#askedAt ?? 0)
    const dropped = droppedBy(process, reason, cause, ms)
    if (dropped !== undefined) this.#dropped.push(dropped)
  }

  // ---- The end

  #ended(reason: ExitReason): ApplicationEnd {
    const { runtime } = this.#root
    applications.delete(runtime)
    runtime.onExit = undefined
    for (const unlisten of this.#unlisten) unlisten()
    const by = this.#whoEndedIt(reason)
    const exitCode = by === 'failed' ? 1 : this.#signal === undefined ? 0 : this.#codeAfter(this.#signal)
    const ms = this.#askedAt === undefined ? 0 : runtime.clock.now() - this.#askedAt
    const dropped = this.#dropped
    if (this.#started) this.#told(by, exitCode, ms, reason)
    return { by, signal: this.#signal, reason, exitCode, ms, dropped }
  }

  #codeAfter(signal: Signal): number {
    const inOrder = this.#options.exitCode === 'zero_when_drained' && this.#dropped.length === 0
    return inOrder ? 0 : exitCodeOf(signal)
  }

  /** Whoever waits for a start hears of its failure from `run`; any other end is told here, to the program as well. */
  #told(by: ApplicationEnd['by'], exitCode: number, ms: number, reason: ExitReason): void {
    const { logger, program } = this.#root.runtime
    if (by === 'failed' && !isOrderly(reason)) logger.error({}, `the application ended: ${describeReason(reason)}`)
    else logger.info({ ms }, 'the application has ended')
    this.#tellDropped()
    if (by !== 'signal' && by !== 'failed') return
    program.end(exitCode, Math.max(LAST_WORDS, this.#options.shutdown - ms), (kept) => {
      const text = `the application has ended, but something else keeps the program alive, it is ended now: ${kept.join(', ')}`
      logger.warn({}, text)
    })
  }

  /** Who does not drain knows that something may be lost. */
  #tellDropped(): void {
    const dropped = this.#dropped
    if (dropped.length === 0 || !this.#options.drain) return
    const lines = dropped.map(describeDropped).join('\n')
    const text = `${dropped.length === 1 ? '1 process' : `${dropped.length} processes`} had not finished when the application ended`
    this.#root.runtime.logger.warn({ dropped: lines }, text)
  }

  #whoEndedIt(reason: ExitReason): ApplicationEnd['by'] {
    const ownEnd = ownEndOf(this.#root)
    if (ownEnd !== undefined) return ownEnd === 'significant child ended' ? 'finished' : 'failed'
    if (this.#askedAt !== undefined) return this.#signal === undefined ? 'stop' : 'signal'
    return isOrderly(reason) ? 'stop' : 'failed'
  }
}

/** One error for a start that failed: the supervisors on the way down to it only repeat what the child said. */
function startFailure(error: unknown): unknown {
  const path: string[] = []
  let failure = error
  for (let id = failedChild(failure); id !== undefined; id = failedChild(failure)) {
    path.push(typeof id === 'function' ? id.name : String(id))
    failure = failure instanceof Error ? failure.cause : failure
  }
  if (!(failure instanceof StartError)) return failure
  const { code, message, cause, ref } = failure
  const where = path.length > 1 ? ` (${path.join(' > ')})` : ''
  return new StartError(code, `the application did not start: ${message}${where}`, { cause, ref })
}

/** The id of the child that kept a supervisor from starting. */
function failedChild(error: unknown): unknown {
  if (!(error instanceof StartError) || typeof error.reason !== 'object' || !('shutdown' in error.reason))
    return undefined
  const { shutdown } = error.reason
  return typeof shutdown === 'object' && shutdown !== null && 'failedToStart' in shutdown
    ? shutdown.failedToStart
    : undefined
}

/**
 * Starts a program: a root supervisor with these children, which stops in order when the program gets `SIGINT` or `SIGTERM`.
 * Resolves when all children have started. A running application keeps the program alive.
 *
 * Stopping has a deadline, `shutdown`; what is left then is killed and reported, and a second signal kills at once. After a
 * signal, or when the root supervisor gives up, the program ends with its exit code as soon as nothing else keeps it alive,
 * or is ended when the rest of the deadline has passed. `await app.done` for what is to be done after the end.
 *
 * @throws `StartError`: of the child that did not start, and then nothing is left running; `bad_options`, `bad_child`;
 * `already_started` when this program runs an application. `ProcessError` `use_this` inside a process.
 *
 * @example
 * ```ts
 * import { child, GenServer, run } from 'sluice'
 *
 * class Orders extends GenServer {}
 *
 * const app = await run([child(Orders)], { shutdown: 20_000 })
 * console.log(app.supervisor.alive) // true
 * const { by, dropped } = await app.stop()
 * console.log(by, dropped) // stop []
 * ```
 * Elixir: `Application`, `System.stop`.
 */
export async function run(children: readonly ChildSpec[], options: RunOptions = {}): Promise<Application> {
  const main = mainProcess('run', 'this.startLink(Supervisor, { arg: { strategy, children } })')
  const checked = checkRunOptions(children, options)
  if (options.logger !== undefined) main.runtime.configure({ logger: options.logger })
  return await Application.start(main, checked)
}

/**
 * What processes share: a clock, a scheduler, names, a logger. One per thread by default; a simulation is another one, with
 * names, clock and seed of its own.
 */

import { channels } from '../telemetry/channels.ts'
import { isAnswered } from './answering.ts'
import { type Clock, holdProgram, systemClock } from './clock.ts'
import { crashReport } from './crash-report.ts'
import { Deadlines } from './deadlines.ts'
import { ProcessError } from './errors.ts'
import { describeReason, type ExitReason, isOrderly } from './exit-reason.ts'
import { consoleLogger, guarded, type Logger } from './logger.ts'
import { startMain } from './main.ts'
import type { Name } from './name.ts'
import type { Cause, Process } from './process.ts'
import { type Program, systemProgram } from './program.ts'
import { type Scheduler, TurnScheduler } from './scheduler.ts'

/** What can be set for the runtime of a thread. */
export interface RuntimeOptions {
  /** Where reports go: any logger of pino's shape. Default: warnings and errors as text on standard error. */
  readonly logger?: Logger | undefined
  /** Deep-freezes the events that stages emit, so that a consumer that changes them fails at once. Default false. */
  readonly freezeEvents?: boolean | undefined
}

/** The parts that a simulation replaces. */
export interface RuntimeParts {
  readonly clock: Clock
  scheduler(endTurn: (now: number) => void): Scheduler
  deadlines(clock: Clock): Deadlines
  /** Real programs are kept alive by running supervisors; simulated ones are not. */
  readonly holdsProgram: boolean
  readonly program: Program
}

/** Milliseconds of each turn of the event loop that processes may use. */
const TURN_BUDGET = 1

const systemParts: RuntimeParts = {
  clock: systemClock,
  deadlines: (clock) => new Deadlines(clock),
  scheduler: (endTurn) => new TurnScheduler(TURN_BUDGET, systemClock.now, endTurn),
  holdsProgram: true,
  program: systemProgram,
}

export class Runtime {
  readonly clock: Clock
  readonly scheduler: Scheduler
  readonly deadlines: Deadlines
  readonly names: Map<Name, Process> = new Map()
  logger: Logger = consoleLogger
  freezeEvents = false
  /** Numbers in [0, 1), for choices that may fall either way. */
  random: () => number = Math.random
  /** The process whose callback runs, in its synchronous part. */
  current: Process | undefined = undefined
  /** Told of every process that is made: for simulations. */
  onProcess: ((process: Process) => void) | undefined = undefined
  /** Told of every process that ends, while its mailbox still holds what it did not handle: for applications that stop. */
  onExit: ((process: Process, reason: ExitReason, cause: Cause) => void) | undefined = undefined
  readonly main: Process
  readonly program: Program
  readonly #holdsProgram: boolean
  #holders = 0
  readonly #turnEnds: (() => void)[] = []
  #letGo: (() => void) | undefined = undefined
  #lastId = 0
  readonly #dead: Process[] = []
  #burying = false

  constructor(parts: RuntimeParts = systemParts) {
    this.clock = parts.clock
    this.deadlines = parts.deadlines(parts.clock)
    this.program = parts.program
    this.#holdsProgram = parts.holdsProgram
    this.scheduler = parts.scheduler((now) => this.#endTurn(now))
    this.main = startMain(this)
  }

  nextId(): number {
    this.#lastId += 1
    return this.#lastId
  }

  configure(options: RuntimeOptions): void {
    if (options.logger !== undefined) {
      this.logger = guarded(options.logger, (error) => this.scheduler.throwUncaught(error))
    }
    if (options.freezeEvents !== undefined) this.freezeEvents = options.freezeEvents
  }

  /** Keeps the program alive until the returned function is called. */
  hold(): () => void {
    this.#holders += 1
    this.scheduler.markTurn()
    return () => {
      this.#holders -= 1
      this.scheduler.markTurn()
    }
  }

  /** Calls back once at the end of this turn of the event loop. */
  atTurnEnd(callback: () => void): void {
    this.#turnEnds.push(callback)
    this.scheduler.markTurn()
  }

  #endTurn(now: number): void {
    this.deadlines.endTurn(now)
    if (this.#turnEnds.length > 0) for (const callback of this.#turnEnds.splice(0)) callback()
    if (this.#holdsProgram && this.#holders > 0) this.#letGo ??= holdProgram()
    else if (this.#letGo !== undefined) {
      this.#letGo()
      this.#letGo = undefined
    }
  }

  register(name: Name, process: Process): void {
    if (!process.alive) throw new ProcessError('bad_argument', `${process} has ended, it cannot bear the name ${name}`)
    if (process.name !== undefined) {
      throw new ProcessError(
        'name_taken',
        `${process} already bears the name ${process.name}, it cannot bear ${name} too`,
      )
    }
    name.take(process)
    process.name = name
    process.label = `${name}`
  }

  /** Ends the bonds of the dead, one after another: an end that ends others does not nest, however long the chain is. */
  bury(process: Process): void {
    if (this.#burying) {
      this.#dead.push(process)
      return
    }
    this.#burying = true
    for (let next: Process | undefined = process; next !== undefined; next = this.#dead.shift()) next.release()
    this.#burying = false
  }

  /** One cause gives one report: only who failed by itself is reported in full. */
  reportExit(process: Process, reason: ExitReason, cause: Cause): void {
    this.onExit?.(process, reason, cause)
    if (isOrderly(reason)) return
    if (cause === 'signalled') {
      this.logger.debug({ process: `${process}` }, `${process} ended: ${describeReason(reason)}`)
      return
    }
    const report = crashReport(process, reason)
    const level = isAnswered(process, reason) ? 'debug' : 'error'
    this.logger[level](report, `${process} crashed: ${describeReason(reason)}`)
    if (channels.processCrash.hasSubscribers) {
      const { lastMessage, restarts } = report
      channels.processCrash.publish({ id: process.id, process: process.label, reason, lastMessage, restarts })
    }
  }
}

const KEY = Symbol.for('sluice.runtime')
const VERSION = 'sluice 0.1'
const threadWide = globalThis as { [KEY]?: { readonly runtime: Runtime; readonly from: string } }

function defaultRuntime(): Runtime {
  const existing = threadWide[KEY]
  if (existing === undefined) {
    const runtime = new Runtime()
    threadWide[KEY] = { runtime, from: import.meta.url }
    return runtime
  }
  if (existing.from !== import.meta.url) {
    process.emitWarning(
      `a second copy of ${VERSION} was loaded from ${import.meta.url}; the first came from ${existing.from}. Processes of one are strangers to the other: keep one copy (npm ls sluice).`,
      'SluiceWarning',
    )
    return new Runtime()
  }
  return existing.runtime
}

const runtimeOfThread = defaultRuntime()

/** Finds the runtime of a simulation; set by the first one. */
let simulated: (() => Runtime | undefined) | undefined

/** Lets simulations say which runtime free functions act on. */
export function resolveRuntimeBy(resolve: () => Runtime | undefined): void {
  simulated = resolve
}

/** The runtime that free functions act on: the thread's, or that of the simulation they are called in. */
export function currentRuntime(): Runtime {
  return simulated?.() ?? runtimeOfThread
}

/** The process that free functions act for: main. Inside a callback, `this` has the method that is meant. */
export function mainProcess(what: string, instead: string): Process {
  const runtime = currentRuntime()
  if (runtime.current !== undefined) {
    throw new ProcessError(
      'use_this',
      `${what} was called inside ${runtime.current}; use ${instead} there, so that the new process belongs to it`,
    )
  }
  return runtime.main
}

/** Sets the logger and the development switches of this thread's runtime. */
export function configure(options: RuntimeOptions): void {
  currentRuntime().configure(options)
}

/**
 * A process that is a function: it runs, takes messages from its mailbox when it wants them, in any order, and ends when the
 * function returns. Servers and stages handle messages as they come; this is what tasks and test probes are made of.
 */

import type { Timer } from './clock.ts'
import { type ExitReason, reasonOf } from './exit-reason.ts'
import { DRAIN, payloadOf, STOP, type Tag } from './message.ts'
import { type Class, holderOf, type Name } from './name.ts'
import { type Behaviour, Process } from './process.ts'
import { processOf, type Ref } from './ref.ts'
import type { Runtime } from './runtime.ts'
import { sendAfter } from './send-after.ts'
import { Down, type Monitor } from './signals.ts'

/** What the function of a plain process can do as that process. */
export interface ProcessContext {
  readonly self: Ref
  /** Fires when the process is dead. */
  readonly signal: AbortSignal
  /**
   * Takes the oldest message that matches, waiting for it if need be; the others keep their order. With `timeout`
   * (milliseconds) it gives `undefined` when none came in time.
   */
  receive<T>(matches: (message: unknown) => message is T): Promise<T>
  receive(matches?: (message: unknown) => boolean, options?: { readonly timeout: number }): Promise<unknown>
  /** Takes all messages that are there, oldest first. */
  takeAll(): readonly unknown[]
  /** Exit signals become `Exit` messages; returns what was set before. */
  trapExits(on: boolean): boolean
  link(ref: Ref): void
  unlink(ref: Ref): void
  monitor(target: Ref | Class | Name): Monitor
  /** Ends a watch; with `flush` a `Down` that already waits is removed. */
  demonitor(monitor: Monitor, options?: { readonly flush?: boolean }): void
  /** Sends an exit signal from this process. */
  exit(target: Ref, reason: ExitReason): void
  /** Delivers a message to this process, or to another, after `ms` milliseconds. */
  sendAfter(message: unknown, ms: number, to?: Ref | Class | Name): Timer
  /** Waits `ms` milliseconds on the runtime's clock. */
  sleep(ms: number): Promise<void>
  /** Starts a plain process linked to this one. */
  spawnLink(run: PlainFunction): Ref
}

export type PlainFunction = (context: ProcessContext) => unknown

/** How the function of a plain process ended. */
export type Outcome<T = unknown> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly exit: ExitReason }

class PlainBehaviour<C extends PlainContext> implements Behaviour {
  readonly context: C
  readonly #ended: ((outcome: Outcome) => void) | undefined
  #outcome: Outcome | undefined = undefined

  constructor(run: (context: C) => unknown, context: C, ended: ((outcome: Outcome) => void) | undefined) {
    this.context = context
    this.#ended = ended
    context.process.schedule(() => this.#start(run))
  }

  #start(run: (context: C) => unknown): void {
    const result = run(this.context)
    if (!isThenable(result)) return this.#returned(result)
    Promise.resolve(result).then(
      (value) => this.#returned(value),
      (error) => this.crashed(error),
    )
  }

  #returned(value: unknown): void {
    this.#outcome = { ok: true, value }
    this.context.process.exit('normal')
  }

  receive(tag: Tag, payload: unknown): void {
    if (tag === STOP || tag === DRAIN) this.context.process.exit(payloadOf(STOP, payload))
    else this.context.arrive(payload)
  }

  crashed(thrown: unknown): void {
    this.context.process.exit(reasonOf(thrown), 'crashed')
  }

  ended(reason: ExitReason): void {
    this.context.clear()
    this.#ended?.(this.#outcome ?? { ok: false, exit: reason })
  }
}

/** What the function of a plain process was given; `undefined` for a process of another kind. */
export function contextOf(process: Process): PlainContext | undefined {
  return process.behaviour instanceof PlainBehaviour ? process.behaviour.context : undefined
}

/** The inbox of the many that never get a message. */
const EMPTY: unknown[] = []

/** What a plain process hands to its function. */
export class PlainContext implements ProcessContext {
  readonly process: Process
  #inbox = EMPTY
  #waiting: { readonly matches: (message: unknown) => boolean; readonly take: (message: unknown) => void } | undefined

  constructor(process: Process) {
    this.process = process
  }

  arrive(message: unknown): void {
    if (this.#waiting?.matches(message) === true) this.#waiting.take(message)
    else if (this.#inbox === EMPTY) this.#inbox = [message]
    else this.#inbox.push(message)
  }

  /** Removes messages that came and were not taken. */
  discard(matches: (message: unknown) => boolean): void {
    this.#inbox = this.#inbox.filter((message) => !matches(message))
  }

  clear(): void {
    this.#inbox = EMPTY
    this.#waiting = undefined
  }

  receive<T>(matches: (message: unknown) => message is T): Promise<T>
  receive(matches?: (message: unknown) => boolean, options?: { readonly timeout: number }): Promise<unknown>
  receive(
    matches: (message: unknown) => boolean = () => true,
    options?: { readonly timeout: number },
  ): Promise<unknown> {
    const index = this.#inbox.findIndex((message) => matches(message))
    if (index >= 0) return Promise.resolve(this.#inbox.splice(index, 1)[0])
    return new Promise((resolve) => {
      const take = (message: unknown): void => {
        timer?.cancel()
        this.#waiting = undefined
        resolve(message)
      }
      const timer = options && this.process.setTimer(options.timeout, () => take(undefined))
      this.#waiting = { matches, take }
    })
  }

  takeAll(): readonly unknown[] {
    return this.#inbox.splice(0)
  }

  get self(): Ref {
    return this.process.ref
  }

  get signal(): AbortSignal {
    return this.process.signalOfEnd
  }

  trapExits(on: boolean): boolean {
    const before = this.process.trap === 'all'
    this.process.trap = on ? 'all' : 'none'
    return before
  }

  link(ref: Ref): void {
    this.process.link(processOf(ref))
  }

  unlink(ref: Ref): void {
    this.process.unlink(processOf(ref))
  }

  monitor(target: Ref | Class | Name): Monitor {
    return this.process.monitor(holderOf(this.process.runtime, target))
  }

  demonitor(monitor: Monitor, options: { readonly flush?: boolean } = {}): void {
    this.process.demonitor(monitor, options.flush)
    if (options.flush) this.discard((message) => message instanceof Down && message.monitor === monitor)
  }

  exit(target: Ref, reason: ExitReason): void {
    processOf(target).signalSent(this.process, reason)
  }

  sendAfter(message: unknown, ms: number, to?: Ref | Class | Name): Timer {
    return sendAfter(this.process, message, ms, to)
  }

  sleep(ms: number): Promise<void> {
    return this.process.sleep(ms)
  }

  spawnLink(run: PlainFunction): Ref {
    return spawnPlain(this.process.runtime, run, this.process)
  }
}

/** Starts a plain process; with a parent it is linked to it. */
export function spawnPlain(runtime: Runtime, run: PlainFunction, parent?: Process): Ref {
  const process = spawn({ runtime, parent, label: run.name || 'plain', run, context: (made) => new PlainContext(made) })
  parent?.link(process)
  return process.ref
}

/** What it takes to start a plain process with a context of another kind. */
interface Spawn<C extends PlainContext> {
  readonly runtime: Runtime
  readonly parent: Process | undefined
  readonly label: string
  readonly run: (context: C) => unknown
  readonly context: (process: Process) => C
  /** Called when it is dead, before anybody else hears of it. */
  readonly ended?: ((outcome: Outcome) => void) | undefined
}

/** Starts a plain process that is linked to nobody. */
function spawn<C extends PlainContext>(plan: Spawn<C>): Process {
  const process = new Process(plan.runtime, plan.parent, plan.label)
  runIn(plan.context(process), plan.run, plan.ended)
  return process
}

/** Makes a process that has no behaviour yet run a function, with a context that is its own. */
export function runIn<C extends PlainContext>(
  context: C,
  run: (context: C) => unknown,
  ended: ((outcome: Outcome) => void) | undefined,
): void {
  context.process.behaviour = new PlainBehaviour(run, context, ended)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

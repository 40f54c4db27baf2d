/** Starting a process from its class. */

import { failInCallersFrame } from '../process/call.ts'
import type { Timer } from '../process/clock.ts'
import { describeReason, type ExitReason, isShutdown } from '../process/exit-reason.ts'
import type { Class, Name } from '../process/name.ts'
import { asName } from '../process/name.ts'
import { Process } from '../process/process.ts'
import { type Ref, typedRef } from '../process/ref.ts'
import { mainProcess } from '../process/runtime.ts'
import type { Start } from '../process/scheduler.ts'
import { refuseFields } from '../process/stubs.ts'
import { channels } from '../telemetry/channels.ts'
import { freshArgument, ownArgument } from './argument.ts'
import { checkInstance, type Definition, definitionOf } from './definition.ts'
import { StartError } from './errors.ts'
import type { GenServer } from './gen-server.ts'
import type { ServerBehaviour } from './server-behaviour.ts'
import { unknownOptionText } from './unknown-option.ts'

/** Thrown in a constructor or in `init`: the process declines to run. A supervisor keeps the child without a process. */
export const ignore: unique symbol = Symbol('ignore')

/** Options that every process takes. */
export interface StartOptions<T = unknown> {
  /** The name to be found by: the class, or `name(Class, 'id')`. */
  readonly name?: NoInfer<Class<T> | Name<T>> | undefined
  /** Milliseconds for `init`; then the process is killed and the start fails with `timeout`. Default: none. */
  readonly timeout?: number | undefined
}

/** The option `arg`: there when the constructor has a parameter, required when that is. */
export type ArgumentOption<A extends readonly unknown[]> = A extends readonly []
  ? { readonly arg?: undefined }
  : A extends readonly [infer Only]
    ? { readonly arg: Only }
    : A extends readonly [(infer Only)?]
      ? { readonly arg?: Only | undefined }
      : { readonly arg: 'The constructor of a process takes one argument: put several values into one object.' }

type ExtraOptions<T> = T extends { readonly $options?: infer Extra } ? NonNullable<Extra> : object

/** All options for starting a class. */
export type OptionsOf<T, A extends readonly unknown[]> = StartOptions<T> & ArgumentOption<A> & ExtraOptions<T>

/** The options, which may be left out when nothing in them is required. */
export type StartArguments<T, A extends readonly unknown[]> =
  object extends ArgumentOption<A> ? [options?: OptionsOf<T, A>] : [options: OptionsOf<T, A>]

/**
 * Starts a process that nobody is linked to: its crash is reported, and hurts nobody.
 *
 * @throws `StartError`: `start_failed` (with `cause`), `already_started` (with `ref`), `ignore`, `timeout`, `bad_class`,
 * `bad_options`.
 *
 * Elixir: `GenServer.start`.
 */
export async function start<T extends GenServer, A extends readonly unknown[]>(
  type: new (...args: A) => T,
  ...options: StartArguments<T, A>
): Promise<Ref<T>> {
  return typedRef(await startFrom(mainProcess('start', 'this.start'), false, type, options[0]))
}

/**
 * Starts a process linked to the program: when it fails and has no supervisor, its reason is thrown as an uncaught error.
 * Inside a process use `this.startLink`.
 *
 * @throws `StartError` as `start`. Elixir: `GenServer.start_link`.
 */
export async function startLink<T extends GenServer, A extends readonly unknown[]>(
  type: new (...args: A) => T,
  ...options: StartArguments<T, A>
): Promise<Ref<T>> {
  return typedRef(await startFrom(mainProcess('startLink', 'this.startLink'), true, type, options[0]))
}

/** What it takes to start a process, checked. */
export interface StartPlan {
  readonly definition: Definition
  readonly type: Class
  /** Copied and frozen. */
  readonly arg: unknown
  readonly name: Name | undefined
  readonly timeout: number | undefined
  /** The options that only this kind of process takes. */
  readonly extra: Readonly<Record<string, unknown>>
}

const COMMON_OPTIONS = ['arg', 'name', 'timeout']
const NO_EXTRA: StartPlan['extra'] = Object.freeze({})

/** The common options, before they are checked. */
export interface GivenOptions {
  readonly arg?: unknown
  readonly name?: unknown
  readonly timeout?: unknown
}

/** Checks the options of a start; `more` are names that the caller takes for itself. */
export function planStart(type: Class, options: GivenOptions = {}, more: readonly string[] = []): StartPlan {
  const definition = definitionOf(type)
  let extra: Record<string, unknown> | undefined
  for (const key of Object.keys(options)) {
    if (COMMON_OPTIONS.includes(key) || more.includes(key)) continue
    if (!definition.options.includes(key)) {
      throw unknownOption(type.name, key, [...COMMON_OPTIONS, ...definition.options, ...more])
    }
    const value: unknown = Reflect.get(options, key)
    if (value !== undefined) (extra ??= {})[key] = value
  }
  const { name, timeout } = options
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout >= 0)) {
    throw new StartError('bad_options', `timeout of ${type.name}: expected milliseconds >= 0, got ${String(timeout)}`)
  }
  return {
    definition,
    type,
    arg: ownArgument(options.arg),
    name: name === undefined ? undefined : asName(name as Class | Name),
    timeout,
    extra: extra ?? NO_EXTRA,
  }
}

export function unknownOption(owner: string, key: string, allowed: readonly string[]): StartError {
  return new StartError('bad_options', unknownOptionText(owner, key, allowed))
}

/** Starts a process for a parent. */
export function startFrom(parent: Process, link: boolean, type: Class, options?: object): Promise<Ref> {
  try {
    return launch(planStart(type, options), parent, link, 0)
  } catch (error) {
    return Promise.reject(error)
  }
}

let constructing: ServerBehaviour | undefined

/** The behaviour of the instance being constructed, for the constructor of our base. */
export function claimBehaviour(): ServerBehaviour | undefined {
  const claimed = constructing
  constructing = undefined
  return claimed
}

/** Makes the process, constructs its instance and waits for `init`. */
export function launch(plan: StartPlan, parent: Process, link: boolean, restarts: number): Promise<Ref> {
  return new Promise((resolve, reject) => {
    settle(new Starting(plan, parent, link, restarts), plan, resolve, reject)
  })
}

/** Resolves with what is started, rejects with why it was refused. */
export function outcomeOf(starting: Starting, plan: StartPlan): Promise<Ref> {
  return new Promise((resolve, reject) => settle(starting, plan, resolve, reject))
}

function settle(
  starting: Starting,
  { type }: StartPlan,
  resolve: (ref: Ref | PromiseLike<Ref>) => void,
  reject: (error: unknown) => void,
): void {
  starting.settled(() => {
    if (!starting.refused) resolve(starting.process.ref)
    else failInCallersFrame(resolve, reject, () => startError(type, starting.thrown))
  })
}

/** Like `launch`, for a supervisor, whose children are many: a start that awaits nothing is done, or throws, on return. */
export function launchChild(plan: StartPlan, parent: Process, restarts: number): Process | Promise<Process> {
  const starting = new Starting(plan, parent, true, restarts)
  if (starting.refused) throw startError(plan.type, starting.thrown)
  if (starting.done) return starting.process
  return new Promise((resolve, reject) => {
    starting.settled(() => {
      if (starting.refused) reject(startError(plan.type, starting.thrown))
      else resolve(starting.process)
    })
  })
}

/** One start on its way. */
export class Starting implements Start {
  readonly process: Process
  /** It has started, or was refused. */
  done = false
  refused = false
  /** Why it was refused. */
  thrown: unknown = undefined
  readonly #parent: Process
  readonly #plan: StartPlan
  readonly #behaviour: ServerBehaviour
  #deadline: Timer | undefined = undefined
  #settled: (() => void) | undefined = undefined

  constructor(plan: StartPlan, parent: Process, link: boolean, restarts: number) {
    const { runtime } = parent
    const { definition, name, timeout } = plan
    if (!parent.alive) {
      // A callback that goes on after its process was killed; nobody would stop what it starts.
      const text = `${definition.name} was not started: ${parent} has ended`
      throw new StartError('start_failed', text, { reason: 'noproc' })
    }
    if (name !== undefined) {
      const holder = name.holder(runtime)
      if (holder !== undefined) {
        const text = `${definition.name} was not started: the name ${name} is taken by ${holder}`
        throw new StartError('already_started', text, { ref: holder.ref })
      }
    }
    const above = link ? parent : undefined
    const process =
      definition.makeProcess?.(runtime, above, definition.name) ?? new Process(runtime, above, definition.name)
    this.process = process
    this.#parent = parent
    this.#plan = plan
    process.stubs = definition.stubs
    process.restarts = restarts
    const behaviour = definition.makeBehaviour(process, definition)
    process.behaviour = this.#behaviour = behaviour
    if (link) parent.link(process)
    if (timeout !== undefined) this.#deadline = process.setTimer(timeout, () => this.refuse(overdue(timeout)))
    try {
      if (name !== undefined) runtime.register(name, process)
    } catch (thrown) {
      this.refuse(thrown)
      return
    }
    runtime.scheduler.runStart(process, this)
  }

  /** Calls back once when it is done; at once when it is. */
  settled(listener: () => void): void {
    if (this.done) listener()
    else this.#settled = listener
  }

  /** Constructs the instance; called by the scheduler only. */
  run(): void {
    const { runtime } = this.process
    const behaviour = this.#behaviour
    const { definition, type, arg, extra } = this.#plan
    const outer = runtime.current
    runtime.current = this.process
    constructing = behaviour
    try {
      const instance = new (type as new (arg: unknown) => GenServer)(freshArgument(arg))
      checkInstance(definition, instance)
      refuseFields(definition.stubs, definition.name, instance)
      behaviour.configure(instance, extra)
      behaviour.begin(instance, this)
    } catch (thrown) {
      this.refuse(thrown)
    } finally {
      constructing = undefined
      runtime.current = outer
    }
  }

  started(): void {
    const { process } = this
    this.#deadline?.cancel()
    if (channels.processStart.hasSubscribers) {
      channels.processStart.publish({ id: process.id, process: process.label, parent: process.parent?.label })
    }
    this.#finish()
  }

  refuse(thrown: unknown): void {
    // The exit below ends the start once more; the first reason counts.
    if (this.refused) return
    this.refused = true
    this.thrown = thrown
    this.#deadline?.cancel()
    // The caller gets the error; neither its life nor its mailbox is touched.
    this.#parent.unlink(this.process)
    const error = startError(this.#plan.type, thrown)
    this.process.exit(error.code === 'ignore' ? 'normal' : (error.reason ?? error), 'signalled')
    this.#finish()
  }

  #finish(): void {
    this.done = true
    this.#settled?.()
  }
}

function overdue(ms: number): StartError {
  return new StartError('timeout', `init took longer than ${ms} ms`)
}

function startError(type: Class, thrown: unknown): StartError {
  if (thrown === ignore) return new StartError('ignore', `${type.name} declined to start`)
  if (thrown instanceof StartError && thrown.code !== 'start_failed') {
    return new StartError(thrown.code, thrown.message, { cause: thrown.cause, ref: thrown.ref })
  }
  if (thrown instanceof StartError && thrown.reason !== undefined && isShutdown(thrown.reason)) {
    // A supervisor whose child failed: it gave up in an orderly way, and says which child and why.
    const { cause, reason } = thrown
    return new StartError('start_failed', `${type.name} did not start: ${thrown.message}`, { cause, reason })
  }
  const reason: ExitReason = thrown instanceof Error || typeof thrown === 'string' ? thrown : new Error(String(thrown))
  return new StartError('start_failed', `${type.name} did not start: ${describeReason(reason)}`, {
    cause: thrown,
    reason,
  })
}

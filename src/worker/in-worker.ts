/** A class of another thread: `inWorker`. */

import { defineClass } from '../otp/definition.ts'
import { GenServer } from '../otp/gen-server.ts'
import type { Process } from '../process/process.ts'
import { stubsByName } from '../process/stubs.ts'
import { OptionReader } from '../stage/option-reader.ts'
import { badOptions } from './errors.ts'
import { PlacedBehaviour, type Placement } from './placed.ts'
import { OwnThread, type Site } from './site.ts'
import { StandInProcess } from './stand-in.ts'
import { readThreadOptions, THREAD_OPTIONS, type ThreadOptions } from './thread-options.ts'
import { WorkerSlot, Workers } from './workers.ts'

export interface InWorkerOptions extends ThreadOptions {
  /**
   * Worker threads that others run in too, or a certain one of them: `workers`, `workers.at(0)`. They have options of their
   * own. Default: a thread for this process alone, which ends with it.
   */
  readonly on?: Workers | WorkerSlot | undefined
}

/** A class of processes. */
type ProcessClass = new (...args: never[]) => GenServer

/** A module that workers load, typed: what `workerModule` makes. */
export interface WorkerModule<M> {
  /** What it exports; exists for the compiler only. */
  readonly $exports?: M | undefined
  readonly url: string | URL
}

/** The names under which a module exports classes of processes. */
export type ProcessNames<M> = {
  [K in keyof M & string]: M[K] extends ProcessClass ? K : never
}[keyof M & string]

/** A class of a module that nothing is known of. */
type UnknownClass = new (arg?: unknown) => GenServer

/**
 * A module with its types, whose classes can run in workers: `workerModule<typeof import('./parse.js')>(import.meta.resolve('./parse.js'))`.
 */
export function workerModule<M>(url: string | URL): WorkerModule<M> {
  return { url }
}

/**
 * A class that a module exports, to run in a worker thread: use it wherever a class of processes is started,
 * `child(inWorker(module, 'Parser'), { arg })`, `startLink`, `this.start`. Its ref is like any other: call, cast, send, link,
 * monitor, subscribe, supervise. What is sent is cloned; refs may be part of it.
 *
 * The module is what `workerModule` makes, or the URL of a file, `import.meta.resolve('./parse.js')`; then the type of the
 * class can be given: `inWorker<typeof Parser>(url, 'Parser')`.
 *
 * @throws `WorkerError` `bad_options`. The start fails with `StartError`, whose cause is a `WorkerError` `bad_module` when the
 * module does not export the class, `not_cloneable` when the argument cannot be sent.
 *
 * @example
 * ```ts
 * import { child, supervise } from 'sluice'
 * import { inWorker } from 'sluice/worker'
 *
 * const Parser = inWorker(import.meta.resolve('./parse.js'), 'Parser')
 * const spec = child(Parser, { arg: { separator: ';' } })
 * ```
 */
export function inWorker<M, K extends ProcessNames<M>>(
  module: WorkerModule<M>,
  name: K,
  options?: InWorkerOptions,
): M[K]
export function inWorker(module: string | URL, name: string, options?: InWorkerOptions): UnknownClass
export function inWorker<C extends ProcessClass>(module: string | URL, name: string, options?: InWorkerOptions): C
export function inWorker(
  module: WorkerModule<unknown> | string | URL,
  name: string,
  options: InWorkerOptions = {},
): unknown {
  if (typeof name !== 'string' || name === '') {
    throw badOptions(`name for inWorker: expected the name of an exported class, got ${String(name)}`)
  }
  const owner = { name: `inWorker of ${name}`, refusal: badOptions }
  const thread = readThreadOptions(new OptionReader(owner, options, ['on', ...THREAD_OPTIONS]))
  const url = typeof module === 'object' && 'url' in module ? module.url : module
  return classFor({ module: url, name, site: siteOf(name, workersIn(name, options.on), thread) })
}

function siteOf(name: string, on: Workers | WorkerSlot | undefined, thread: ThreadOptions): () => Site {
  if (on === undefined) return () => new OwnThread(thread)
  const own = Object.keys(thread).join(', ')
  if (own !== '') {
    throw badOptions(`inWorker of ${name}: ${own} belong to the workers that \`on\` names; give them there`)
  }
  return on instanceof Workers ? () => on.least() : () => on
}

/** What was given as `on`. @throws `WorkerError` `bad_options`. */
export function workersIn(name: string, on: unknown): Workers | WorkerSlot | undefined {
  if (on === undefined || on instanceof Workers || on instanceof WorkerSlot) return on
  throw badOptions(`on of ${name}: expected Workers, or one of them: workers.at(0); got ${String(on)}`)
}

/** A class that stands for one in a worker. */
function classFor(placement: Placement): unknown {
  let argumentOf: (instance: GenServer) => unknown = () => undefined
  const type = class extends GenServer {
    readonly #arg: unknown

    constructor(arg: unknown) {
      super()
      this.#arg = arg
    }

    static {
      argumentOf = (instance) => (#arg in instance ? instance.#arg : undefined)
    }
  }
  Object.defineProperty(type, 'name', { value: placement.name })
  defineClass({
    type,
    name: placement.name,
    base: GenServer.prototype,
    // Its messages are known when it has been started.
    stubs: stubsByName([], { childType: 'worker', callTimeout: 5000, stopTimeout: 5000 }),
    makeProcess: (runtime, parent, label) => new StandInProcess(runtime, parent, label),
    makeBehaviour: (process: Process, definition) => new PlacedBehaviour(process, definition, placement, argumentOf),
    options: ['subscribeTo'],
    hasInit: false,
    hasTerminate: false,
  })
  return type
}

/**
 * The supervision tree as plain objects. It is read from the kernel's records, synchronously: nobody is asked, so it works
 * while every process is busy, and costs nothing until somebody looks.
 */

import { ProcessError } from '../../process/errors.ts'
import { type Class, holderOf, type Name } from '../../process/name.ts'
import { contextOf } from '../../process/plain.ts'
import type { Process } from '../../process/process.ts'
import type { Ref } from '../../process/ref.ts'
import { currentRuntime } from '../../process/runtime.ts'
import { ServerBehaviour } from '../server-behaviour.ts'
import { ChildSpec } from './child-spec.ts'
import { type Place, placesBelow, waitingMessages } from './process-tree.ts'

/**
 * What a process is doing:
 * - `idle`: it waits for messages.
 * - `running`: it has messages to handle, or is a task that is not done.
 * - `waiting`: a callback waits for a promise; `waitingFor` says which callback.
 * - `starting`: its `init` waits for a promise.
 * - `stopping`: it was asked to stop, or to finish what it holds.
 * - `restarting`: it ended, and could not be started again yet.
 * - `ended`: it does not run; a supervisor that lists it knows how to start it.
 */
export type ProcessState = 'idle' | 'running' | 'waiting' | 'starting' | 'stopping' | 'restarting' | 'ended'

/** A process in the tree: plain data, a picture of one moment. */
export interface ProcessNode {
  /** Its number, unique in its runtime and new after a restart; `undefined` when it does not run. */
  readonly process: number | undefined
  /** Its name, or its class, or the name of a task's function. */
  readonly label: string
  /** Its id under its supervisor; `undefined` where ids mean nothing. */
  readonly id: string | undefined
  /** The name of its class; `undefined` for tasks. */
  readonly type: string | undefined
  readonly kind: 'supervisor' | 'worker' | 'task'
  readonly state: ProcessState
  /** The callback that waits for a promise. */
  readonly waitingFor: string | undefined
  /** Milliseconds since its supervisor asked it to stop. */
  readonly stoppingFor: number | undefined
  /** Messages that wait in its mailbox. */
  readonly messages: number
  /** How often it was started again. */
  readonly restarts: number
  /** Supervised children in the order of their start, then other processes that it started and is linked to. */
  readonly children: readonly ProcessNode[]
  /** Children beyond `limit`. */
  readonly more: number
}

export interface TreeOptions {
  /** Children told of each process, at most. */
  readonly limit?: number | undefined
}

/**
 * What runs below a process, and how it does. It needs no answer from anybody, so it may be called anywhere.
 *
 * @throws `ProcessError` `noproc` for a name that nobody bears; `bad_argument` for a bad limit.
 *
 * @example
 * ```ts
 * import { child, GenServer, supervise, supervisionTree } from 'sluice'
 *
 * class Worker extends GenServer {}
 * await using shop = await supervise({ strategy: 'one_for_one', children: [child(Worker, { id: 'worker_1' })] })
 * const [worker] = supervisionTree(shop).children
 * console.log(worker?.id, worker?.state, worker?.messages) // worker_1 idle 0
 * ```
 */
export function supervisionTree(target: Ref | Class | Name, { limit = Infinity }: TreeOptions = {}): ProcessNode {
  if (!(limit >= 0)) throw new ProcessError('bad_argument', `limit: expected a number >= 0, got ${String(limit)}`)
  const process = holderOf(currentRuntime(), target)
  if (process === undefined) {
    const text = typeof target === 'function' ? target.name : String(target)
    throw new ProcessError('noproc', `nobody bears the name ${text}, so there is no tree below it`)
  }
  return nodeOf({ process, child: undefined }, limit, process.runtime.clock.now())
}

function nodeOf({ process, child }: Place, limit: number, now: number): ProcessNode {
  const spec = child?.spec
  const places = process?.alive ? placesBelow(process) : []
  const shown = places.slice(0, limit)
  const asked = process?.alive ? child?.askedAt : undefined
  return {
    process: process?.id,
    label: process?.label ?? spec?.label ?? '',
    id: spec instanceof ChildSpec ? spec.label : undefined,
    type: process === undefined && spec instanceof ChildSpec ? spec.plan.definition.name : typeOf(process),
    kind: process === undefined ? (spec?.type ?? 'worker') : kindOf(process),
    state: process?.alive ? stateOf(process) : child?.restarting ? 'restarting' : 'ended',
    waitingFor: process?.held ? process.awaiting : undefined,
    stoppingFor: asked === undefined ? undefined : now - asked,
    messages: process === undefined ? 0 : waitingMessages(process),
    restarts: process?.restarts ?? child?.restarts ?? 0,
    children: shown.map((place) => nodeOf(place, limit, now)),
    more: places.length - shown.length,
  }
}

function typeOf(process: Process | undefined): string | undefined {
  return process?.behaviour instanceof ServerBehaviour ? process.behaviour.definition.name : undefined
}

function kindOf(process: Process): ProcessNode['kind'] {
  return contextOf(process) === undefined ? (process.stubs?.childType ?? 'worker') : 'task'
}

function stateOf(process: Process): ProcessState {
  if (process.awaiting === 'init') return 'starting'
  if (process.stopping) return 'stopping'
  if (process.held) return 'waiting'
  return process.busy || contextOf(process) !== undefined ? 'running' : 'idle'
}

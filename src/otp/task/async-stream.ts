/**
 * A stream of tasks: each element of a source goes to a function, a few at a time, and the outcomes come as an async iterable.
 *
 * It is lazy, and asks for no more than there is a use for: a task is started when one has finished and somebody waits for
 * an outcome, or fewer outcomes lie unread than may run. So a slow reader is not flooded, and behind one slow task in an
 * ordered stream the others go on.
 */

import { availableParallelism } from 'node:os'
import { ProcessError } from '../../process/errors.ts'
import type { ExitReason } from '../../process/exit-reason.ts'
import type { Outcome } from '../../process/plain.ts'
import type { Process } from '../../process/process.ts'
import type { TaskContext, TaskFunction } from './task-context.ts'
import { TaskStream } from './task-stream.ts'

export interface AsyncStreamOptions {
  /** Tasks that run at the same time, at most. Default: the processors of the machine. */
  readonly maxConcurrency?: number | undefined
  /** Outcomes come in the order of the source; otherwise as the tasks finish. Default true. */
  readonly ordered?: boolean | undefined
  /** Milliseconds for each task, from its start, or `Infinity`. Default 5000. */
  readonly timeout?: number | undefined
  /** A late task is killed. `exit`: the stream fails with it; `kill_task`: it gives `{ ok: false, exit: 'timeout' }`. Default `exit`. */
  readonly onTimeout?: 'exit' | 'kill_task' | undefined
  /** Failures carry their element: `{ ok: false, exit, input }`. Default false. */
  readonly zipInputOnExit?: boolean | undefined
}

/** What became of one element. `input` is there with `zipInputOnExit`. */
export type StreamOutcome<T, E = unknown> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly exit: ExitReason; readonly input?: E | undefined }

/**
 * The function of a stream of tasks. One that declares the parameter `context` runs as a process; one that does not (its
 * `length` is less than 2) needs none: it just runs, and when its task is ended its result is ignored.
 */
export type StreamFunction<E, R> = (element: E, context: TaskContext) => R

/** Whose a stream is, and how its tasks are started. */
export interface StreamPlan {
  /** When it ends, so does the stream. */
  readonly owner: Process
  /** A task that fails ends an owner that is a process and does not trap exits. */
  readonly linked: boolean
  /** Starts the process of a task, and calls back when it has ended. When it throws, the stream fails with that. */
  readonly spawn: (run: TaskFunction<unknown>, ended: (outcome: Outcome) => void, label: string) => Process
  /** Functions that declare no context may run without a process. Default false. */
  readonly bare?: boolean | undefined
  /** Ends the process of a task. Default: it is killed. */
  readonly end?: ((process: Process) => void) | undefined
}

/** The options of a stream, checked. */
export type StreamSettings = { readonly [K in keyof AsyncStreamOptions]-?: Exclude<AsyncStreamOptions[K], undefined> }

/** Plans a stream; each loop over it runs the tasks anew. */
export function asyncStream<E, R>(
  plan: StreamPlan,
  source: Iterable<E> | AsyncIterable<E>,
  run: StreamFunction<E, R>,
  options: AsyncStreamOptions = {},
): AsyncIterable<StreamOutcome<Awaited<R>, E>> {
  const settings = checked(options)
  if (!isIterable(source)) throw refused('source', 'an Iterable or AsyncIterable', source)
  if (typeof run !== 'function') throw refused('run', 'a function', run)
  const perform = run as StreamFunction<E, Awaited<R> | PromiseLike<Awaited<R>>>
  return { [Symbol.asyncIterator]: () => new TaskStream(plan, source, perform, settings) }
}

function checked(options: AsyncStreamOptions): StreamSettings {
  const { maxConcurrency = availableParallelism(), ordered = true, timeout = 5000 } = options
  const { onTimeout = 'exit', zipInputOnExit = false } = options
  if (!(Number.isInteger(maxConcurrency) && maxConcurrency >= 1)) {
    throw refused('maxConcurrency', 'an integer >= 1', maxConcurrency)
  }
  if (!(typeof timeout === 'number' && timeout >= 0)) throw refused('timeout', 'milliseconds >= 0 or Infinity', timeout)
  if (onTimeout !== 'exit' && onTimeout !== 'kill_task') throw refused('onTimeout', "'exit' or 'kill_task'", onTimeout)
  if (typeof ordered !== 'boolean') throw refused('ordered', 'true or false', ordered)
  if (typeof zipInputOnExit !== 'boolean') throw refused('zipInputOnExit', 'true or false', zipInputOnExit)
  return { maxConcurrency, ordered, timeout, onTimeout, zipInputOnExit }
}

function isIterable(source: unknown): boolean {
  if (typeof source === 'string') return true
  return typeof source === 'object' && source !== null && (Symbol.iterator in source || Symbol.asyncIterator in source)
}

function refused(option: string, expected: string, got: unknown): ProcessError {
  return new ProcessError('bad_argument', `${option} of asyncStream: expected ${expected}, got ${String(got)}`)
}

/** The errors of starting and supervising. */

import { printOnce } from '../process/errors.ts'
import type { ExitReason, Ref } from '../process/index.ts'

/**
 * - `start_failed`: the constructor or `init` threw, or the process ended meanwhile; `cause` is why.
 * - `already_started`: the name is taken; `ref` bears it.
 * - `ignore`: the process declined to run (`throw ignore`).
 * - `timeout`: `init` took longer than the `timeout` option; the process was killed.
 * - `bad_class`: the class cannot run as written, such as a misspelt callback.
 * - `bad_options`: an option that is unknown or has a bad value.
 * - `bad_child`: a child specification that a supervisor cannot use.
 */
export type StartErrorCode =
  | 'start_failed'
  | 'already_started'
  | 'ignore'
  | 'timeout'
  | 'bad_class'
  | 'bad_options'
  | 'bad_child'

/** A process that did not start; nothing of it is left. `code` is stable. */
export class StartError extends Error {
  readonly code: StartErrorCode
  /** Who bears the name; only for `already_started`. */
  declare readonly ref: Ref | undefined
  /** The exit reason of the process; only for `start_failed`. */
  readonly reason: ExitReason | undefined

  constructor(
    code: StartErrorCode,
    message: string,
    detail: {
      readonly cause?: unknown
      readonly ref?: Ref | undefined
      readonly reason?: ExitReason | undefined
    } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = 'StartError'
    this.code = code
    // Node shows all that it holds, hundreds of lines, when nobody catches the error.
    Object.defineProperty(this, 'ref', { value: detail.ref, enumerable: false })
    this.reason = detail.reason
    if (detail.reason === detail.cause) printOnce(this)
  }
}

/**
 * - `not_found`: no child has that id.
 * - `running`: the child runs; stop it with `terminateChild` first.
 * - `restarting`: the child is being started again.
 * - `already_started`: a child with that id runs; `ref` is it.
 * - `already_present`: a child with that id is known but does not run; use `restartChild` or `deleteChild`.
 * - `max_children`: a dynamic supervisor has as many children as its `maxChildren` allows; those being restarted count.
 */
export type SupervisorErrorCode =
  | 'not_found'
  | 'running'
  | 'restarting'
  | 'already_started'
  | 'already_present'
  | 'max_children'

/** A request that a supervisor refuses; it goes on as before. `code` is stable. */
export class SupervisorError extends Error {
  readonly code: SupervisorErrorCode
  readonly ref: Ref | undefined

  constructor(code: SupervisorErrorCode, message: string, ref?: Ref) {
    super(message)
    this.name = 'SupervisorError'
    this.code = code
    this.ref = ref
  }
}

/**
 * - `already_registered`: the key is unique and taken; `ref` has it.
 * - `not_registered`: the process has no entry of that key; `ref` has one, if somebody does.
 * - `not_unique`: the registry has duplicate keys, and only with unique ones does this make sense.
 * - `bad_options`: an option that is unknown or has a bad value.
 * - `bad_pattern`: what should choose entries cannot.
 */
export type RegistryErrorCode = 'already_registered' | 'not_registered' | 'not_unique' | 'bad_options' | 'bad_pattern'

/** A request that a registry refuses; it goes on as before. `code` is stable. */
export class RegistryError extends Error {
  readonly code: RegistryErrorCode
  readonly ref: Ref | undefined

  constructor(code: RegistryErrorCode, message: string, ref?: Ref) {
    super(message)
    this.name = 'RegistryError'
    this.code = code
    this.ref = ref
  }
}

/**
 * - `bad_return`: the function given to `getAndUpdate` returned no pair of reply and state; the agent ends with it.
 * - `bad_argument`: something else than a function was given.
 */
export type AgentErrorCode = 'bad_return' | 'bad_argument'

/** What was given to an agent is of no use to it. `code` is stable. */
export class AgentError extends Error {
  readonly code: AgentErrorCode

  constructor(code: AgentErrorCode, message: string) {
    super(message)
    this.name = 'AgentError'
    this.code = code
  }
}

/**
 * - `exit`: the task failed; `reason` says why, `cause` is the crash.
 * - `timeout`: it was not done in time, and goes on.
 */
export type TaskErrorCode = 'exit' | 'timeout'

/** Waiting for a task gave no value. `code` is stable. */
export class TaskError extends Error {
  readonly code: TaskErrorCode
  /** The exit reason of the task; only for `exit`. */
  readonly reason: ExitReason | undefined

  constructor(code: TaskErrorCode, message: string, reason: ExitReason | undefined) {
    super(message, reason instanceof Error ? { cause: reason } : undefined)
    this.name = 'TaskError'
    this.code = code
    this.reason = reason
    if (reason === this.cause) printOnce(this)
  }
}

/** The errors of stages. */

import type { ExitReason } from '../process/exit-reason.ts'

/**
 * - `bad_options`: an option of a stage or a subscription that is unknown or has a bad value.
 * - `not_a_producer`: the target of a subscription emits no events.
 * - `not_a_consumer`: the stage that should subscribe takes no events.
 * - `noproc`: the target of a subscription is not running.
 * - `bad_return`: a callback returned something that is no array of events, or `priority` something that is no level.
 * - `bad_dispatcher`: a dispatcher that is used twice, or breaks its contract.
 * - `queue_full`: a queue has no room for the events, or too many wait for it.
 * - `queue_finished`: a queue that has finished takes no more events.
 * - `bad_partition`: the hash of a `PartitionDispatcher` threw, or gave no partition.
 * - `bad_selector`: the selector of a subscription threw, or gave neither true nor false; the subscription was cancelled.
 * - `upstream_ended`: a stage that was being iterated ended abnormally; `reason` says why.
 * - `stream_used`: a stream that a stage should read or write was used before: it is locked, ended, destroyed.
 * - `stream_closed`: a stream was ended or destroyed by somebody else while a stage wrote to it.
 * - `program_failed`: a program that events went through ended with a code other than 0, or by a signal.
 * - `overflow`: events came faster than they were asked for, and the stage was told to fail then.
 */
export type StageErrorCode =
  | 'bad_options'
  | 'not_a_producer'
  | 'not_a_consumer'
  | 'noproc'
  | 'bad_return'
  | 'bad_dispatcher'
  | 'queue_full'
  | 'queue_finished'
  | 'bad_partition'
  | 'bad_selector'
  | 'upstream_ended'
  | 'stream_used'
  | 'stream_closed'
  | 'program_failed'
  | 'overflow'

/** A mistake in wiring stages, or the end of what was being iterated; `code` is stable. */
export class StageError extends Error {
  readonly code: StageErrorCode
  /** Why the other side ended; only for `noproc` and `upstream_ended`. */
  readonly reason: ExitReason | undefined

  constructor(code: StageErrorCode, message: string, reason?: ExitReason) {
    super(message, reason instanceof Error ? { cause: reason } : undefined)
    this.name = 'StageError'
    this.code = code
    this.reason = reason
  }
}

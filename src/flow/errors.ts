/** The errors of flows. */

/**
 * - `bad_options`: an option or argument that is unknown or has a bad value.
 * - `bad_flow`: an operation where it cannot stand, or a flow that cannot run as it was built.
 * - `bad_return`: a callback returned something of the wrong shape.
 * - `no_events`: an accumulator was to become events, and cannot be iterated.
 * - `failed`: a flow ended because a stage of it failed; `cause` says why.
 * - `stopped`: a flow was stopped before its end.
 * - `bad_file`: a file cannot be read; `cause` says why.
 * - `line_too_long`: a file has a line that is longer than allowed.
 * - `bad_row`: a row of a file is no CSV or no JSON, or its header cannot be used.
 * - `different_module`: a module defines another flow in a worker than in the program; the text names the first difference.
 * - `missing_package`: a package that is needed for what was asked is not installed.
 */
export type FlowErrorCode =
  | 'bad_options'
  | 'bad_flow'
  | 'bad_return'
  | 'no_events'
  | 'failed'
  | 'stopped'
  | 'bad_file'
  | 'line_too_long'
  | 'bad_row'
  | 'different_module'
  | 'missing_package'

/** A mistake in a flow, or its failure; `code` is stable. */
export class FlowError extends Error {
  readonly code: FlowErrorCode

  constructor(code: FlowErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'FlowError'
    this.code = code
  }
}

/** The errors of worker threads. */

/**
 * - `bad_module`: a module that is not there, cannot be loaded, or does not export what is to run.
 * - `bad_options`: an option that is unknown or has a bad value.
 * - `not_cloneable`: a value that cannot be sent to another thread; the text names the path to it.
 * - `out_of_memory`: a worker has used up the memory that its `resourceLimits` allow.
 * - `exited`: a worker has ended, because `process.exit` was called in it.
 * - `crashed`: a worker has ended with an error that nobody caught; `cause` is the error.
 * - `unresponsive`: a worker did not answer within its deadline, and was ended: a callback did not return.
 * - `stopped`: the workers that a process should run in, or ran in, were stopped.
 */
export type WorkerErrorCode =
  | 'bad_module'
  | 'bad_options'
  | 'not_cloneable'
  | 'out_of_memory'
  | 'exited'
  | 'crashed'
  | 'unresponsive'
  | 'stopped'

/** What went wrong with a worker, or between threads; `code` is stable. */
export class WorkerError extends Error {
  readonly code: WorkerErrorCode

  constructor(code: WorkerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'WorkerError'
    this.code = code
  }
}

/** The error of an option. */
export function badOptions(text: string): WorkerError {
  return new WorkerError('bad_options', text)
}

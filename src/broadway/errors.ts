/** The errors of Broadway. */

/**
 * - `bad_options`: an option that is missing, unknown or has a bad value; the text names its path.
 * - `bad_message`: something else than a `Message` where one is needed, or a message with parts that do not fit.
 * - `bad_return`: a callback returned something that it must not.
 * - `unknown_batcher`: `handleMessage` sent a message to a batcher that the pipeline does not have.
 * - `cannot_configure`: the acknowledger of a message has nothing to configure.
 * - `not_a_pipeline`: what should be a pipeline is another process.
 * - `rate_limiting_not_enabled`: the pipeline was started without rate limiting.
 * - `stopped`: the pipeline is being stopped, and does not do what it was asked for any more.
 * - `stop_inside`: a callback of a pipeline tried to stop it, which would wait for itself.
 */
export type BroadwayErrorCode =
  | 'bad_options'
  | 'bad_message'
  | 'bad_return'
  | 'unknown_batcher'
  | 'cannot_configure'
  | 'not_a_pipeline'
  | 'rate_limiting_not_enabled'
  | 'stopped'
  | 'stop_inside'

/** A mistake in the options of a pipeline, in a message, or in what a callback returned; `code` is stable. */
export class BroadwayError extends Error {
  readonly code: BroadwayErrorCode

  constructor(code: BroadwayErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'BroadwayError'
    this.code = code
  }
}

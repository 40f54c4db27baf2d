/** The errors of the embedded queue. */

/**
 * - `bad_options`: an option or an argument that is unknown or has a bad value; the text says what was expected.
 * - `queue_full`: the messages do not fit, and they may not wait, or too many wait already.
 * - `queue_closed`: after `close` nothing is taken in; and when nothing is left, nothing is to be received.
 * - `store_in_use`: the store belongs to another queue that is running.
 */
export type QueueErrorCode = 'bad_options' | 'queue_full' | 'queue_closed' | 'store_in_use'

/** What the embedded queue refuses; `code` is stable. In a call it is the `cause` of the `CallError` `failed`. */
export class QueueError extends Error {
  readonly code: QueueErrorCode

  constructor(code: QueueErrorCode, message: string) {
    super(message)
    this.name = 'QueueError'
    this.code = code
  }
}

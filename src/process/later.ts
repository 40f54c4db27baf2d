/** A reply that comes later, while the mailbox goes on. */

import type { Call } from './call.ts'
import type { Process } from './process.ts'

/**
 * What a method returns instead of its reply, made by `this.later`. Given work it answers with the work's outcome; made
 * without, it is a handle to answer from another message, with `reply` or `fail`. The first answer counts.
 */
export class Later<T> {
  /** The type of the reply; exists for the compiler only. */
  declare readonly $reply?: T
  readonly #process: Process | undefined
  #call: Call | undefined = undefined
  #bound = false
  #answer: { readonly failed: boolean; readonly value: unknown } | undefined = undefined
  #abandoned: (() => void) | undefined = undefined

  constructor(process: Process | undefined) {
    this.#process = process
  }

  /** Answers the call. */
  reply(value: T): void {
    this.#settle(false, value)
  }

  /** Fails that call only, with `CallError` `failed`; the process goes on. */
  fail(error: unknown): void {
    this.#settle(true, error)
  }

  /**
   * Calls back when the caller gives up, by its timeout or its signal, before it was answered: what nobody waits for any more
   * can be left undone. Set it before the method returns.
   */
  onAbandoned(listener: () => void): void {
    this.#abandoned = listener
  }

  #settle(failed: boolean, value: unknown): void {
    if (this.#answer !== undefined) return
    this.#answer = { failed, value }
    this.#deliver()
  }

  #deliver(): void {
    const call = this.#call
    const answer = this.#answer
    const process = this.#process
    // What comes after the end of the process counts for nobody: its calls have failed, and its signal fails its work.
    if (!this.#bound || answer === undefined || !process?.alive) return
    if (call !== undefined) {
      process.answered(call)
      if (answer.failed) call.failed(answer.value)
      else call.reply(answer.value)
    } else if (answer.failed) {
      process.runtime.logger.error(
        { err: answer.value, process: `${process}` },
        `work given to later failed in ${process}`,
      )
    }
  }

  /** Connects the returned handle with the call it answers; for a cast, a failure can only be reported. */
  static bind(later: Later<unknown>, call: Call | undefined): void {
    later.#call = call
    later.#bound = true
    if (later.#answer !== undefined) later.#deliver()
    else if (call !== undefined) later.#await(call)
  }

  #await(call: Call): void {
    const process = this.#process
    const abandoned = this.#abandoned
    process?.promise(call)
    if (abandoned === undefined) return
    const givenUp = (): void => {
      process?.answered(call)
      abandoned()
    }
    if (call.open) call.onGivenUp = givenUp
    else givenUp()
  }
}

/** A command that waits at the server, on a connection of its own, and can be ended without losing what it was given. */

import { RedisRefusal, type RedisReply } from '../client/port.ts'
import type { Link } from './link.ts'
import { numberOf } from './replies.ts'

export class Waiting {
  readonly #link: Link
  /** The connection that waits, as the server calls it. */
  #id: Promise<RedisReply> | undefined = undefined

  constructor(link: Link) {
    this.#link = link
  }

  /** Resolves with the answer; with `undefined` when the connection was lost, and with `null` when it was woken up before. */
  async command(signal: AbortSignal, ...args: readonly string[]): Promise<RedisReply | undefined> {
    const connection = await this.#link.connection('waiting')
    if (signal.aborted) return null
    const id = connection.command('CLIENT', 'ID')
    const answer = connection.command(...args)
    this.#id = id
    try {
      await id
      return await answer
    } catch (error) {
      answer.catch(() => {})
      if (error instanceof RedisRefusal || this.#link.isClosed) throw error
      return undefined
    } finally {
      this.#id = undefined
    }
  }

  /** Ends the waiting at once. */
  async wake(): Promise<void> {
    const id = this.#id
    // Without a connection there is nobody who could give something.
    if (id === undefined || !this.#link.isReady) return
    try {
      const connection = `${numberOf(await id)}`
      // It may be about to wait only.
      while (this.#id === id && numberOf(await this.#link.command('CLIENT', 'UNBLOCK', connection)) === 0);
    } catch {
      // Who may not do this waits until the time is over.
    }
  }
}

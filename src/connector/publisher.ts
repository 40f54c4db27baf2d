/** What all publishers are: processes that publish, and know what the server has taken. */

import { GenServer, serverOf } from '../otp/gen-server.ts'
import type { Later } from '../process/later.ts'
import type { Process } from '../process/process.ts'

/** Messages on their way to a server. */
export interface Outgoing<P> {
  /** Nothing waits, and nothing is under way. */
  readonly isIdle: boolean
  /** Called when it becomes idle. */
  onIdle: () => void
  /** Answers when the server has all of them, or fails. */
  add(publications: readonly P[], later: Later<void>): void
}

/** `P` is a message for the server. */
export abstract class Publisher<P> extends GenServer {
  /** A message may have to wait until the server is back. */
  static override readonly callTimeout: number = 60_000
  readonly #outgoing: Outgoing<P> | undefined
  /** Who waits for all messages to be published. */
  #emptied: (() => void)[] = []

  /** @param outgoing Made once the process is known; one made with `new` has none, and publishes nothing. */
  constructor(outgoing: (process: Process) => Outgoing<P>) {
    super()
    const process = serverOf(this)?.process
    if (process === undefined) return
    this.#outgoing = outgoing(process)
    this.#outgoing.onIdle = () => {
      for (const emptied of this.#emptied.splice(0)) emptied()
    }
  }

  /** Replies when the server has the message. */
  publish(publication: P): Later<void> {
    return this.publishMany([publication])
  }

  /** Replies when the server has all of them; fails when it refused some, and tells which. */
  publishMany(publications: readonly P[]): Later<void> {
    const later = this.later<void>()
    this.#outgoing?.add(publications, later)
    return later
  }

  /** Waits until the server has everything. */
  override async handleDrain(): Promise<void> {
    if (this.#outgoing?.isIdle === false) await new Promise<void>((resolve) => this.#emptied.push(resolve))
  }
}

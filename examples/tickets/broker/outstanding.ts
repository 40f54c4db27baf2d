/**
 * The messages of a queue that this program has published or got, and not answered for: all that is known of a queue whose server cannot
 * say what waits. What others publish is unknown until it is delivered.
 */

import type { ServerQueueState } from './server.ts'

export class Outstanding {
  readonly #waiting = new Set<string>()
  readonly #inHand = new Set<string>()
  #done = 0

  /** Before they are sent, since one may be delivered before its publisher hears that it has arrived. */
  published(ids: readonly string[]): void {
    for (const id of ids) {
      this.#inHand.delete(id)
      this.#waiting.add(id)
    }
  }

  /** They were not published, as far as is known. */
  refused(ids: readonly string[]): void {
    for (const id of ids) this.#waiting.delete(id)
  }

  /** Gives how often this one was delivered so far, with this time; 2 stands for any that came before. */
  delivered(id: string): number {
    this.#waiting.delete(id)
    if (this.#inHand.has(id)) return 2
    this.#inHand.add(id)
    return 1
  }

  /** One that was published again meanwhile still waits. */
  answered(ids: readonly string[]): void {
    for (const id of ids) this.#inHand.delete(id)
    this.#done += ids.length
  }

  get state(): ServerQueueState {
    return { ready: this.#waiting.size, unanswered: this.#inHand.size, done: this.#done }
  }

  get ids(): readonly string[] {
    return [...this.#waiting, ...this.#inHand]
  }
}

/** Where the messages of a queue are, apart from its process. */

import { declareImmutable } from '../otp/argument.ts'
import type { Process } from '../process/process.ts'
import { currentRuntime } from '../process/runtime.ts'
import { QueueError } from './errors.ts'
import type { QueueTotals, StoredMessage } from './message.ts'
import { Messages } from './messages.ts'

/** Takes the store for a process that runs a queue; for `Queue` only. */
export let openStore: <T>(store: QueueStore<T>, process: Process) => Messages<T>

/**
 * The messages of a queue, kept outside of its process, so that they outlive it: `child(Queue<Job>, { arg: { store: new
 * QueueStore<Job>() } })`. A queue that is started again finds everything as it was, also what is in flight, with the same
 * receipts and deadlines. It lives in memory: the end of the program is its end.
 */
export class QueueStore<T> {
  /** The type of the data; exists for the compiler only. */
  declare readonly $data?: T | undefined
  readonly #messages = new Messages<T>(currentRuntime().random())
  #owner: Process | undefined = undefined

  /** Messages in it, with the dead letters. */
  get size(): number {
    return this.#messages.size
  }

  /** What is in it now: those that are not dead, the oldest first, then the dead letters. Also when no queue runs. */
  messages(): readonly StoredMessage<T>[] {
    return this.#messages.all(currentRuntime().clock.now())
  }

  /** What was done since it was made. */
  get totals(): QueueTotals {
    return this.#messages.totals
  }

  static {
    openStore = (store, process) => {
      const owner = store.#owner
      if (owner?.alive === true) {
        const text = `${process} cannot use a store that ${owner} uses: give each queue a store of its own`
        throw new QueueError('store_in_use', text)
      }
      store.#owner = process
      return store.#messages
    }
  }
}

// It does change, and is meant to: the argument of a queue may hold it, and what is in it survives a restart.
declareImmutable(QueueStore)

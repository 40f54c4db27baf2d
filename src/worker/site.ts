/** Where a process runs that is not to run here. */

import type { Runtime } from '../process/runtime.ts'
import { WorkerError } from './errors.ts'
import { type ProcessEnd, Thread } from './thread.ts'
import type { ThreadOptions } from './thread-options.ts'

/** Gives the thread for a process, and knows what becomes of it afterwards. */
export interface Site {
  /** @throws `WorkerError` when there can be none. */
  thread(runtime: Runtime): Thread
  /** The process was killed: it is dead for everyone, and must not run on. */
  killed(thread: Thread): void
  /** The process has ended by itself; calls back when that may be told. */
  originalEnded(thread: Thread, end: ProcessEnd, ended: () => void): void
}

/** A thread for one process alone: it ends with it, and is ended when the process is killed. */
export class OwnThread implements Site {
  readonly #options: ThreadOptions

  constructor(options: ThreadOptions) {
    this.#options = options
  }

  thread(runtime: Runtime): Thread {
    return new Thread(runtime, this.#options)
  }

  killed(thread: Thread): void {
    thread.terminate(new WorkerError('stopped', `${thread.peer} was ended, because its process was killed`))
  }

  /** Who waits for the end of the process finds no thread left behind. */
  originalEnded(thread: Thread, end: ProcessEnd, ended: () => void): void {
    thread.onEnd(ended)
    thread.end('shutdown', end)
  }
}

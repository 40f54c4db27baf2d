/** Worker threads that several processes share. */

import { availableParallelism } from 'node:os'
import type { Runtime } from '../process/runtime.ts'
import { currentRuntime } from '../process/runtime.ts'
import { OptionReader } from '../stage/option-reader.ts'
import { badOptions, WorkerError } from './errors.ts'
import type { Site } from './site.ts'
import { type ProcessEnd, Thread } from './thread.ts'
import { readThreadOptions, THREAD_OPTIONS, type ThreadOptions } from './thread-options.ts'

export interface WorkersOptions extends ThreadOptions {
  /** How many threads there are at most. Default: as many as the machine runs at the same time. */
  readonly size?: number | undefined
}

/**
 * Worker threads that several processes share: `inWorker(module, name, { on: workers })` starts each process in the thread
 * that has the fewest, `{ on: workers.at(2) }` in a certain one. A thread is started when it is first needed, and again when
 * it is needed after it has ended. They keep the program alive only while they have work.
 *
 * @example
 * ```ts
 * import { Workers } from 'sluice/worker'
 *
 * await using workers = new Workers({ size: 2 })
 * ```
 */
export class Workers implements AsyncDisposable {
  readonly size: number
  readonly #slots: readonly WorkerSlot[]

  /** @throws `WorkerError` `bad_options`. */
  constructor(options: WorkersOptions = {}) {
    const reader = new OptionReader({ name: 'Workers', refusal: badOptions }, options, ['size', ...THREAD_OPTIONS])
    const size = reader.integer('size', 1) ?? availableParallelism()
    const thread = readThreadOptions(reader)
    this.size = size
    this.#slots = Array.from({ length: size }, () => new WorkerSlot(thread))
  }

  /** One of the threads, counted from 0; numbers beyond the size begin again. */
  at(index: number): WorkerSlot {
    const slot = this.#slots[index % this.size]
    if (slot !== undefined) return slot
    throw badOptions(`worker ${String(index)}: expected an integer >= 0`)
  }

  /** The thread with the fewest processes. */
  least(): WorkerSlot {
    return this.#slots.reduce((least, slot) => (slot.placed < least.placed ? slot : least))
  }

  /**
   * Ends the threads and resolves when none is left. Processes that still run there end with `shutdown`; nothing can be
   * started there any more.
   */
  async stop(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.stop()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/** The place of one thread. When the thread has ended, another one takes its place. */
export class WorkerSlot implements Site {
  readonly #options: ThreadOptions
  #thread: Thread | undefined = undefined
  #stopped = false

  constructor(options: ThreadOptions) {
    this.#options = options
  }

  /** Processes that were placed here and have not ended. */
  get placed(): number {
    return this.current?.placed ?? 0
  }

  /** The thread that is here, if it has been started and takes more processes. */
  get current(): Thread | undefined {
    return this.#thread?.usable === true ? this.#thread : undefined
  }

  /** The thread that is here now, started if need be. */
  thread(runtime: Runtime = currentRuntime()): Thread {
    if (this.#stopped) throw new WorkerError('stopped', 'the workers were stopped, nothing can be started there')
    if (this.#thread?.usable !== true) this.#thread = new Thread(runtime, this.#options)
    return this.#thread
  }

  /** The others go on: the thread is ended only when it does not do what it is told. */
  killed(thread: Thread): void {
    thread.mustAnswer()
  }

  originalEnded(_thread: Thread, _end: ProcessEnd, ended: () => void): void {
    ended()
  }

  stop(): Promise<void> {
    this.#stopped = true
    const thread = this.#thread
    return new Promise((resolve) => {
      if (thread === undefined) return resolve()
      thread.end('shutdown')
      thread.onEnd(resolve)
    })
  }
}

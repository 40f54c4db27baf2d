/**
 * Reads an asynchronous source as far as it was asked, beside the mailbox, so that the stage still hears its consumers. What
 * the source gives within one turn of the event loop goes out together, however slowly it gives it.
 */

import type { Process } from '../../process/process.ts'
import type { BatchReader, Reader } from './source.ts'

/** The stage that a source is read for. */
export interface ReadingStage<T> {
  /** Absent outside the runtime. */
  readonly process: Process | undefined
  emit(events: readonly T[]): void
  /** The source came to its end; what it gave was emitted. */
  ended(): void
  /** The source failed, once; what it gave before was emitted. */
  failed(error: unknown): void
}

export class ReadLoop<T> {
  readonly #reader: Reader<T> | BatchReader<T>
  readonly #stage: ReadingStage<T>
  /** Events asked for and not yet read. */
  #wanted = 0
  #reading = false
  #over = false
  #batch: T[] = []
  #flushing = false
  /** What is left of an array that the source gave, from `#taken` on. */
  #rest: readonly T[] = []
  #taken = 0

  constructor(reader: Reader<T> | BatchReader<T>, stage: ReadingStage<T>) {
    this.#reader = reader
    this.#stage = stage
  }

  /** The source came to its end, failed, or was left: nothing more is read. */
  get over(): boolean {
    return this.#over
  }

  /** Asks for `count` more events. */
  want(count: number): void {
    this.#wanted += count
    this.#handOn()
    if (this.#wanted > 0 && !this.#reading && !this.#over) void this.#read()
  }

  /** Reads no more than what is on its way, and emits what was read. */
  pause(): void {
    this.#wanted = 0
    this.#flush()
  }

  /** Nothing that still comes is of interest. */
  leave(): void {
    this.#over = true
    this.#batch = []
    this.#rest = []
  }

  fail(error: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#flush()
    this.#stage.failed(error)
  }

  async #read(): Promise<void> {
    this.#reading = true
    try {
      const reader = this.#reader
      while (this.#wanted > 0) {
        if ('nextBatch' in reader) {
          const array = await reader.nextBatch()
          if (this.#over) return
          if (array.done === true) return this.#end()
          this.#rest = array.value
          this.#handOn()
          continue
        }
        const next = reader.now?.() ?? (await reader.next())
        if (this.#over) return
        if (next.done === true) return this.#end()
        this.#wanted--
        this.#batch.push(next.value)
        if (this.#wanted <= 0) this.#flush()
        else this.#flushSoon()
      }
    } catch (error) {
      this.fail(error)
    } finally {
      this.#reading = false
    }
  }

  /** Emits as much as is wanted of the array that the source gave last. */
  #handOn(): void {
    const from = this.#taken
    const to = Math.min(this.#rest.length, from + this.#wanted)
    if (to <= from) return
    const whole = this.#rest
    const events = to - from === whole.length ? whole : whole.slice(from, to)
    this.#wanted -= to - from
    this.#taken = to
    if (to === whole.length) {
      this.#rest = []
      this.#taken = 0
    }
    this.#stage.emit(events)
  }

  #end(): void {
    this.#over = true
    this.#flush()
    this.#stage.ended()
  }

  #flush(): void {
    if (this.#batch.length === 0) return
    const events = this.#batch
    this.#batch = []
    this.#stage.emit(events)
  }

  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    this.#stage.process?.runtime.atTurnEnd(() => {
      this.#flushing = false
      this.#flush()
    })
  }
}

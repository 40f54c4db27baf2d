/** A Web `WritableStream` as a sink. Nothing more is written while it has no room (`desiredSize`). */

import { closedByOther, type OpenSink, type SinkOwner } from './open-sink.ts'
import { streamUsed } from './source.ts'

interface Writer<T> {
  write(chunk: T): Promise<void>
  close(): Promise<void>
  abort(reason?: unknown): Promise<void>
  releaseLock(): void
  readonly ready: Promise<unknown>
  readonly closed: Promise<unknown>
  readonly desiredSize: number | null
}

/** The writing side of a Web stream, as far as it is needed: `WritableStream` of `node:stream/web` or of the DOM. */
export interface WebWritable<T> {
  readonly locked: boolean
  getWriter(): Writer<T>
}

export class WebSink<T> implements OpenSink<T> {
  readonly #writer: Writer<T>
  readonly #owner: SinkOwner
  readonly #part: string
  #lastWrite: Promise<unknown> = Promise.resolve()
  /** Somebody waits, and gets the error. */
  #awaited = false
  /** Ended or given up by us. */
  #over = false

  constructor(stream: WebWritable<T>, owner: SinkOwner, part: string) {
    if (stream.locked) throw streamUsed(owner, part, 'is locked, somebody writes to it or has written to it')
    this.#owner = owner
    this.#part = part
    this.#writer = stream.getWriter()
    this.#writer.closed.catch((error) => {
      if (!this.#awaited && !this.#over) owner.failed(this.#failure(error))
    })
  }

  write(events: readonly T[]): Promise<void> | undefined {
    const written = this.#fill(events, 0)
    return this.#full ? this.#writeOn(events, written) : undefined
  }

  get #full(): boolean {
    // null: it failed, which `ready` tells.
    return (this.#writer.desiredSize ?? 0) <= 0
  }

  async #writeOn(events: readonly T[], from: number): Promise<void> {
    this.#awaited = true
    try {
      for (let next = from; this.#full; next = this.#fill(events, next)) await this.#writer.ready
    } catch (error) {
      throw this.#failure(error)
    } finally {
      this.#awaited = false
    }
  }

  /** Writes until all is written or the stream is full; says how far it came. */
  #fill(events: readonly T[], from: number): number {
    let next = from
    for (const event of from === 0 ? events : events.slice(from)) {
      if (this.#full) break
      this.#lastWrite = this.#writer.write(event)
      this.#lastWrite.catch(ignore)
      next++
    }
    return next
  }

  async end(): Promise<void> {
    this.#over = true
    try {
      await this.#writer.close()
    } catch (error) {
      throw this.#failure(error)
    }
  }

  async release(): Promise<void> {
    this.#over = true
    await this.#lastWrite
    this.#writer.releaseLock()
  }

  #failure(error: unknown): unknown {
    // A transform that was terminated fails its writing side with this.
    const closed = error instanceof TypeError && Reflect.get(error, 'code') === 'ERR_INVALID_STATE'
    return closed ? closedByOther(this.#owner, this.#part, error) : error
  }

  abort(reason: Error | undefined): void {
    this.#over = true
    this.#writer.abort(reason).catch(ignore)
  }
}

/** What fails is told by `closed` and `ready`. */
function ignore(): void {}

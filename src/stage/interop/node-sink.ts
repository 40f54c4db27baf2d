/** A Node `Writable` as a sink. `write` that gives false is honoured: nothing more is written before `drain`. */

import { finished, type Writable } from 'node:stream'
import { closedByOther, type OpenSink, type SinkOwner } from './open-sink.ts'
import { streamUsed } from './source.ts'

interface Waiting {
  resolve(): void
  reject(error: unknown): void
}

/** Codes that say that the other side went away. */
const LEFT = ['EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ERR_STREAM_DESTROYED']

export class NodeSink<T> implements OpenSink<T> {
  readonly #stream: Writable
  readonly #owner: SinkOwner
  readonly #part: string
  readonly #unwatch: () => void
  #full = false
  /** Ended or given up by us. */
  #over = false
  #failure: unknown
  #waiting: Waiting | undefined = undefined
  #released: Waiting | undefined = undefined
  /** Writes that were not taken yet. */
  #pending = 0

  constructor(stream: Writable, owner: SinkOwner, part: string) {
    if (!stream.writable) throw streamUsed(owner, part, 'has ended, failed or was destroyed before')
    this.#stream = stream
    this.#owner = owner
    this.#part = part
    // It goes on listening for errors after it has called back, until it is told otherwise.
    this.#unwatch = finished(stream, { readable: false }, (error) => this.#finished(error ?? undefined))
  }

  write(events: readonly T[]): Promise<void> | undefined {
    const written = this.#fill(events, 0)
    return this.#full ? this.#writeOn(events, written) : undefined
  }

  async #writeOn(events: readonly T[], from: number): Promise<void> {
    for (let next = from; this.#full; next = this.#fill(events, next)) await this.#drained()
  }

  /** Writes until all is written or the stream is full; says how far it came. */
  #fill(events: readonly T[], from: number): number {
    if (this.#failure !== undefined) throw this.#failure
    const stream = this.#stream
    let next = from
    this.#full = false
    // Together, for streams that can take many at once, such as files.
    stream.cork()
    try {
      while (next < events.length && !this.#full) {
        this.#full = !stream.write(events[next++], this.#taken)
        this.#pending++
      }
    } finally {
      stream.uncork()
    }
    return next
  }

  readonly #taken = (): void => {
    this.#pending--
    if (this.#pending === 0) this.#released?.resolve()
  }

  #drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#stream.once('drain', this.#settle)
    })
  }

  readonly #settle = (): void => {
    this.#waiting?.resolve()
    this.#waiting = undefined
  }

  /** The stream finished, was closed, or failed. */
  #finished(error: Error | undefined): void {
    this.#stream.off('drain', this.#settle)
    if (this.#over && error === undefined) {
      this.#settle()
      return this.#unwatchWhenClosed()
    }
    const left = error === undefined || LEFT.includes(String(Reflect.get(error, 'code')))
    this.#failure = left ? closedByOther(this.#owner, this.#part, error) : error
    const waiting = this.#waiting ?? this.#released
    this.#waiting = undefined
    if (waiting !== undefined) waiting.reject(this.#failure)
    else if (!this.#over) this.#owner.failed(this.#failure)
    this.#unwatchWhenClosed()
  }

  #unwatchWhenClosed(): void {
    if (this.#stream.closed) this.#unwatch()
    else this.#stream.once('close', this.#unwatch)
  }

  end(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    this.#over = true
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#stream.end()
    })
  }

  async release(): Promise<void> {
    this.#over = true
    if (this.#pending > 0 && this.#failure === undefined) {
      await new Promise<void>((resolve, reject) => {
        this.#released = { resolve, reject }
      })
    }
    this.#unwatch()
  }

  abort(reason: Error | undefined): void {
    this.#over = true
    this.#waiting = undefined
    this.#stream.destroy(reason)
  }
}

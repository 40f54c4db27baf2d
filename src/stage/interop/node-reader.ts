/**
 * Reads a Node `Readable` chunk by chunk. Its own iterator cannot be left while it waits and leaves listeners behind, and it
 * waits for every chunk, also for those that are there.
 */

import { finished, type Readable } from 'node:stream'
import type { Reader } from './source.ts'

interface Waiting<T> {
  resolve(result: IteratorResult<T, undefined>): void
  reject(error: unknown): void
}

export class NodeReader<T> implements Reader<T> {
  readonly #stream: Readable
  readonly #failed: (error: unknown) => void
  readonly #unwatch: () => void
  #listening = false
  #over = false
  #error: unknown = undefined
  #waiting: Waiting<T> | undefined = undefined

  /** @param failed Called when the stream fails while nobody waits for it. */
  constructor(stream: Readable, failed: (error: unknown) => void) {
    this.#stream = stream
    this.#failed = failed
    // It goes on listening for errors after it has called back, until it is told otherwise: one that nobody listens to would
    // end the program.
    this.#unwatch = finished(stream, { writable: false }, (error) => this.#finished(error ?? undefined))
  }

  now(): IteratorResult<T, undefined> | undefined {
    if (this.#over) return undefined
    const chunk: T | null = this.#stream.read()
    return chunk === null ? undefined : { done: false, value: chunk }
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (!this.#listening && !this.#over) {
      this.#listening = true
      this.#stream.on('readable', this.#arrived)
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#arrived()
    })
  }

  /** Listens no more; to errors only when the stream is closed. */
  leave(): void {
    this.#stream.off('readable', this.#arrived)
    if (this.#stream.closed) this.#unwatch()
    else this.#stream.once('close', this.#unwatch)
  }

  /** Lets go of a stream that is still written to. */
  release(): void {
    this.#stream.off('readable', this.#arrived)
    this.#unwatch()
  }

  readonly #arrived = (): void => {
    const waiting = this.#waiting
    if (waiting === undefined) return
    const chunk = this.now()
    if (chunk === undefined && !this.#over) return
    this.#waiting = undefined
    if (chunk !== undefined) waiting.resolve(chunk)
    else if (this.#error === undefined) waiting.resolve({ done: true, value: undefined })
    else waiting.reject(this.#error)
  }

  #finished(error: Error | undefined): void {
    this.#over = true
    this.#error = error
    if (this.#waiting !== undefined) this.#arrived()
    else if (error !== undefined) this.#failed(error)
  }
}

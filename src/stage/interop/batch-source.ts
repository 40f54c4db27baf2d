/** A source that has its events in arrays, such as the lines of a piece of a file, or the rows of a page. */

import type { SourceMeter } from './source-meter.ts'

/**
 * Read by a stage, the arrays are handed on as they are, or cut where fewer events are wanted; nothing is done for each event.
 * Read by a loop, it gives the events one by one. It can be iterated any number of times: each begins anew.
 */
export abstract class BatchSource<out T> implements AsyncIterable<T> {
  /**
   * The events in arrays as they come; none is empty. Each call opens the source anew, leaving the loop closes it. Who knows the size
   * of what is read tells it to the meter, if there is one.
   */
  abstract batches(meter?: SourceMeter): AsyncGenerator<readonly T[], void, undefined>

  [Symbol.asyncIterator](): AsyncIterator<T, undefined, undefined> {
    return new EventsOfBatches(this.batches())
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined }

/** No generator: that one takes three promises for an event, this one takes one. */
class EventsOfBatches<T> implements AsyncIterator<T, undefined, undefined> {
  readonly #batches: AsyncGenerator<readonly T[], void, undefined>
  #batch: readonly T[] = []
  #next = 0
  /** The batch that is waited for: who comes meanwhile waits behind. */
  #waiting: Promise<IteratorResult<T, undefined>> | undefined = undefined

  constructor(batches: AsyncGenerator<readonly T[], void, undefined>) {
    this.#batches = batches
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#waiting !== undefined) {
      const again = (): Promise<IteratorResult<T, undefined>> => this.next()
      return this.#waiting.then(again, again)
    }
    if (this.#next < this.#batch.length) return Promise.resolve(this.#take())
    this.#waiting = this.#arrival()
    return this.#waiting
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#batch = []
    await this.#batches.return()
    return DONE
  }

  async #arrival(): Promise<IteratorResult<T, undefined>> {
    try {
      const next = await this.#batches.next()
      if (next.done === true) return DONE
      this.#batch = next.value
      this.#next = 0
      return this.#take()
    } finally {
      this.#waiting = undefined
    }
  }

  #take(): IteratorResult<T, undefined> {
    const value = this.#batch[this.#next++]
    // The index is within the batch.
    return { done: false, value: value as T }
  }
}

/**
 * What a stage around a transform does beside its mailbox: it writes what came as the transform has room, asking upstream for
 * more only then, and reads what the transform gives as far as downstream has asked.
 */

import type { Process } from '../../process/process.ts'
import { StageError } from '../errors.ts'
import { Queue } from '../queue.ts'
import type { Subscription } from '../subscription.ts'
import type { OpenSink } from './open-sink.ts'
import { ReadLoop } from './read-loop.ts'
import type { OpenSource } from './source.ts'
import type { SyncReader } from './sync-reader.ts'

/** The stage around the transform. */
export interface PumpOwner<Out> {
  readonly process: Process | undefined
  emit(events: readonly Out[]): void
  /** The transform gives no more, though nobody ended it: it has had enough. */
  endedEarly(): void
  failed(error: unknown): void
}

/** Events to be written, and what to ask for then. */
interface Batch<In> {
  readonly events: readonly In[]
  readonly ask: number
  readonly subscription: Subscription
}

export class TransformPump<In, Out> {
  readonly #sink: OpenSink<In>
  readonly #source: OpenSource<Out>
  readonly #loop: ReadLoop<Out>
  readonly #queue = new Queue<Batch<In>>()
  /** Events that wait for room in the transform. */
  holding = 0
  /** The transform is full: it is waited for. */
  #waiting = false
  /** The transform takes no more. */
  #closed = false
  /** Called when the transform, which was ended, has given all. */
  #finished: (() => void) | undefined = undefined
  #gaveAll = false

  constructor(sink: OpenSink<In>, source: OpenSource<Out>, owner: PumpOwner<Out>) {
    this.#sink = sink
    this.#source = source
    const { async, sync } = source
    this.#loop = new ReadLoop(async ?? { next: async () => nextOf(sync) }, {
      process: owner.process,
      emit: (events) => owner.emit(events),
      ended: () => {
        source.ended?.()
        this.#close()
        this.#gaveAll = this.#finished !== undefined
        if (this.#finished === undefined) owner.endedEarly()
        else this.#finished()
      },
      failed: (error) => {
        this.#close()
        owner.failed(error)
      },
    })
  }

  /** Downstream asks for `count` more events. */
  want(count: number): void {
    this.#loop.want(count)
  }

  /** Writes events when the transform has room, then asks their producer for `ask` more. */
  write(events: readonly In[], subscription: Subscription, ask: number): void {
    if (this.#closed || this.#finished !== undefined) return
    this.#queue.push({ events, subscription, ask })
    this.holding += events.length
    if (!this.#waiting) this.#writeOn()
  }

  /** Ends the transform when all is written; calls back when what it gives then was emitted. */
  end(finished: () => void): void {
    if (this.#finished !== undefined) return
    this.#finished = finished
    if (this.#loop.over) finished()
    else if (!this.#waiting) this.#writeOn()
  }

  /** A side of the transform failed. */
  fail(error: unknown): void {
    this.#close()
    // It was closed from within: what it still gives says whether that was its end or a failure.
    if (error instanceof StageError && error.code === 'stream_closed') return
    this.#loop.fail(error)
  }

  /** The process has ended. */
  leave(reason: Error | undefined): void {
    this.#close()
    this.#loop.leave()
    if (this.#gaveAll) return
    this.#sink.abort(reason)
    this.#source.close()
  }

  #writeOn(): void {
    for (let batch = this.#queue.shift(); batch !== undefined; batch = this.#queue.shift()) {
      const { events, subscription, ask } = batch
      this.holding -= events.length
      const waiting = this.#sink.write(events)
      if (waiting === undefined) askFor(subscription, ask)
      else {
        this.#waiting = true
        waiting.then(
          () => this.#resume(subscription, ask),
          (error) => this.fail(error),
        )
        return
      }
    }
    if (this.#finished !== undefined && !this.#closed) this.#end()
  }

  #resume(subscription: Subscription, ask: number): void {
    this.#waiting = false
    if (this.#closed) return
    askFor(subscription, ask)
    try {
      this.#writeOn()
    } catch (error) {
      this.fail(error)
    }
  }

  #end(): void {
    this.#closed = true
    this.#sink.end().catch((error) => this.fail(error))
  }

  #close(): void {
    this.#closed = true
    this.#queue.clear()
    this.holding = 0
  }
}

/** Asks for more, unless the producer has gone. */
function askFor(subscription: Subscription, demand: number): void {
  if (subscription.inflow !== undefined) subscription.ask(demand)
}

/** A readable side that has its events at once is read one by one, as the others are. */
function nextOf<T>(reader: SyncReader<T>): IteratorResult<T, unknown> {
  for (const value of reader.take(1)) return { done: false, value }
  return { done: true, value: undefined }
}

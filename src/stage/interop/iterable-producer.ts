/** Anything that can be iterated, as a producer. */

import { serverOf } from '../../otp/gen-server.ts'
import { type StartOptions, startFrom } from '../../otp/start.ts'
import { reasonOf } from '../../process/exit-reason.ts'
import { type Ref, typedRef } from '../../process/ref.ts'
import { mainProcess } from '../../process/runtime.ts'
import { StageError } from '../errors.ts'
import { type Emitted, Producer } from '../producer.ts'
import type { ProducerOptions } from '../producer-options.ts'
import type { Cancellation } from '../stage.ts'
import { asyncInfo } from '../subscribe.ts'
import { type Opening, openFor, usedOnce } from './opening.ts'
import { ReadLoop } from './read-loop.ts'
import { type OpenSource, openSource, type Source } from './source.ts'
import { type SourceMeter, sizeOf } from './source-meter.ts'
import type { SyncReader } from './sync-reader.ts'

export interface IterableProducerOptions<T> extends ProducerOptions<T> {
  /** The source, or a function that opens it: it is called at every start, so that a restart reads anew. */
  readonly source: Opening<Source<T>>
  /** What to do when the last consumer has gone: `continue`, or `stop` with `normal`. Default `continue`. */
  readonly onCancel?: 'continue' | 'stop' | undefined
  /** Told how far the source has been read. */
  readonly meter?: SourceMeter | undefined
}

/**
 * A producer that reads an iterable as it is asked, never further ahead than the demand. At the end of the source it ends
 * with `normal`, after what is buffered has gone; when the source fails it ends with that error. When it ends early the
 * source is closed: an iterator is returned from, a Node stream destroyed, a Web stream cancelled.
 *
 * In a tree: `child(IterableProducer<Row>, { arg: { source: () => readRows(path) } })`.
 *
 * Elixir: `GenStage.from_enumerable`.
 */
export class IterableProducer<T> extends Producer<T> {
  readonly #opening: Promise<void> | undefined
  #source: OpenSource<T> | undefined = undefined
  #loop: ReadLoop<T> | undefined = undefined
  readonly #stopsOnCancel: boolean
  readonly #meter: SourceMeter | undefined
  /** Events asked of a synchronous source and not yet read. */
  #wanted = 0
  #ended = false
  #consumers = 0

  /** @throws `StageError` `bad_options`, or `stream_used` when the source is a stream that was used before. */
  constructor(options: IterableProducerOptions<T>) {
    const { source, onCancel = 'continue', meter, ...producer } = options
    super(producer)
    if (onCancel !== 'continue' && onCancel !== 'stop') {
      throw new StageError('bad_options', `onCancel: expected 'continue' or 'stop', got ${String(onCancel)}`)
    }
    this.#stopsOnCancel = onCancel === 'stop'
    this.#meter = meter
    this.#opening = openFor(this, source, (opened) => this.#take(opened))
  }

  override init(): Promise<void> | undefined {
    return this.#opening
  }

  #take(source: Source<T>): void {
    const process = serverOf(this)?.process
    if (this.#meter !== undefined) this.#meter.size = sizeOf(source)
    const open = openSource(source, `${this}`, (error) => this.#loop?.fail(error), this.#meter)
    this.#source = open
    if (open.async !== undefined) {
      this.#loop = new ReadLoop(open.async, {
        process,
        emit: (events) => this.#give(events),
        ended: () => this.#end(),
        failed: (error) => {
          this.#ended = true
          this.stop(reasonOf(error))
        },
      })
    }
    // At once, when the process ended while its source was opened.
    process?.onEnd(() => this.#close())
  }

  override handleDemand(demand: number): void {
    if (this.#ended) return
    if (this.#loop !== undefined) return this.#loop.want(demand)
    this.#wanted += demand
    if (this.#source?.sync !== undefined) this.#readNow(this.#source.sync)
  }

  override handleSubscribe(): undefined {
    this.#consumers++
    return undefined
  }

  override handleCancel(_cancellation: Cancellation): undefined {
    this.#consumers--
    if (this.#consumers === 0 && this.#stopsOnCancel) this.stop('normal')
    return undefined
  }

  override handleInfo(message: unknown): Emitted<T> {
    if (message !== END) return super.handleInfo(message)
    this.stop('normal')
  }

  /** Reads no more, and hands on what was read in this turn. */
  override handleDrain(): void {
    this.#loop?.pause()
  }

  /** A synchronous source gives all that is wanted at once. */
  #readNow(reader: SyncReader<T>): void {
    while (this.#wanted > 0 && !reader.ended) {
      const events = reader.take(this.#wanted)
      this.#wanted -= events.length
      this.#give(events)
    }
    if (reader.ended) this.#end()
  }

  #give(events: readonly T[]): void {
    if (this.#meter !== undefined) this.#meter.events += events.length
    this.emit(events)
  }

  #end(): void {
    this.#ended = true
    this.#source?.ended?.()
    asyncInfo(this.self, END)
  }

  #close(): void {
    this.#loop?.leave()
    if (!this.#ended) this.#source?.close()
    this.#ended = true
  }
}

/** The source has no more. */
const END = Symbol('end of source')

export interface FromIterableOptions<T> extends StartOptions, Omit<IterableProducerOptions<T>, 'source'> {
  /** Linked to the program. Default true. */
  readonly link?: boolean | undefined
}

/**
 * Starts a producer that reads an iterable, linked to the program.
 *
 * @throws `StartError`. Elixir: `GenStage.from_enumerable`.
 */
export async function fromIterable<T>(
  source: Opening<Source<T>>,
  options: FromIterableOptions<T> = {},
): Promise<Ref<IterableProducer<T>>> {
  const { name, timeout, link = true, ...rest } = options
  // Given as a function the source is neither copied nor frozen.
  const open: Opening<Source<T>> = typeof source === 'function' ? source : () => source
  const arg = { ...rest, dispatcher: usedOnce(rest.dispatcher), source: open }
  return typedRef(
    await startFrom(
      mainProcess('fromIterable', 'this.startLink(IterableProducer, { arg: { source } })'),
      link,
      IterableProducer,
      { arg, name, timeout },
    ),
  )
}

/** A stream that takes events, as a consumer. */

import { serverOf } from '../../otp/gen-server.ts'
import { type StartOptions, startFrom } from '../../otp/start.ts'
import { type ExitReason, isOrderly, reasonOf } from '../../process/exit-reason.ts'
import { type Ref, typedRef } from '../../process/ref.ts'
import { mainProcess } from '../../process/runtime.ts'
import { Consumer, type ConsumerOptions } from '../consumer.ts'
import { refuseUnknownOptions } from '../producer-options.ts'
import type { OpenSink } from './open-sink.ts'
import { type Opening, openFor } from './opening.ts'
import { openSink, type Sink } from './sink.ts'

export interface WritableConsumerOptions<In> {
  /** The stream, or a function that opens it: it is called at every start. */
  readonly sink: Opening<Sink<In>>
  /** Whether the stream ends with the stage. Default true, but not for `process.stdout` and `process.stderr`. */
  readonly end?: boolean | undefined
}

/**
 * A consumer that writes what it gets into a Node `Writable` or a Web `WritableStream`. It asks for more when the stream has
 * room. When it ends orderly it ends the stream and waits until all is written, within the deadline of its stop; when it
 * fails or is killed it destroys the stream. When the stream fails, the stage ends with that error.
 *
 * In a tree: `child(WritableConsumer<string>, { arg: { sink: () => createWriteStream(path) }, subscribeTo: [...] })`.
 */
export class WritableConsumer<In> extends Consumer<In> {
  readonly #opening: Promise<void> | undefined
  readonly #ends: boolean | undefined
  #sink: OpenSink<In> | undefined = undefined
  /** Whether the stream is ours to end. */
  #owned = true
  /** The stream was ended, or let go of. */
  #done = false

  /** @throws `StageError` `bad_options`, or `stream_used` when the stream was used before. */
  constructor(options: WritableConsumerOptions<In>) {
    super()
    refuseUnknownOptions(`${this}`, options, ['sink', 'end'])
    this.#ends = options.end
    this.#opening = openFor(this, options.sink, (opened) => this.#take(opened))
  }

  override init(): Promise<void> | undefined {
    return this.#opening
  }

  #take(sink: Sink<In>): void {
    const failed = (error: unknown): void => this.stop(reasonOf(error))
    const open = openSink(sink, { toString: () => `${this}`, failed }, 'sink')
    this.#owned = this.#ends ?? !(sink === process.stdout || sink === process.stderr)
    this.#sink = open
    // At once, when the process ended while the stream was opened.
    serverOf(this)?.process.onEnd((reason) => {
      if (this.#done) return
      if (this.#owned) open.abort(reason instanceof Error ? reason : undefined)
      else open.release().catch(() => {})
    })
  }

  override handleEvents(events: readonly In[]): Promise<void> | undefined {
    return this.#sink?.write(events)
  }

  override async terminate(reason: ExitReason): Promise<void> {
    if (!isOrderly(reason)) return
    await (this.#owned ? this.#sink?.end() : this.#sink?.release())
    this.#done = true
  }
}

export interface ToWritableOptions<In>
  extends StartOptions,
    ConsumerOptions<In>,
    Omit<WritableConsumerOptions<In>, 'sink'> {
  /** Linked to the program. Default true. */
  readonly link?: boolean | undefined
}

/**
 * Starts a consumer that writes into a stream, linked to the program:
 * `await toWritable(() => createWriteStream(path), { subscribeTo: [{ to: lines, maxDemand: 100 }] })`. Its `done` resolves
 * with `normal` when what it reads has ended and all is written.
 *
 * @throws `StartError`.
 */
export async function toWritable<In = unknown>(
  sink: Opening<Sink<In>>,
  options: ToWritableOptions<NoInfer<In>> = {},
): Promise<Ref<WritableConsumer<In>>> {
  const { name, timeout, link = true, subscribeTo, ...rest } = options
  // Given as a function the stream is passed as it is.
  const open: Opening<Sink<In>> = typeof sink === 'function' ? sink : () => sink
  return typedRef(
    await startFrom(
      mainProcess('toWritable', 'this.startLink(WritableConsumer, { arg: { sink } })'),
      link,
      WritableConsumer,
      { arg: { ...rest, sink: open }, name, timeout, subscribeTo },
    ),
  )
}

/** A stream that transforms, as a producer-consumer. */

import type { ChildProcess } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { serverOf } from '../../otp/gen-server.ts'
import { type StartOptions, startFrom } from '../../otp/start.ts'
import { reasonOf } from '../../process/exit-reason.ts'
import { type Ref, typedRef } from '../../process/ref.ts'
import { mainProcess } from '../../process/runtime.ts'
import { Batcher } from '../batches.ts'
import type { ConsumerOptions } from '../consumer.ts'
import { StageError } from '../errors.ts'
import type { Emitted } from '../producer.ts'
import { type ProducerConsumerOutOptions, refuseUnknownOptions } from '../producer-options.ts'
import { manual } from '../stage-behaviour.ts'
import { asyncInfo } from '../subscribe.ts'
import type { Subscription } from '../subscription.ts'
import { checkSubscription } from '../subscription-options.ts'
import { type Opening, openFor, usedOnce } from './opening.ts'
import { isProgram, openProgram } from './program.ts'
import { PumpedStage, setPump } from './pumped-stage.ts'
import { openSink, type Sink } from './sink.ts'
import { type OpenSource, openSource } from './source.ts'
import { TransformPump } from './transform-pump.ts'

/** The two sides of a transform: a Web `TransformStream`, or any two streams that belong together. */
export interface TransformPair<In, Out> {
  readonly writable: Sink<In>
  readonly readable: AsyncIterable<Out>
}

/** A Node `Transform` or `Duplex`, a pair of streams, or a program: `spawn('sort')`. */
export type TransformLike<In, Out> = Duplex | TransformPair<In, Out> | ChildProcess

export interface TransformProducerConsumerOptions<In, Out> extends Pick<ProducerConsumerOutOptions<Out>, 'dispatcher'> {
  /** The transform, or a function that opens it: it is called at every start. */
  readonly transform: Opening<TransformLike<In, Out>>
}

/**
 * A producer-consumer that passes its events through a Node `Transform` or `Duplex`, a Web `TransformStream`, or a program:
 * compression, a parser, `spawn('sort')`. It writes when the transform has room and asks upstream for more only then, and it reads what the
 * transform gives as far as downstream has asked.
 *
 * When its producer ends, the transform is ended, what it still gives is emitted, and the stage ends. When the transform ends
 * by itself, so does the stage, with `normal`; when it fails (a program: ends with another code than 0), the stage ends with
 * that error. When the stage ends before, the
 * transform is destroyed. What its producer emitted, and the transform held, when it failed, is lost.
 *
 * In a tree: `child(TransformProducerConsumer<Buffer, Buffer>, { arg: { transform: () => createGunzip() }, subscribeTo: [...] })`.
 */
export class TransformProducerConsumer<In, Out> extends PumpedStage<In, Out> {
  readonly #opening: Promise<void> | undefined
  #pump: TransformPump<In, Out> | undefined = undefined
  readonly #batcher = new Batcher()

  /** @throws `StageError` `bad_options`, or `stream_used` when the transform was used before. */
  constructor(options: TransformProducerConsumerOptions<In, Out>) {
    super({ dispatcher: options.dispatcher })
    refuseUnknownOptions(`${this}`, options, ['transform', 'dispatcher'])
    this.#opening = openFor(this, options.transform, (opened) => this.#take(opened))
  }

  override init(): Promise<void> | undefined {
    return this.#opening
  }

  #take(transform: TransformLike<In, Out>): void {
    const process = serverOf(this)?.process
    const failed = (error: unknown): void => this.#pump?.fail(error)
    const { writable, source } = sides(transform, `${this}`, failed)
    const sink = openSink<In>(writable, { toString: () => `${this}`, failed }, 'transform')
    this.#pump = new TransformPump(sink, source, {
      process,
      emit: (events) => this.emit(events),
      endedEarly: () => this.#endEarly(),
      failed: (error) => this.stop(reasonOf(error)),
    })
    setPump(this, this.#pump)
    // At once, when the process ended while the transform was opened.
    process?.onEnd((reason) => this.#pump?.leave(reason instanceof Error ? reason : undefined))
  }

  /** Asked for by hand: only what the transform has taken is replaced. */
  override handleSubscribe(peer: 'producer' | 'consumer', subscription: Subscription): typeof manual | undefined {
    if (peer === 'consumer') return undefined
    subscription.ask(checkSubscription(subscription.options).max)
    return manual
  }

  override handleEvents(events: readonly In[], subscription: Subscription): undefined {
    this.#batcher.begin(subscription.inflow, events.length)
    for (let from = 0; this.#batcher.next(); ) {
      const { size, ask } = this.#batcher
      this.#pump?.write(size === events.length ? events : events.slice(from, from + size), subscription, ask)
      from += size
    }
    return undefined
  }

  override handleInfo(message: unknown): Emitted<Out> {
    if (message !== END) return super.handleInfo(message)
    this.stop('normal')
  }

  #endEarly(): void {
    asyncInfo(this.self, END)
  }
}

/** The transform has no more. */
const END = Symbol('end of transform')

function sides<In, Out>(
  transform: TransformLike<In, Out>,
  stage: string,
  failed: (error: unknown) => void,
): { readonly writable: Sink<In>; readonly source: OpenSource<Out> } {
  if (typeof transform === 'object' && transform !== null) {
    if (isProgram(transform)) return openProgram(transform, stage, failed)
    if ('pipe' in transform && 'write' in transform) {
      return { writable: transform, source: openSource<Out>(transform, stage, failed) }
    }
    const { readable, writable } = transform
    if (typeof readable === 'object' && typeof writable === 'object') {
      return { writable, source: openSource(readable, stage, failed) }
    }
  }
  throw new StageError(
    'bad_options',
    `transform of ${stage}: expected a Duplex, a TransformStream, { readable, writable } or a program, or a function that opens one, got ${String(transform)}`,
  )
}

export interface ThroughTransformOptions<In, Out>
  extends StartOptions,
    ConsumerOptions<In>,
    Omit<TransformProducerConsumerOptions<In, Out>, 'transform'> {
  /** Linked to the program. Default true. */
  readonly link?: boolean | undefined
}

/**
 * Starts a producer-consumer around a transform, linked to the program:
 * `await throughTransform<Buffer, Buffer>(() => createGunzip(), { subscribeTo: [{ to: file, maxDemand: 8 }] })`. Node streams
 * have no types of their own, so say what goes in and out.
 *
 * @throws `StartError`.
 */
export async function throughTransform<In = unknown, Out = unknown>(
  transform: Opening<TransformLike<In, Out>>,
  options: ThroughTransformOptions<NoInfer<In>, NoInfer<Out>> = {},
): Promise<Ref<TransformProducerConsumer<In, Out>>> {
  const { name, timeout, link = true, subscribeTo, ...rest } = options
  // Given as a function the transform is passed as it is.
  const open: Opening<TransformLike<In, Out>> = typeof transform === 'function' ? transform : () => transform
  return typedRef(
    await startFrom(
      mainProcess('throughTransform', 'this.startLink(TransformProducerConsumer, { arg: { transform } })'),
      link,
      TransformProducerConsumer,
      { arg: { ...rest, dispatcher: usedOnce(rest.dispatcher), transform: open }, name, timeout, subscribeTo },
    ),
  )
}

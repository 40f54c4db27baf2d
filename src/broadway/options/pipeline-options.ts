/**
 * The options of a pipeline as users write them. The types carry what happens to a message: what the producer emits is what the
 * transformer gets, what that gives is what `handleMessage` gets, and what that gives is split among the batchers.
 */

import type { GenServer } from '../../otp/gen-server.ts'
import type { ArgumentOption } from '../../otp/start.ts'
import type { Name } from '../../process/name.ts'
import type { Opening } from '../../stage/interop/opening.ts'
import type { Source } from '../../stage/interop/source.ts'
import type { Emits } from '../../stage/subscription-options.ts'
import type { InWorkerOptions } from '../../worker/in-worker.ts'
import type { BatchInfo } from '../batch-info.ts'
import type { Message } from '../message.ts'
import type { Abandoned } from '../topology/abandoned.ts'
import type { RetryOptions } from './retry-options.ts'

/** A value, now or later. */
type Eventually<T> = T | PromiseLike<T>

/** The stage that a callback runs in: its place in the pipeline, and what it can do as a process. */
export interface PipelineStage
  extends Pick<
    GenServer,
    'self' | 'signal' | 'stopping' | 'sleep' | 'task' | 'asyncStream' | 'start' | 'startLink' | 'link' | 'unlink'
  > {
  /** The name of the pipeline. */
  readonly pipeline: string
  /** The key of its processors, or of its batcher. */
  readonly key: string
  /** From 0 on. */
  readonly index: number
}

/** How many messages may go through. */
export interface RateLimitingOptions {
  /** Messages in any interval, >= 1, of all producers together. */
  readonly allowedMessages: number
  /** Milliseconds, >= 1. */
  readonly interval: number
}

/** What is to change in the rate limiting of a pipeline that runs; what is left out stays as it is. */
export interface RateLimitingUpdate {
  readonly allowedMessages?: number | undefined
  readonly interval?: number | undefined
  /** Begins a new interval now, instead of waiting until the one that runs is over. Default false. */
  readonly reset?: boolean | undefined
}

interface CommonProducerOptions<Event, In> {
  /** How many producers, >= 1. Default 1: more of them only help when one cannot fetch fast enough. */
  readonly concurrency?: number | undefined
  /** Makes the message of an event. Needed when the producer emits anything else than messages. */
  readonly transformer?: ((event: Event) => In) | undefined
  /** Default: no limit. */
  readonly rateLimiting?: RateLimitingOptions | undefined
}

/** A class of producers, and the argument of its constructor. */
interface ModuleProducerOptions<Event, In, Args extends readonly unknown[], Module>
  extends CommonProducerOptions<Event, In> {
  /** A class that extends `Producer`. */
  readonly module: (new (...args: Args) => Emits<Event>) & (new (...args: never) => Module)
  readonly source?: undefined
}

/** Anything that can be iterated. At its end the pipeline goes on, and has nothing more to do. */
interface SourceProducerOptions<Event, In> extends CommonProducerOptions<Event, In> {
  /**
   * The source, or a function that opens it, which is called once for each producer and at each restart. Without a transformer
   * each element that is no message becomes one that nobody acknowledges.
   */
  readonly source: Opening<Source<Event>>
  readonly module?: undefined
  readonly arg?: undefined
}

/** For the compiler: what a producer emits, or its transformer gives, has to be messages. */
type Needed<In> = [In] extends [Message] ? unknown : { readonly transformer: (event: never) => Message }

/** Where the messages come from. */
export type PipelineProducerOptions<Event, In, Args extends readonly unknown[], Module> =
  | (ModuleProducerOptions<Event, In, Args, Module> & ArgumentOption<Args> & Needed<In>)
  | (SourceProducerOptions<Event, In> & { readonly transformer?: undefined })
  | (SourceProducerOptions<Event, In> & Needed<In>)

/** Where `handleMessage` runs, when it is not to run here. */
export interface ProcessorWorkerOptions extends InWorkerOptions {
  /** The URL of the module that exports `handleMessage`, which each worker loads: `import.meta.resolve('./handle.js')`. */
  readonly module: string | URL
  /** The name under which it is exported. Default: the name of the function. */
  readonly name?: string | undefined
}

/** Who handles the messages, one by one. `In` is the message that comes, `Out` what `handleMessage` gives. */
export interface ProcessorOptions<In, Out, Context> {
  /** How many processors, >= 1. Default twice as many as the machine has processors. */
  readonly concurrency?: number | undefined
  /** Messages on their way to each processor at most, from each producer, >= 1. Default 10. */
  readonly maxDemand?: number | undefined
  /** More is asked for when so few are still to come; 0 <= minDemand < maxDemand. Default half of `maxDemand`. */
  readonly minDemand?: number | undefined
  /** Messages with the same number, >= 0, go to the same processor, one after another. Default: to whoever is free. */
  readonly partitionBy?: ((message: In) => number) | undefined
  /** Messages that failed are handled again. `false`: not, whatever the pipeline says. Default: what the pipeline says. */
  readonly retry?: RetryOptions<NoInfer<In>> | false | undefined
  /**
   * Called before `handleMessage` with the messages that came together, as for one query instead of many. Returns as many. When it
   * throws, all of them have failed.
   */
  readonly prepareMessages?:
    | ((messages: readonly In[], context: Context, stage: PipelineStage) => Eventually<readonly In[]>)
    | undefined
  /** Handles one message and returns it, maybe with other data, a batcher, or failed. When it throws, the message has failed. */
  readonly handleMessage: (message: In, context: Context, stage: PipelineStage) => Out | PromiseLike<Out>
  /**
   * Runs `handleMessage` in worker threads, one for each processor unless `on` names others: data, metadata and context are
   * copied there, all the rest stays here. Default: it runs here.
   */
  readonly worker?: ProcessorWorkerOptions | undefined
}

/** What a `splitter` returns when the message completes the batch. */
export class Emit {
  readonly #choice = 'emit'

  toString(): string {
    return this.#choice
  }
}

/** Completes a batch with the message in hand: what the splitter of a batch size returns then. */
export const emit: Emit = new Emit()

/** A batch size of your own, such as a number of bytes. Each batch starts from `initial`. */
export interface BatchSplitter<M, State = unknown> {
  readonly initial: State
  // A method, because only it knows the type of its state.
  /** Called for each message of a batch, with what it returned for the one before: the next state, or `emit`. */
  splitter(message: M, state: State): State | Emit
}

/** Who handles the messages in batches. `M` is the message that goes there. */
export interface BatcherOptions<M, Context> {
  /** How many batches are handled at the same time, >= 1. Default 1. */
  readonly concurrency?: number | undefined
  /** Messages in a batch at most, >= 1; or a splitter. Of each batch key and partition. Default 100. */
  readonly batchSize?: number | BatchSplitter<NoInfer<M>> | undefined
  /** Milliseconds after its first message when a batch leaves though it is not complete, >= 1. Default 1000. */
  readonly batchTimeout?: number | undefined
  /** Messages on their way to the batcher at most, from each processor. Default `batchSize`; needed with a splitter. */
  readonly maxDemand?: number | undefined
  /** Messages with the same number, >= 0, go to the same batch processor, one batch after another. Default: to whoever is free. */
  readonly partitionBy?: ((message: M) => number) | undefined
  /** Messages that failed are handled again, as a batch. `false`: not, whatever the pipeline says. Default: what the pipeline says. */
  readonly retry?: RetryOptions<NoInfer<M>> | false | undefined
  /** Handles one batch and returns its messages, maybe some of them failed. When it throws, all of them have failed. */
  readonly handleBatch: (
    messages: readonly M[],
    info: BatchInfo,
    context: Context,
    stage: PipelineStage,
  ) => Eventually<readonly Message[]>
}

/** What `handleMessage` gets for what a producer or a transformer gives. */
export type Incoming<Event> =
  Event extends Message<infer Data, infer Batcher, infer Metadata>
    ? Message<Data, string extends Batcher ? 'default' : Batcher, Metadata>
    : Message<NoInfer<Event>, 'default'>

/** The messages among those that `handleMessage` gives that go to a batcher. */
export type MessageFor<Out, Batcher extends string> =
  Out extends Message<unknown, infer Batchers> ? (Batcher extends Batchers ? Out : never) : never

/**
 * For the compiler: refuses a `handleMessage` that sends messages to batchers that are not there. A batcher that is any string is left to
 * run time; that is also what `Out` is as long as the compiler has not looked at `handleMessage`.
 */
type OnlyTo<Out extends Message, Batcher extends string> = [Batcher] extends [never]
  ? unknown
  : string extends Out['batcher']
    ? unknown
    : [Out['batcher']] extends [Batcher]
      ? unknown
      : { handleMessage(...args: never): `there is no batcher ${Exclude<Out['batcher'], Batcher>}` }

/** The options of a pipeline. */
export interface PipelineOptions<
  Event,
  In,
  Args extends readonly unknown[],
  Module,
  Context,
  Out extends Message,
  Batcher extends string,
> {
  /** What it is found by, and what the names of its processes begin with. */
  readonly name: string | Name
  /** What every callback is given. Default `undefined`. */
  readonly context?: Context | undefined
  readonly producer: PipelineProducerOptions<Event, In, Args, Module>
  readonly processors: {
    readonly default: ProcessorOptions<Incoming<In>, Out, Context> & OnlyTo<Out, Batcher>
  }
  /** Without batchers messages are acknowledged after `handleMessage`. */
  readonly batchers?: { readonly [K in Batcher]: BatcherOptions<MessageFor<Out, K>, Context> } | undefined
  /**
   * Called with messages that have failed, before they are acknowledged as failed: to log them, to put them elsewhere, to configure
   * their acknowledgement. Returns them; they stay failed.
   */
  readonly handleFailed?:
    | ((
        messages: readonly NoInfer<Incoming<In> | Out>[],
        context: Context,
        stage: PipelineStage,
      ) => Eventually<readonly Message[]>)
    | undefined
  /**
   * Called with messages that have failed for good, behind `handleFailed`: puts them where somebody looks after them. Then they are
   * done with, and acknowledged as successful, so that their source does not deliver them again. When it throws they are
   * acknowledged as failed. Default: none, they are acknowledged as failed.
   */
  readonly deadLetter?:
    | ((messages: readonly NoInfer<Incoming<In> | Out>[], context: Context, stage: PipelineStage) => unknown)
    | undefined
  /** As in the processors and the batchers, where they say nothing else. */
  readonly partitionBy?: ((message: NoInfer<Incoming<In> | Out>) => number) | undefined
  /** As in the processors and the batchers, where they say nothing else. Default: nothing is handled again. */
  readonly retry?: RetryOptions<NoInfer<Incoming<In> | Out>> | undefined
  /** Milliseconds that each stage has to stop, >= 1. Default 30000. */
  readonly shutdown?: number | undefined
  /**
   * Milliseconds that a pipeline that is stopped has to handle what is on its way, >= 1 or `Infinity`, all stages together. Then it
   * is abandoned: stages that have something left are killed. Default `shutdown`.
   */
  readonly drainTimeout?: number | undefined
  /**
   * Called when a pipeline ends, or changes its concurrency, and messages are left that were not acknowledged, or stages that had to be
   * killed.
   */
  readonly onAbandoned?: ((report: Abandoned) => void) | undefined
  /** Restarts of its parts tolerated within `maxSeconds`, >= 0; one more, and the pipeline ends. Default 3. */
  readonly maxRestarts?: number | undefined
  /** Seconds, >= 1. Default 5. */
  readonly maxSeconds?: number | undefined
  /** Milliseconds after which processors look again for a producer that has gone, >= 0. Default 100. */
  readonly resubscribeInterval?: number | undefined
  /** Names of its processes of your own: what is `Producer_0`, `Processor_default_0` and so on by default. */
  readonly processName?: ((base: string) => string | Name) | undefined
}

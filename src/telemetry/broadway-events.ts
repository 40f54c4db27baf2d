/**
 * What pipelines tell. Events of one piece of work are a span: they have the same `span`, and the `parent` in which it happened.
 * A message of one event is the same object in the next one, such as what a message's `stop` tells and the batch that it is in.
 */

/** A `Message`, as far as telemetry knows it. */
export interface PipelineMessage {
  readonly data: unknown
  readonly metadata: unknown
  readonly batcher: string
  readonly batchKey: unknown
  readonly status: 'ok' | { readonly kind: string; readonly reason: unknown }
}

/** Where in a pipeline something happened. */
export interface PipelinePlace {
  /** The name of the pipeline. */
  readonly pipeline: string
  /** Number of the stage's process. */
  readonly id: number
  readonly stage: string
  /** The key of the processors, or of the batcher; `''` for a producer. */
  readonly key: string
  /** Among its like, from 0 on. */
  readonly index: number
  /** The `context` of the options. */
  readonly context: unknown
  /** Where the messages of the pipeline come from. */
  readonly producer: { readonly module: { readonly name: string }; readonly arg: unknown }
}

export interface PipelineSpan extends PipelinePlace {
  /** Number of the piece of work. */
  readonly span: number
  /** Number of the span that it is a part of. */
  readonly parent: number | undefined
}

export interface SpanEnd {
  /** Milliseconds. */
  readonly duration: number
}

/** Something was thrown, or is wrong with what was returned. */
export interface SpanException extends SpanEnd {
  readonly kind: 'error' | 'throw' | 'exit'
  readonly reason: unknown
}

/** A pipeline runs. */
export interface PipelineInit {
  readonly pipeline: string
  /** Number of its process. */
  readonly id: number
  /** The options, as they were given, or as `prepareForStart` has made them. */
  readonly options: unknown
  /** Its main supervisor, a `Ref`. */
  readonly supervisor: { readonly id: number }
}

/** A processor has taken messages that came together. */
export interface ProcessorStart extends PipelineSpan {
  readonly messages: readonly PipelineMessage[]
}

/** It is done with them: those that were to be acknowledged have been. */
export interface ProcessorStop extends ProcessorStart, SpanEnd {
  readonly successfulToAck: readonly PipelineMessage[]
  readonly successfulToForward: readonly PipelineMessage[]
  /** As `handleFailed` has returned them. */
  readonly failed: readonly PipelineMessage[]
}

export interface MessageStart extends PipelineSpan {
  readonly message: PipelineMessage
}

/** `message` is what `handleMessage` returned, also when that has failed. */
export interface MessageStop extends MessageStart, SpanEnd {}

export interface MessageException extends MessageStart, SpanException {}

/** A batcher has taken messages. */
export interface BatcherStart extends PipelineSpan {
  readonly messages: readonly PipelineMessage[]
}

export interface BatcherStop extends BatcherStart, SpanEnd {}

/** What is known about a batch. */
export interface BatchDescription {
  readonly batcher: string
  readonly batchKey: unknown
  readonly partition: number | undefined
  readonly size: number
  readonly trigger: 'size' | 'timeout' | 'flush'
}

/** A batch has left its batcher: `batch.trigger` says why. */
export interface BatchLeft extends PipelinePlace {
  readonly batch: BatchDescription
  readonly messages: readonly PipelineMessage[]
}

export interface BatchProcessorStart extends PipelineSpan {
  readonly batch: BatchDescription
  readonly messages: readonly PipelineMessage[]
}

/** The batch is done, its messages have been acknowledged. When `handleBatch` threw, all of them have failed. */
export interface BatchProcessorStop extends BatchProcessorStart, SpanEnd {
  readonly successful: readonly PipelineMessage[]
  /** As `handleFailed` has returned them. */
  readonly failed: readonly PipelineMessage[]
}

export interface HandleFailedStart extends PipelineSpan {
  readonly messages: readonly PipelineMessage[]
}

/** `messages` are those that `handleFailed` returned. */
export interface HandleFailedStop extends HandleFailedStart, SpanEnd {}

export interface HandleFailedException extends HandleFailedStart, SpanException {}

/** An acknowledger has been called, and was done or failed. */
export interface Acknowledgement extends SpanEnd {
  /** Who has called it; `undefined` for `ackImmediately`. */
  readonly place: PipelinePlace | undefined
  /** Of the processor or batch processor. */
  readonly parent: number | undefined
  readonly acknowledger: object
  readonly ackRef: unknown
  readonly successful: readonly PipelineMessage[]
  readonly failed: readonly PipelineMessage[]
  /** What it threw; `undefined` when it did not. */
  readonly error: unknown
}

/** A pipeline has ended, or was out of time, with messages that nobody has acknowledged. */
export interface MessagesAbandoned {
  readonly pipeline: string
  /** Milliseconds that it had after it was asked to stop; 0 when it was not asked. */
  readonly ms: number
  readonly messages: number
  /** The stages that had not finished, from the producers on, and the callbacks that they were waiting for. */
  readonly stages: readonly {
    readonly stage: string
    readonly waitedFor: string | undefined
    readonly messages: number
  }[]
}

/** A producer may let nothing more through, or may again. */
export interface RateLimit extends PipelinePlace {
  readonly state: 'closed' | 'open'
  /** Messages that wait until they may go on. */
  readonly held: number
}

/** The pipelines of a check, and the messages in their hands. */

import type { Broadway } from '../../broadway/broadway.ts'
import type { Message } from '../../broadway/message.ts'
import type { PipelineStage } from '../../broadway/options/pipeline-options.ts'
import type { Ref } from '../../process/ref.ts'

/** What handling a message comes to. One that throws has failed as well. */
export type Outcome = 'ok' | 'failed'

/** A message in the hands of a pipeline. */
export interface Handling {
  readonly text: string
  readonly key: string
  readonly message: Message
  readonly pipeline: TrialPipeline
  /** Which time it is that the message is handled, by whichever pipeline. */
  readonly nth: number
  /** It was handled, and is ok. */
  finished: boolean
}

export type Handle = (handling: Handling, stage: PipelineStage) => Outcome | Promise<Outcome>

/** Messages share a few keys; or each has its own, so that none has to wait for another. */
export type Keys = 'few' | 'own'

export interface Shape {
  readonly sources?: number
  readonly concurrency?: number
  readonly maxDemand?: number
  /** Messages with the same key are handled one after another. */
  readonly byKey?: boolean
  /** With a batcher, which has such batches. */
  readonly batchSize?: number
  /** Options of the source. */
  readonly options?: object | undefined
}

/** A pipeline of a check. */
export interface TrialPipeline {
  /** From 1 on. */
  readonly number: number
  readonly ref: Ref<Broadway<never, unknown>>
  /** What the source has handed to the pipeline and was not handled: at present, and at most so far. */
  readonly held: number
  readonly mostHeld: number
  stop(): Promise<void>
  kill(): Promise<void>
}

/** Handles every message. */
export const handled: Handle = () => 'ok'

/** Handles every message, in a time that chance decides. */
export function inSomeTime(random: () => number, mostMs: number): Handle {
  return async (_handling, stage): Promise<Outcome> => {
    await stage.sleep(random() * mostMs)
    return 'ok'
  }
}

/** Where a stage is, and what all stages of a pipeline that call the user's functions need. */

import { type GenServer, serverOf } from '../../otp/gen-server.ts'
import { describeReason, isShutdown } from '../../process/exit-reason.ts'
import type { Process } from '../../process/process.ts'
import { processOf } from '../../process/ref.ts'
import type { Runtime } from '../../process/runtime.ts'
import type { Exit } from '../../process/signals.ts'
import type { PipelinePlace } from '../../telemetry/broadway-events.ts'
import type { Message } from '../message.ts'
import type { HandleFailed } from '../options/checked-options.ts'
import type { PipelineStage } from '../options/pipeline-options.ts'
import { StageTelemetry } from './stage-telemetry.ts'

/** The place of a stage, and what it shares with the others. */
export interface Place {
  readonly pipeline: string
  /** The key of the processors, or of the batcher. */
  readonly key: string
  readonly index: number
  readonly context: unknown
  readonly handleFailed: HandleFailed | undefined
  readonly deadLetter: HandleFailed | undefined
  /** Where its messages come from. */
  readonly producer: PipelinePlace['producer']
}

const places = new WeakMap<Process, Here>()

/** The callback that a stage waits for, if it is held; `undefined` for a stage that has none of ours. */
export function callbackOf(process: Process): string | undefined {
  return places.get(process)?.waitsFor
}

/** A stage that runs, for its callbacks and for what they fail with. */
export class Here implements Place {
  readonly pipeline: string
  readonly key: string
  readonly index: number
  readonly context: unknown
  readonly handleFailed: HandleFailed | undefined
  readonly deadLetter: HandleFailed | undefined
  readonly producer: PipelinePlace['producer']
  readonly telemetry: StageTelemetry
  /** What callbacks are given. */
  readonly stage: PipelineStage
  /** The callback whose promise it waited for last. */
  waitsFor: string | undefined = undefined
  readonly #server: GenServer

  constructor(server: GenServer & PipelineStage, place: Place) {
    const { pipeline, key, index, context, handleFailed, deadLetter, producer } = place
    this.pipeline = pipeline
    this.key = key
    this.index = index
    this.context = context
    this.handleFailed = handleFailed
    this.deadLetter = deadLetter
    this.producer = producer
    this.telemetry = new StageTelemetry(server, place)
    this.stage = server
    this.#server = server
    const process = serverOf(server)?.process
    if (process !== undefined) places.set(process, this)
  }

  get runtime(): Runtime {
    return processOf(this.#server.self).runtime
  }

  /** A process that is linked to the stage has ended: that is no reason for the stage to end. */
  trapped({ from, reason }: Exit): void {
    if (reason !== 'normal' && !isShutdown(reason))
      this.report(`received a trapped exit from ${from}: ${describeReason(reason)}`)
  }

  /** Messages come that have failed on the way, in a function that belongs to no stage which could say so. */
  failedBefore(culprit: string, messages: readonly Message[]): void {
    const status = messages[0]?.status
    const reason = typeof status === 'object' ? status.reason : undefined
    this.report(`${culprit} failed, and with it ${messages.length} messages`, reason)
  }

  /** One line about something that went wrong and does not end the stage. */
  report(what: string, error?: unknown): void {
    const process = processOf(this.#server.self)
    const reason = error === undefined ? '' : `: ${error instanceof Error ? error.message : String(error)}`
    process.runtime.logger.error({ process: `${process}`, err: error }, `${process}: ${what}${reason}`)
  }
}

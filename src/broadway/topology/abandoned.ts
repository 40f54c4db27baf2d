/** What a pipeline leaves undone when it ends: found by looking at its stages from outside, since those that are stuck do not answer. */

import { STOP } from '../../process/message.ts'
import type { Name } from '../../process/name.ts'
import type { Process } from '../../process/process.ts'
import type { Runtime } from '../../process/runtime.ts'
import { StageBehaviour } from '../../stage/stage-behaviour.ts'
import { channels } from '../../telemetry/channels.ts'
import { Message } from '../message.ts'
import { callbackOf } from './place.ts'
import { BroadwayProducerBehaviour } from './producer-stage.ts'

const ENDED = 'ended with'

/** A stage that had not finished. */
export interface AbandonedStage {
  /** Its name. */
  readonly stage: string
  /** The callback that it was waiting for, `ack` for an acknowledger; `undefined` when it waited for none. */
  readonly waitedFor: string | undefined
  /** Messages that it had, in hand and waiting, which are not acknowledged. */
  readonly messages: number
}

/** What a pipeline left undone. It is for the source to deliver it again. */
export interface Abandoned {
  /** The name of the pipeline. */
  readonly pipeline: string
  /** Milliseconds that it had after it was asked to stop, or to change its concurrency; 0 when it was not asked. */
  readonly ms: number
  /** Messages that are not acknowledged, in all stages. */
  readonly messages: number
  /** The stages that had not finished, from the producers on. */
  readonly stages: readonly AbandonedStage[]
}

/** The processes of a pipeline, whichever bear these names, and whom to tell. */
export interface Parts {
  readonly pipeline: string
  /** In the order of their start. */
  readonly supervisors: readonly Name[]
  /** From the producers on. */
  readonly stages: readonly Name[]
  readonly onAbandoned: ((report: Abandoned) => void) | undefined
}

/**
 * Kills the stages that have something left, and says what that was. Their supervisors are stopped, so that nothing is started again;
 * producers that are not stuck still end in order.
 */
export function abandon(parts: Parts, runtime: Runtime, ms: number): void {
  const left = unfinished(parts, runtime)
  if (left.length === 0) return
  report(parts, runtime, left, ms, ENDED)
  for (const supervisor of holders(parts.supervisors, runtime)) {
    supervisor.stopping = true
    supervisor.stopTimed = true
    supervisor.deliver(STOP, 'shutdown')
  }
  for (const { process, waitedFor } of left) if (waitedFor !== undefined || !isProducer(process)) process.kill()
}

/** Kills whatever is there, and says what was left. */
export function killAll(parts: Parts, runtime: Runtime, ms: number, what: string = ENDED): void {
  const supervisors = holders(parts.supervisors, runtime)
  const stages = holders(parts.stages, runtime)
  if (supervisors.length + stages.length === 0) return
  report(parts, runtime, unfinished(parts, runtime), ms, what)
  // Nobody is to be started again in between.
  for (const process of [...supervisors, ...stages]) process.kill()
}

interface Unfinished extends AbandonedStage {
  readonly process: Process
}

function unfinished({ stages }: Parts, runtime: Runtime): readonly Unfinished[] {
  return holders(stages, runtime).flatMap((process) => {
    const messages = messagesIn(process)
    const waitedFor = process.held ? (callbackOf(process) ?? process.awaiting) : undefined
    return messages > 0 || waitedFor !== undefined ? [{ stage: `${process}`, waitedFor, messages, process }] : []
  })
}

function report(
  { pipeline, onAbandoned }: Parts,
  { logger }: Runtime,
  left: readonly Unfinished[],
  ms: number,
  what: string,
): void {
  if (left.length === 0) return
  const stages = left.map(({ stage, waitedFor, messages }): AbandonedStage => ({ stage, waitedFor, messages }))
  const messages = stages.reduce((sum, stage) => sum + stage.messages, 0)
  const abandoned: Abandoned = { pipeline, ms, messages, stages }
  const text = `${pipeline} ${what} ${count(messages)} that nobody acknowledged: ${stages.map(describe).join('; ')}`
  logger.error(abandoned, text)
  if (channels.broadwayAbandon.hasSubscribers) channels.broadwayAbandon.publish(abandoned)
  try {
    onAbandoned?.(abandoned)
  } catch (err) {
    logger.error({ err, pipeline }, `onAbandoned of ${pipeline} threw: ${err}`)
  }
}

function describe({ stage, waitedFor, messages }: AbandonedStage): string {
  return `${stage} had ${count(messages)}${waitedFor === undefined ? '' : ` and waited for ${waitedFor}`}`
}

function count(messages: number): string {
  return messages === 1 ? '1 message' : `${messages} messages`
}

/** The messages that a stage has; batches are counted by what is in them. */
function messagesIn({ behaviour }: Process): number {
  if (!(behaviour instanceof StageBehaviour)) return 0
  let messages = behaviour.held()
  behaviour.eachHeld((events) => {
    for (const event of events) messages += sizeOf(event)
  })
  return messages
}

function sizeOf(event: unknown): number {
  if (event instanceof Message || typeof event !== 'object' || event === null) return 1
  return 'messages' in event && Array.isArray(event.messages) ? event.messages.length : 1
}

function isProducer({ behaviour }: Process): boolean {
  return behaviour instanceof BroadwayProducerBehaviour
}

function holders(names: readonly Name[], runtime: Runtime): readonly Process[] {
  return names.flatMap((name) => {
    const process = name.holder(runtime)
    return process?.alive ? [process] : []
  })
}

/** Tells the server what became of the entries of a stream. */

import type { Acknowledger } from '../../broadway/acknowledger.ts'
import { type Answers, answeringAcknowledger } from '../../broadway/answers.ts'
import type { Heartbeat } from '../../connector/heartbeat.ts'
import type { Process } from '../../process/process.ts'
import { together } from '../connection/together.ts'
import { reasonOf, told } from '../connection/told.ts'
import { RedisError } from '../errors.ts'
import { STREAM_ANSWERS, type StreamAnswer } from '../options/answer-options.ts'
import type { CheckedStreamOptions } from '../options/stream-options.ts'
import type { Group, Received } from './group.ts'

/** What is needed to answer for one entry. */
export interface StreamAckData extends Answers<StreamAnswer>, Received {}

/** The source of entries: those of one are answered for together. */
export interface StreamOrigin {
  readonly process: Process
  readonly group: Group
  readonly options: CheckedStreamOptions
  readonly heartbeat: Heartbeat<string> | undefined
}

export const streamAcknowledger: Acknowledger<StreamOrigin, StreamAckData> = answeringAcknowledger<
  StreamAnswer,
  StreamOrigin,
  StreamAckData
>(STREAM_ANSWERS, async (origin, answered) => {
  const { process, group, options, heartbeat } = origin
  const acked: string[] = []
  const again = new Map<number, string[]>()
  const dead: Promise<void>[] = []
  for (const { message, data, answer } of answered) {
    const { id } = data.entry
    heartbeat?.release(id)
    const last = data.deliveries >= options.maxDeliver
    if (answer === 'ack') acked.push(id)
    else if (answer === 'dead_letter') dead.push(giveUp(origin, data, reasonOf(message), true))
    else if (last) {
      const reason = `${reasonOf(message)} (delivery ${data.deliveries} of ${options.maxDeliver})`
      dead.push(giveUp(origin, data, reason, options.deadLetters !== undefined))
    } else {
      const delay = answer === 'retry' ? backOff(options, data.deliveries) : answer.retryAfter
      again.set(delay, [...(again.get(delay) ?? []), id])
    }
  }
  await together(process, answered.length, [
    ...dead,
    ...(acked.length > 0 ? [group.ack(acked)] : []),
    ...[...again].map(([delay, ids]) => group.giveBack(ids, delay)),
  ])
  told(process, { ack: acked.length, retry: answered.length - acked.length - dead.length, dead_letter: dead.length })
})

/** Only what is safe among the dead letters is done with. */
export async function giveUp(
  { process, group, options }: StreamOrigin,
  received: Received,
  reason: string,
  letter: boolean,
): Promise<void> {
  const { deadLetters, retryDelay } = options
  const { id } = received.entry
  try {
    if (letter && deadLetters === undefined)
      throw new RedisError('bad_options', `${process} has no option deadLetters: there is no stream for a dead letter`)
    if (letter && deadLetters !== undefined) await group.deadLetter(deadLetters, received, reason)
  } catch (error) {
    await group.giveBack([id], retryDelay)
    throw error
  }
  await group.ack([id])
}

function backOff({ retryDelay, claimIdle }: CheckedStreamOptions, deliveries: number): number {
  return Math.min(retryDelay * 2 ** (deliveries - 1), claimIdle)
}

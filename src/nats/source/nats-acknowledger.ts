/** Tells the server what became of its messages. */

import type { Acknowledger } from '../../broadway/acknowledger.ts'
import { type Answered, type Answers, answeringAcknowledger } from '../../broadway/answers.ts'
import type { Message } from '../../broadway/message.ts'
import type { Heartbeat } from '../../connector/heartbeat.ts'
import type { Process } from '../../process/process.ts'
import { NatsError } from '../errors.ts'
import { ANSWERS, type Answer } from '../options/source-options.ts'
import type { Answering, Held } from './answering.ts'

/** What is needed to answer for one message. */
export interface AckData extends Answers<Answer>, Held {}

/** The source of messages: those of one are answered for together. */
export interface Origin {
  readonly process: Process
  readonly answering: Answering
  readonly heartbeat: Heartbeat<string> | undefined
  /** Deliveries of a message at most. */
  readonly maxDeliver: number
}

export const natsAcknowledger: Acknowledger<Origin, AckData> = answeringAcknowledger<Answer, Origin, AckData>(
  ANSWERS,
  async (origin, answered) => {
    const errors: unknown[] = []
    const slow: Promise<unknown>[] = []
    const counts = { ack: 0, nak: 0, term: 0, dead_letter: 0 }
    for (const each of answered) {
      origin.heartbeat?.release(each.data.delivery.reply)
      const answer = finalAnswer(origin, each)
      try {
        const more = tell(origin, each, answer)
        if (more !== undefined) slow.push(more)
        counts[typeof answer === 'object' || answer === 'retry' ? 'nak' : answer]++
      } catch (error) {
        errors.push(error)
      }
    }
    for (const result of await Promise.allSettled(slow)) if (result.status === 'rejected') errors.push(result.reason)
    const { answering, process } = origin
    for (const answer of ['ack', 'nak', 'term', 'dead_letter'] as const) answering.told(answer, counts[answer])
    if (errors.length === 0) return
    const texts = errors.slice(0, 3).map((error) => (error instanceof Error ? error.message : String(error)))
    throw new NatsError(
      'ack_failed',
      `${errors.length} of ${answered.length} answers of ${process} failed, and their messages may be delivered again: ${texts.join('; ')}`,
      new AggregateError(errors),
    )
  },
)

/** A message that failed at its last delivery would not come again. */
function finalAnswer({ maxDeliver }: Origin, { data, answer }: Answered<Answer, AckData>): Answer {
  const again = answer === 'retry' || typeof answer === 'object'
  return again && data.info.deliveries >= maxDeliver ? 'dead_letter' : answer
}

function tell(
  { answering, maxDeliver }: Origin,
  { message, data, answer }: Answered<Answer, AckData>,
  final: Answer,
): Promise<unknown> | undefined {
  if (final === 'ack') return answering.ack(data)
  if (final === 'retry') answering.retry(data)
  else if (final === 'term') answering.term(data, reasonOf(message))
  else if (typeof final === 'object') answering.nak(data.delivery, final.retryAfter)
  else if (answer === 'dead_letter') return answering.deadLetter(data, reasonOf(message))
  else return giveUp(answering, data, `${reasonOf(message)} (delivery ${data.info.deliveries} of ${maxDeliver})`)
  return undefined
}

/** It was delivered as often as it may be. */
export function giveUp(answering: Answering, held: Held, reason: string): Promise<unknown> | undefined {
  if (answering.hasDeadLetters) return answering.deadLetter(held, reason)
  answering.term(held, reason)
  return undefined
}

/** Why a message failed, as text. */
function reasonOf({ status }: Message): string {
  if (status === 'ok') return ''
  const { reason } = status
  return reason instanceof Error ? reason.message || reason.name : String(reason)
}

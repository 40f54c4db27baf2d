/** Tells a queue what became of its messages. */

import type { Acknowledger } from '../../broadway/acknowledger.ts'
import type { Message } from '../../broadway/message.ts'
import type { Process } from '../../process/process.ts'
import type { Receipt } from '../message.ts'
import type { Settlement } from '../queue-options.ts'
import type { Heartbeat } from './heartbeat.ts'
import { type Answer, type AnswerOption, checkAnswer, readAnswers } from './source-options.ts'

/** What is needed to answer for one message. */
export interface Delivery {
  readonly receipt: Receipt
  readonly attempts: number
  readonly onSuccess: AnswerOption
  readonly onFailure: AnswerOption
}

/** The source of messages: those of one are answered for together. */
export interface Origin {
  readonly process: Process
  /** Milliseconds of the first `retry`. */
  readonly retryDelay: number
  /** Tells the queue; gives the receipts that were too late. */
  readonly settle: (settlement: Settlement) => Promise<readonly Receipt[]>
  readonly heartbeat: Heartbeat | undefined
}

const LONGEST_RETRY = 60_000

type Mutable<T> = { -readonly [K in keyof T]-?: NonNullable<T[K]> extends readonly (infer E)[] ? E[] : never }

export const queueAcknowledger: Acknowledger<Origin, Delivery> = {
  async ack(origin, successful, failed) {
    const settlement: Mutable<Settlement> = { ack: [], nack: [], deadLetter: [] }
    for (const message of successful) answer(origin, message, 'onSuccess', settlement)
    for (const message of failed) answer(origin, message, 'onFailure', settlement)
    const late = await origin.settle(settlement)
    if (late.length === 0) return
    const { process } = origin
    process.runtime.logger.warn(
      { process: `${process}`, late: late.length },
      `${late.length} messages of ${process} were answered for too late, and were delivered again: raise visibilityTimeout, or maxExtension`,
    )
  },

  /** @throws `QueueError` `bad_options`. */
  configure({ process }, delivery, options) {
    const { onSuccess = delivery.onSuccess, onFailure = delivery.onFailure } = readAnswers(
      `configureAck of ${process}`,
      options,
    )
    return { ...delivery, onSuccess, onFailure }
  },
}

function answer(
  { process, retryDelay, heartbeat }: Origin,
  message: Message,
  when: 'onSuccess' | 'onFailure',
  settlement: Mutable<Settlement>,
): void {
  const delivery = message.ackData as Delivery
  const { receipt, attempts } = delivery
  heartbeat?.release(receipt)
  const chosen = choose(process, message, when, delivery[when])
  const reason = message.status === 'ok' ? undefined : message.status.reason
  if (chosen === 'ack') settlement.ack.push(receipt)
  else if (chosen === 'dead_letter') settlement.deadLetter.push({ receipt, reason })
  else {
    const delay = chosen === 'retry' ? backOff(retryDelay, attempts) : chosen.retryAfter
    settlement.nack.push({ receipt, delay, reason })
  }
}

function choose(process: Process, message: Message, when: 'onSuccess' | 'onFailure', option: AnswerOption): Answer {
  if (typeof option !== 'function') return option
  try {
    const chosen: unknown = option(message as Message<unknown, string, never>)
    checkAnswer(`the result of ${when} of ${process}`, chosen)
    return chosen
  } catch (err) {
    // The message is not to blame, and must not be lost: others are answered for in the same call.
    process.runtime.logger.error(
      { err, process: `${process}` },
      `${when} of ${process} failed; the message is tried again`,
    )
    return 'retry'
  }
}

function backOff(delay: number, attempts: number): number {
  return Math.min(delay * 2 ** (attempts - 1), Math.max(delay, LONGEST_RETRY))
}

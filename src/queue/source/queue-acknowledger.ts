/** Tells a queue what became of its messages. */

import type { Acknowledger } from '../../broadway/acknowledger.ts'
import { type Answered, type Answers, answeringAcknowledger } from '../../broadway/answers.ts'
import type { Heartbeat } from '../../connector/heartbeat.ts'
import type { Process } from '../../process/process.ts'
import type { Receipt } from '../message.ts'
import type { Settlement } from '../queue-options.ts'
import { ANSWERS, type Answer } from './source-options.ts'

/** What is needed to answer for one message. */
export interface Delivery extends Answers<Answer> {
  readonly receipt: Receipt
  readonly attempts: number
}

/** The source of messages: those of one are answered for together. */
export interface Origin {
  readonly process: Process
  /** Milliseconds of the first `retry`. */
  readonly retryDelay: number
  /** Tells the queue; gives the receipts that were too late. */
  readonly settle: (settlement: Settlement) => Promise<readonly Receipt[]>
  readonly heartbeat: Heartbeat<Receipt> | undefined
}

const LONGEST_RETRY = 60_000

type Mutable<T> = { -readonly [K in keyof T]-?: NonNullable<T[K]> extends readonly (infer E)[] ? E[] : never }

export const queueAcknowledger: Acknowledger<Origin, Delivery> = answeringAcknowledger<Answer, Origin, Delivery>(
  ANSWERS,
  async (origin, answered) => {
    const settlement: Mutable<Settlement> = { ack: [], nack: [], deadLetter: [] }
    for (const each of answered) {
      origin.heartbeat?.release(each.data.receipt)
      note(each, origin.retryDelay, settlement)
    }
    const late = await origin.settle(settlement)
    if (late.length === 0) return
    const { process } = origin
    process.runtime.logger.warn(
      { process: `${process}`, late: late.length },
      `${late.length} messages of ${process} were answered for too late, and were delivered again: raise visibilityTimeout, or maxExtension`,
    )
  },
)

function note(
  { message, data, answer }: Answered<Answer, Delivery>,
  retryDelay: number,
  settlement: Mutable<Settlement>,
): void {
  const { receipt, attempts } = data
  const reason = message.status === 'ok' ? undefined : message.status.reason
  if (answer === 'ack') settlement.ack.push(receipt)
  else if (answer === 'dead_letter') settlement.deadLetter.push({ receipt, reason })
  else {
    const delay = answer === 'retry' ? backOff(retryDelay, attempts) : answer.retryAfter
    settlement.nack.push({ receipt, delay, reason })
  }
}

function backOff(delay: number, attempts: number): number {
  return Math.min(delay * 2 ** (attempts - 1), Math.max(delay, LONGEST_RETRY))
}

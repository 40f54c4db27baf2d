/** Tells SQS what became of its messages. */

import type { Acknowledger } from '../../broadway/acknowledger.ts'
import { type Answers, answeringAcknowledger } from '../../broadway/answers.ts'
import type { Heartbeat } from '../../connector/heartbeat.ts'
import type { Process } from '../../process/process.ts'
import { channels } from '../../telemetry/channels.ts'
import type { QueueRequests, RequestFailure, Visibility } from '../client/queue-requests.ts'
import { SqsError } from '../errors.ts'
import { ANSWERS, type Answer } from '../options/source-options.ts'

/** What is needed to answer for one message. */
export interface Delivery extends Answers<Answer> {
  readonly receipt: string
}

/** One run of a source: its messages are answered for together. */
export interface Origin {
  readonly process: Process
  readonly requests: QueueRequests
  readonly heartbeat: Heartbeat<string> | undefined
}

export const sqsAcknowledger: Acknowledger<Origin, Delivery> = answeringAcknowledger<Answer, Origin, Delivery>(
  ANSWERS,
  async (origin, answered) => {
    const done: string[] = []
    const again: Visibility[] = []
    for (const { data, answer } of answered) {
      const { receipt } = data
      origin.heartbeat?.release(receipt)
      if (answer === 'ack') done.push(receipt)
      else if (answer === 'retry') again.push({ receipt, seconds: 0 })
      else if (answer !== 'noop') again.push({ receipt, seconds: Math.ceil(answer.retryAfter / 1000) })
    }
    const [deletes, retries] = await Promise.all([
      origin.requests.delete(done),
      origin.requests.changeVisibility(again),
    ])
    const { process } = origin
    tell(process, 'ack', done.length, deletes)
    tell(process, 'retry', again.length, retries)
    const failures = [...deletes, ...retries]
    if (failures.length > 0) report(process, failures)
  },
)

function tell(
  process: Process,
  answer: 'ack' | 'retry',
  messages: number,
  { length: failed }: readonly object[],
): void {
  if (messages === 0) return
  if (channels.sqsAck.hasSubscribers) channels.sqsAck.publish({ process: `${process}`, answer, messages, failed })
}

/** @throws `SqsError` `ack_failed`, unless the service failed for single messages, of which a line in the log tells. */
function report(process: Process, failures: readonly RequestFailure[]): void {
  const errors = [...new Set(failures.map(({ error }) => error))]
  const reasons = [...new Set(errors.map(({ message }) => message))].join('; ')
  const text = `${failures.length} messages of ${process} could not be answered for, and are received again: ${reasons}`
  if (failures.some(({ fault }) => fault !== 'service')) {
    throw new SqsError('ack_failed', text, new AggregateError(errors))
  }
  process.runtime.logger.warn({ process: `${process}`, failed: failures.length }, text)
}

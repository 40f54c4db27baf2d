/** Tells the service what became of its messages. */

import type { Acknowledger } from '../../broadway/acknowledger.ts'
import { type Answers, answeringAcknowledger } from '../../broadway/answers.ts'
import { failureText } from '../../connector/failure-report.ts'
import type { Heartbeat } from '../../connector/heartbeat.ts'
import type { Process } from '../../process/process.ts'
import { channels } from '../../telemetry/channels.ts'
import type { RetryingClient } from '../client/retrying-client.ts'
import { PubSubError } from '../errors.ts'
import { ANSWERS, type Answer } from '../options/source-options.ts'

/** What is needed to answer for one message. */
export interface Delivery extends Answers<Answer> {
  readonly ackId: string
}

/** One run of a source: its messages are answered for together. */
export interface Origin {
  readonly process: Process
  readonly requests: RetryingClient
  readonly heartbeat: Heartbeat<string> | undefined
}

export const pubSubAcknowledger: Acknowledger<Origin, Delivery> = answeringAcknowledger<Answer, Origin, Delivery>(
  ANSWERS,
  async (origin, answered) => {
    const done: string[] = []
    /** Ids by the seconds after which they are to come again. */
    const again = new Map<number, string[]>()
    for (const { data, answer } of answered) {
      const { ackId } = data
      origin.heartbeat?.release(ackId)
      if (answer === 'ack') done.push(ackId)
      else if (answer !== 'noop') {
        const seconds = answer === 'nack' ? 0 : Math.ceil(answer.retryAfter / 1000)
        const ids = again.get(seconds)
        if (ids === undefined) again.set(seconds, [ackId])
        else ids.push(ackId)
      }
    }
    const { process, requests } = origin
    const acks = requests.acknowledge(done).then((errors) => tell(process, 'ack', done.length, errors))
    const nacks = [...again].map(async ([seconds, ids]) =>
      tell(process, 'nack', ids.length, await requests.modifyAckDeadline(ids, seconds)),
    )
    const errors = (await Promise.all([acks, ...nacks])).flat()
    if (errors.length === 0) return
    const reasons = [...new Set(errors.map(failureText))].join('; ')
    throw new PubSubError(
      'ack_failed',
      `messages of ${process} could not be answered for, and are delivered again: ${reasons}`,
      new AggregateError(errors),
    )
  },
)

function tell(
  process: Process,
  answer: 'ack' | 'nack',
  messages: number,
  errors: readonly unknown[],
): readonly unknown[] {
  if (messages === 0) return errors
  if (channels.pubsubAck.hasSubscribers) {
    channels.pubsubAck.publish({ process: `${process}`, answer, messages, failures: errors.map(failureText) })
  }
  return errors
}

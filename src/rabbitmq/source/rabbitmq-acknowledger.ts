/** Tells the server what became of its messages. */

import type { Acknowledger } from '../../broadway/acknowledger.ts'
import type { Message } from '../../broadway/message.ts'
import type { Process } from '../../process/process.ts'
import { type Answer, type AnswerOption, checkAnswer, readAnswers } from '../options/source-options.ts'
import type { Deliveries } from './deliveries.ts'
import type { BasicAnswer } from './unanswered.ts'

/** What is needed to answer for one message. */
export interface AckData {
  readonly tag: number
  readonly redelivered: boolean
  readonly onSuccess: AnswerOption
  readonly onFailure: AnswerOption
}

export const rabbitmqAcknowledger: Acknowledger<Deliveries, AckData> = {
  ack(deliveries, successful, failed) {
    const answers = new Map<number, BasicAnswer>()
    for (const message of successful) note(deliveries.process, message, 'onSuccess', answers)
    for (const message of failed) note(deliveries.process, message, 'onFailure', answers)
    deliveries.answer(answers)
  },

  /** @throws `RabbitMQError` `bad_options`. */
  configure({ process }, data, options) {
    const { onSuccess = data.onSuccess, onFailure = data.onFailure } = readAnswers(
      `configureAck of ${process}`,
      options,
    )
    return { ...data, onSuccess, onFailure }
  },
}

function note(
  process: Process,
  message: Message,
  when: 'onSuccess' | 'onFailure',
  answers: Map<number, BasicAnswer>,
): void {
  const data = message.ackData as AckData
  const chosen = choose(process, message, when, data[when])
  answers.set(data.tag, basic(chosen, data.redelivered))
}

function basic(answer: Answer, redelivered: boolean): BasicAnswer {
  if (answer === 'ack' || answer === 'reject') return answer
  return answer === 'reject_and_requeue' || !redelivered ? 'requeue' : 'reject'
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
      `${when} of ${process} failed; the message is requeued`,
    )
    return 'reject_and_requeue'
  }
}

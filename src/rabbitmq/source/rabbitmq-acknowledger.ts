/** Tells the server what became of its messages. */

import type { Acknowledger } from '../../broadway/acknowledger.ts'
import { type Answers, answeringAcknowledger } from '../../broadway/answers.ts'
import { ANSWERS, type Answer } from '../options/source-options.ts'
import type { Deliveries } from './deliveries.ts'
import type { BasicAnswer } from './unanswered.ts'

/** What is needed to answer for one message. */
export interface AckData extends Answers<Answer> {
  readonly tag: number
  readonly redelivered: boolean
}

export const rabbitmqAcknowledger: Acknowledger<Deliveries, AckData> = answeringAcknowledger<
  Answer,
  Deliveries,
  AckData
>(ANSWERS, (deliveries, answered) => {
  deliveries.answer(new Map(answered.map(({ data, answer }) => [data.tag, basic(answer, data.redelivered)])))
})

function basic(answer: Answer, redelivered: boolean): BasicAnswer {
  if (answer === 'ack' || answer === 'reject') return answer
  return answer === 'reject_and_requeue' || !redelivered ? 'requeue' : 'reject'
}

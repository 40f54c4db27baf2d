/** Tells the server what became of the entries of a list. */

import type { Acknowledger } from '../../broadway/acknowledger.ts'
import { type Answers, answeringAcknowledger } from '../../broadway/answers.ts'
import type { Process } from '../../process/process.ts'
import { together } from '../connection/together.ts'
import { told } from '../connection/told.ts'
import { RedisError } from '../errors.ts'
import { LIST_ANSWERS, type ListAnswer } from '../options/answer-options.ts'
import type { WorkList } from './work-list.ts'

/** An entry that the pipeline has. */
export interface Delivery {
  readonly bytes: Buffer
}

/** What is needed to answer for one entry. */
export interface ListAckData extends Answers<ListAnswer> {
  readonly delivery: Delivery
}

/** The source of entries: those of one are answered for together. */
export interface ListOrigin {
  readonly process: Process
  readonly work: WorkList
  readonly deadLetters: string | undefined
  readonly unanswered: Set<Delivery>
}

export const listAcknowledger: Acknowledger<ListOrigin, ListAckData> = answeringAcknowledger<
  ListAnswer,
  ListOrigin,
  ListAckData
>(LIST_ANSWERS, async ({ process, work, deadLetters, unanswered }, answered) => {
  const by: Record<ListAnswer, Delivery[]> = { ack: [], retry: [], dead_letter: [] }
  const errors: Promise<never>[] = []
  for (const { data, answer } of answered) {
    // It was taken for lost, and is in the list again.
    if (!unanswered.has(data.delivery)) continue
    if (answer === 'dead_letter' && deadLetters === undefined) {
      by.retry.push(data.delivery)
      const text = `${process} has no option deadLetters: there is no list for a dead letter`
      errors.push(Promise.reject(new RedisError('bad_options', text)))
    } else by[answer].push(data.delivery)
  }
  const put = async (deliveries: readonly Delivery[], send: (entries: readonly Buffer[]) => Promise<void>) => {
    if (deliveries.length === 0) return
    await send(deliveries.map(({ bytes }) => bytes))
    for (const delivery of deliveries) unanswered.delete(delivery)
  }
  await together(process, answered.length, [
    ...errors,
    put(by.ack, (entries) => work.ack(entries)),
    put(by.retry, (entries) => work.retry(entries)),
    put(by.dead_letter, (entries) => work.deadLetter(deadLetters ?? '', entries)),
  ])
  told(process, { ack: by.ack.length, retry: by.retry.length, dead_letter: by.dead_letter.length })
})

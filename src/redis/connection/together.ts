/** Answers that are on their way at the same time: all are tried, and one error tells of those that failed. */

import type { Process } from '../../process/process.ts'
import { RedisError } from '../errors.ts'

/** @throws `RedisError` `ack_failed`. */
export async function together(
  process: Process,
  messages: number,
  answers: readonly Promise<unknown>[],
): Promise<void> {
  const errors: unknown[] = []
  for (const result of await Promise.allSettled(answers)) if (result.status === 'rejected') errors.push(result.reason)
  if (errors.length === 0) return
  const texts = errors.slice(0, 3).map((error) => (error instanceof Error ? error.message : String(error)))
  throw new RedisError(
    'ack_failed',
    `answers of ${process} for ${messages} messages failed, and some of them may be delivered again: ${texts.join('; ')}`,
    new AggregateError(errors),
  )
}

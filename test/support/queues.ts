/** Queues for tests, and what became of a call. */

import { QueueProducer } from 'sluice'
import { settlement } from './settlement.ts'

/** A queue whose messages may take time. */
export class Held extends QueueProducer<number> {
  async pause(ms: number) {
    await this.sleep(ms)
  }
  crash() {
    throw new Error('torn')
  }
}

/** Whether a promise has settled by now. */
export function watch<T>(promise: Promise<T>): { done: boolean; value?: T | undefined; error?: unknown } {
  const seen: { done: boolean; value?: T | undefined; error?: unknown } = { done: false }
  void settlement(promise).then(({ value, error }) => Object.assign(seen, { done: true, value, error }))
  return seen
}

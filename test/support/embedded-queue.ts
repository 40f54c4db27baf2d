/** Embedded queues for tests. */

import { type Ref, start } from 'sluice'
import { Queue, type QueueOptions, type Received } from 'sluice/queue'

/** A queue with messages 1, 2, 3 ... */
export async function filled(count: number, options: QueueOptions<number> = {}): Promise<Ref<Queue<number>>> {
  const queue = await start(Queue<number>, { arg: options })
  await queue.call.enqueueMany(Array.from({ length: count }, (_, index) => ({ data: index + 1 })))
  return queue
}

/** What can be received at once. */
export function now<T>(queue: Ref<Queue<T>>, max = Infinity): Promise<readonly Received<T>[]> {
  return queue.call.receive(max, { waitTime: 0 })
}

export function data<T>(messages: readonly Received<T>[]): readonly T[] {
  return messages.map((message) => message.data)
}

export function receipts(messages: readonly Received<unknown>[]): readonly number[] {
  return messages.map(({ receipt }) => receipt)
}

/** The only one of an array. */
export function only<T>(items: readonly T[]): T {
  const [item] = items
  if (item === undefined || items.length > 1) throw new Error(`expected one, got ${items.length}`)
  return item
}

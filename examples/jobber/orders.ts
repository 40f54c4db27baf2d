/** The orders of a run. */

import type { Arguments, AskedJob } from './arguments.ts'
import type { Order } from './order.ts'

/** What the user asked for. */
export function askedOrders(jobs: readonly AskedJob[]): readonly Order[] {
  const counts = new Map<string, number>()
  return jobs.map(({ type, subject }) => {
    const count = (counts.get(type) ?? 0) + 1
    counts.set(type, count)
    return { id: `${type}-${count}`, type, subject }
  })
}

/** Imports of the first feeds, and mails. */
export function demonstration({ imports, emails }: Arguments, feeds: readonly string[]): readonly Order[] {
  return askedOrders([
    ...feeds.slice(0, imports).map((subject) => ({ type: 'import', subject })),
    ...Array.from({ length: emails }, (_, index) => ({
      type: 'send_email',
      subject: `reader-${index + 1}@example.org`,
    })),
  ])
}

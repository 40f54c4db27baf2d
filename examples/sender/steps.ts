/** The five steps, and what to look at in each. */

import type { StreamOutcome } from 'sluice'
import type { Limits, Receipt, Send } from './mail.ts'
import { sequential } from './steps/1-sequential.ts'
import { fireAndForget } from './steps/2-fire-and-forget.ts'
import { awaitMany } from './steps/3-await-many.ts'
import { stream } from './steps/4-stream.ts'
import { supervised } from './steps/5-supervised.ts'

export interface Step {
  readonly title: string
  readonly calls: string
  /** What it does better than the one before, and what it does not. */
  readonly lesson: string
  readonly run: (addresses: readonly string[], send: Send, limits: Limits) => Promise<Told>
}

/** What the caller knows in the end. */
export interface Told {
  readonly knows: string
  /** What still runs, though the caller does not wait for it. */
  readonly rest?: Promise<unknown> | undefined
}

/** Far more than all mails at once need. */
const PATIENCE = 60_000

export const STEPS: readonly Step[] = [
  {
    title: 'One after the other',
    calls: 'await send(address)',
    lesson: 'All wait for the slow one. After the first that fails, nobody gets a mail.',
    run: async (addresses, send) => ({ knows: receipts(await sequential(addresses, send)) }),
  },
  {
    title: 'Fire and forget',
    calls: 'Task.start',
    lesson:
      'The caller is free at once and nobody waits for anybody. The server is flooded, and only the log has the failures.',
    run: async (addresses, send) => {
      const tasks = fireAndForget(addresses, send)
      return { knows: `${tasks.length} were started`, rest: Promise.all(tasks.map(({ done }) => done)) }
    },
  },
  {
    title: 'All at once, and wait',
    calls: 'Task.async, Task.awaitMany',
    lesson:
      'The caller hears how it went: of the first failure. The receipts are lost, and the server is still flooded.',
    run: async (addresses, send) => ({
      knows: receipts(await awaitMany(addresses, send, { timeout: PATIENCE })),
    }),
  },
  {
    title: 'A few at a time, none for too long',
    calls: 'asyncStream with maxConcurrency, timeout, onTimeout and ordered: false',
    lesson: 'No flood, and the slow one is cut off. One that fails takes the others down: they are linked.',
    run: async (addresses, send, limits) => ({
      knows: outcomes(await stream(addresses, send, limits).await({ timeout: Infinity })),
    }),
  },
  {
    title: 'Supervised',
    calls: 'asyncStream with supervisor and link: false, which is asyncStreamNolink',
    lesson: 'One that fails is an outcome like any other: everybody is tried, and the caller knows of each.',
    run: async (addresses, send, limits) => ({
      knows: outcomes(await supervised(addresses, send, limits).await({ timeout: Infinity })),
    }),
  },
]

function receipts(taken: readonly Receipt[]): string {
  return `${taken.length} receipts, in order`
}

function outcomes(all: readonly StreamOutcome<Receipt, string>[]): string {
  const failures = all.flatMap((outcome) =>
    outcome.ok ? [] : [`${outcome.input} (${outcome.exit instanceof Error ? 'failed' : outcome.exit})`],
  )
  const sent = `${all.length - failures.length} sent`
  return failures.length === 0 ? sent : `${sent}; not sent: ${failures.join(', ')}`
}

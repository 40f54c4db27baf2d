/** Jobs that are made up: they take virtual time, and end as they are told to. */

import { type Ref, type Supervisor, supervise } from 'sluice'
import type { Simulation } from 'sluice/testing'
import type { JobRecord, Order } from '../../examples/jobber/order.ts'
import { type TreeOptions, tree } from '../../examples/jobber/tree.ts'
import { done, errored, type Work } from '../../examples/jobber/work.ts'

/** Milliseconds that an attempt takes. */
export const TAKES = 10

/** How a made-up attempt ends; `stuck` only when its signal fires. */
export type Step = 'done' | 'errored' | 'crash' | 'stuck'

/** The subject of a made-up job is the steps of its attempts; the last one goes on for ever. */
export function order(id: string, ...steps: readonly Step[]): Order {
  return { id, type: 'import', subject: `${id}: ${steps.join(' ')}` }
}

export function orders(count: number, ...steps: readonly Step[]): readonly Order[] {
  return Array.from({ length: count }, (_, index) => order(`import-${index + 1}`, ...steps))
}

export function email(id: string, ...steps: readonly Step[]): Order {
  return { ...order(id, ...steps), type: 'send_email' }
}

/** Does what the subject says; `begins` is told of each attempt. */
export function scripted(begins: () => void = () => {}): Work {
  const attempts = new Map<string, number>()
  return async (subject, { sleep, progress, signal }) => {
    begins()
    const steps = subject.replace(/^.*: /, '').split(' ')
    const attempt = attempts.get(subject) ?? 0
    attempts.set(subject, attempt + 1)
    const step = steps[Math.min(attempt, steps.length - 1)]
    await sleep(TAKES / 2)
    progress(0.5)
    await sleep(TAKES / 2)
    if (step === 'crash') throw new TypeError('nobody foresaw this')
    if (step === 'stuck') {
      await sleep(Infinity)
      signal.throwIfAborted()
    }
    return step === 'done' ? done('all of it') : errored('no answer')
  }
}

/** A run of jobs, and what it told. */
export interface Jobs {
  readonly root: Ref<Supervisor>
  readonly told: readonly Told[]
  /** How the jobs stand at the end; empty before. */
  readonly records: readonly JobRecord[]
}

interface Told {
  readonly at: number
  readonly id: string
  readonly event: string
  readonly remark: string
}

/** The tree with made-up work. */
function jobTree(options: Pick<TreeOptions, 'orders'> & Partial<TreeOptions>) {
  const work = scripted()
  return tree({
    works: { import: work, send_email: work },
    quotas: { import: 5 },
    maxJobs: 100,
    retry: { maxRetries: 3, delay: 100, backoff: 'exponential' },
    grace: 1000,
    ...options,
  })
}

/** Starts it, and notes down what it tells. */
export async function startJobs(
  sim: Simulation,
  orders: readonly Order[],
  options: Partial<TreeOptions> & { readonly maxRestarts?: number } = {},
): Promise<Jobs> {
  const told: Told[] = []
  const records: JobRecord[] = []
  const { maxRestarts, ...others } = options
  const children = jobTree({
    orders,
    tell: (id, event, remark) => told.push({ at: sim.now, id, event, remark }),
    finish: (jobs) => records.push(...jobs),
    ...others,
  })
  const root = await supervise({ strategy: 'rest_for_one', autoShutdown: 'any_significant', maxRestarts, children })
  return { root, told, records }
}

/** What was told of one job: the events, and when. */
export function story({ told }: Jobs, id: string): readonly string[] {
  return told.filter((line) => line.id === id).map(({ at, event }) => `${at} ${event}`)
}

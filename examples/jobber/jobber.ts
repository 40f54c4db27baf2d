/** The front door: starts jobs, or says why not. */

import {
  CallError,
  child,
  DynamicSupervisor,
  GenServer,
  name,
  type Ref,
  StartError,
  SupervisorError,
  via,
} from 'sluice'
import { Board } from './board.ts'
import { JobRegistry, runningJobs } from './job-registry.ts'
import { JobRunner } from './job-runner.ts'
import { JobSupervisor } from './job-supervisor.ts'
import type { Order } from './order.ts'
import { JobRefused } from './refusal.ts'
import type { RetryOptions } from './retry.ts'
import type { Works } from './work.ts'

export interface JobberOptions {
  readonly works: Works
  /** Jobs of a type that may run at the same time; no limit for types that are not named. */
  readonly quotas: Readonly<Record<string, number>>
  readonly retry: RetryOptions
  /** Milliseconds for a job to come to an end when the program stops. */
  readonly grace: number
}

/**
 * Starts a job; gives its supervisor, which ends with it.
 *
 * @throws `JobRefused`.
 */
export async function startJob(order: Order): Promise<Ref> {
  try {
    return await name(Jobber).call.startJob(order)
  } catch (error) {
    throw error instanceof CallError && error.cause instanceof JobRefused ? error.cause : error
  }
}

/**
 * Counting and starting are one message, handled to its end, so that two who ask at the same time do not both get the last
 * place.
 */
export class Jobber extends GenServer {
  readonly #options: JobberOptions

  constructor(options: JobberOptions) {
    super()
    this.#options = options
  }

  async startJob(order: Order) {
    try {
      const job = await this.#start(order)
      name(Board).cast.started(order, job)
      return job
    } catch (error) {
      if (!(error instanceof JobRefused)) throw error
      const refused = this.later<Ref>()
      refused.fail(error)
      return refused
    }
  }

  async #start(order: Order): Promise<Ref> {
    const { works, retry, grace } = this.#options
    const { id, type } = order
    const work = Object.hasOwn(works, type) ? works[type] : undefined
    if (work === undefined) {
      const known = Object.keys(works).join(', ')
      throw new JobRefused('unknown_type', `unknown job type '${type}', known are ${known}`)
    }
    this.#checkQuota(type)
    const arg = { order, work, retry, grace }
    const spec = child(JobSupervisor, { name: via(JobRegistry, JobSupervisor, id, type), arg, restart: 'temporary' })
    try {
      const job = await DynamicSupervisor.startChild(JobRunner, spec)
      if (job !== undefined) return job
      throw new Error(`${spec.label} declined to start`)
    } catch (error) {
      throw asRefusal(order, error) ?? error
    }
  }

  #checkQuota(type: string) {
    const quota = this.#options.quotas[type] ?? Infinity
    const running = runningJobs(type).length
    if (running < quota) return
    const text = `the quota of ${quota} jobs of type ${type} is reached; try again when one has ended`
    throw new JobRefused('quota_reached', text)
  }
}

/** What the runner refuses, in the words of this program. */
function asRefusal({ id }: Order, error: unknown): JobRefused | undefined {
  const cause = error instanceof CallError ? error.cause : undefined
  if (cause instanceof SupervisorError && cause.code === 'max_children') {
    return new JobRefused('runner_full', `${cause.message}; try again when a job has ended`)
  }
  if (cause instanceof StartError && cause.code === 'already_started') {
    return new JobRefused('id_taken', `a job with the id ${id} runs, give each its own`, cause.ref)
  }
  return undefined
}

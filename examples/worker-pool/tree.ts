/** The processes: the queue first, then who takes out, then who puts in. */

import { child, Supervisor } from 'sluice'
import { Client } from './client.ts'
import { type Job, Jobs, type JobsOptions } from './jobs.ts'
import { Picture } from './picture.ts'
import type { Pool } from './pool.ts'
import { Worker } from './worker.ts'

export interface TreeOptions extends Omit<JobsOptions, 'dropped'> {
  readonly jobs: readonly Job[]
  readonly pool: Pool
  /** Milliseconds between the two bursts of jobs. */
  readonly pause: number
  /** Milliseconds between two lines of the picture. */
  readonly every: number
  readonly draw: (line: string) => void
}

export function tree({ capacity, overflow, jobs, pool, pause, every, draw }: TreeOptions) {
  const workers = pool.workers.map((_, nth) =>
    child(Worker, {
      id: `worker_${nth + 1}`,
      arg: {
        begin: (job: Job) => {
          pool.workers[nth] = job
        },
        end: () => {
          pool.workers[nth] = undefined
          pool.done++
        },
      },
      restart: 'transient',
      significant: true,
    }),
  )
  const tell = (doing: string) => {
    pool.client = doing
  }
  const refused = () => {
    pool.refused++
  }
  const dropped = (count: number) => {
    pool.dropped += count
  }
  return [
    // Transient, because it ends when it has finished.
    child(Jobs, { arg: { capacity, overflow, dropped }, name: Jobs, restart: 'transient' }),
    child(Supervisor, {
      id: 'workers',
      arg: { strategy: 'one_for_one', autoShutdown: 'all_significant', children: workers },
      // The last worker ends them, they end the program.
      restart: 'transient',
      significant: true,
    }),
    child(Client, { arg: { jobs, pause, tell, refused }, restart: 'transient' }),
    child(Picture, { arg: { pool: () => pool, every, draw } }),
  ]
}

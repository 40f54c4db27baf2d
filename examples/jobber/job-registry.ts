/** Who runs: the supervisor of each job under its id, with the type of the job as the value. */

import { type Ref, Registry } from 'sluice'

/**
 * The entry is the supervisor's, not the job's: a job that has crashed has no entry until it is started again, and somebody
 * else would get its place in the quota meanwhile.
 */
export class JobRegistry extends Registry<string, string> {
  constructor() {
    super({ keys: 'unique' })
  }
}

export interface RunningJob {
  readonly id: string
  readonly type: string
  /** Its supervisor. */
  readonly ref: Ref
}

/** The jobs that run now, of one type or of all. */
export function runningJobs(type?: string): readonly RunningJob[] {
  const where = type === undefined ? {} : { value: type }
  return Registry.select(JobRegistry, where, ({ key, value, ref }) => ({ id: key, type: value, ref }))
}

export function runningImports(): readonly RunningJob[] {
  return runningJobs('import')
}

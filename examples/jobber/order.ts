/** What there is to do, and what can become of it. */

/** One job to be done: the type says how, the subject on what. */
export interface Order {
  /** Tells jobs apart while they run. */
  readonly id: string
  /** `import`, `send_email`: one of the types that there is work for. */
  readonly type: string
  /** What the work needs to know: an URL, a path, an address. */
  readonly subject: string
}

/**
 * - `waiting`: not started yet, or refused for now.
 * - `running`: an attempt is on its way.
 * - `errored`: the last attempt failed, another will follow.
 * - `crashed`: the process of the job died of a bug; for good, when its supervisor has given up.
 * - `done`, `failed`: it succeeded; all attempts failed.
 * - `refused`: it could never be started.
 * - `dropped`: the program ended before it was done.
 */
export type Status = 'waiting' | 'running' | 'errored' | 'crashed' | 'done' | 'failed' | 'refused' | 'dropped'

/** How a job stands. */
export interface JobRecord extends Order {
  readonly status: Status
  /** Those of processes that crashed included. */
  readonly attempts: number
  readonly crashes: number
  /** Of the attempt that runs, from 0 to 1. */
  readonly progress: number
  /** What was done, or the last problem. */
  readonly remark: string
}

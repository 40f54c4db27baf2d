/** What a type of job does, as a function. */

/**
 * One attempt. It returns what was done, or `errored(problem)` when trying again may help. What it throws nobody foresaw: the
 * process of the job crashes, and its supervisor starts it again.
 */
export type Work = (subject: string, context: WorkContext) => Promise<Outcome>

/** What a job lends to its work. */
export interface WorkContext {
  /** Fires when the job has to be over: for what the work awaits. */
  readonly signal: AbortSignal
  /** How far it is, from 0 to 1. */
  readonly progress: (share: number) => void
  /** Waits so many milliseconds. */
  readonly sleep: (ms: number) => Promise<void>
}

export type Outcome = { readonly done: string } | { readonly errored: string }

/** The attempt succeeded; `what` is told to people. */
export function done(what: string): Outcome {
  return { done: what }
}

/** The attempt failed, for a reason that may pass. */
export function errored(problem: string): Outcome {
  return { errored: problem }
}

/** The work of each type of job. */
export type Works = Readonly<Record<string, Work>>

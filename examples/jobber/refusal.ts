/** Why a job was not started. */

import type { Ref } from 'sluice'

/**
 * - `quota_reached`: as many jobs of its type run as may. It can be tried again.
 * - `runner_full`: as many jobs of all types run as may. It can be tried again.
 * - `unknown_type`: there is no work for its type.
 * - `id_taken`: a job of that id runs.
 */
export type RefusalCode = 'quota_reached' | 'runner_full' | 'unknown_type' | 'id_taken'

/** Nobody's fault and no crash: whoever wanted the job can decide what to do. */
export class JobRefused extends Error {
  override readonly name = 'JobRefused'
  readonly code: RefusalCode
  /** The job that runs; only for `id_taken`. */
  readonly ref: Ref | undefined

  constructor(code: RefusalCode, message: string, ref?: Ref) {
    super(message)
    this.code = code
    this.ref = ref
  }

  /** It may be different later. */
  get passes(): boolean {
    return this.code === 'quota_reached' || this.code === 'runner_full'
  }
}

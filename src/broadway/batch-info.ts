/** What is known about a batch, for those who handle it. */

/** Why a batch left: it was complete, its time was up, or a message or the end of the pipeline wanted it to. */
export type BatchTrigger = 'size' | 'timeout' | 'flush'

/** A batch, beside its messages. */
export interface BatchInfo {
  readonly batcher: string
  readonly batchKey: unknown
  /** Which batch processor it was for; `undefined` without `partitionBy`. */
  readonly partition: number | undefined
  /** How many messages it has. */
  readonly size: number
  readonly trigger: BatchTrigger
}

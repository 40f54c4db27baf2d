/** A batch on its way from its batcher to a batch processor: one event. */

import type { BatchInfo } from './batch-info.ts'
import type { Message } from './message.ts'

export interface Batch {
  readonly messages: readonly Message[]
  readonly info: BatchInfo
  /** The function of the user's with which all of its messages have failed: it is only to be acknowledged. */
  readonly culprit?: string | undefined
}

/** What a stage can tell about itself. */

import type { Ref } from '../process/ref.ts'
import type { DemandMode } from './producer-options.ts'

/** A stage at one moment. Elixir: the status that `:sys.get_status` shows of a GenStage. */
export interface StageInfo {
  readonly kind: 'producer' | 'producer_consumer' | 'consumer'
  /** Name of the dispatcher's class; `undefined` for consumers. */
  readonly dispatcher: string | undefined
  readonly demandMode: DemandMode
  /** Whom it is subscribed to, one entry per subscription. */
  readonly producers: readonly Ref[]
  /** Who is subscribed to it, one entry per subscription. */
  readonly consumers: readonly Ref[]
  /** Events in its buffer, and those that a ready-made stage, such as a `QueueProducer`, holds. */
  readonly buffered: number
  /** Events that it was asked for and has not emitted yet. */
  readonly demand: number
  /** Messages in its mailbox. */
  readonly mailbox: number
}

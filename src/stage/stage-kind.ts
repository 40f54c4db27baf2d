/** What kind of stage a process is, in this thread or in another one. */

import type { Process } from '../process/process.ts'
import { ConsumingBehaviour } from './consuming-behaviour.ts'
import { distantKind } from './distant-stages.ts'
import { ProducerBehaviour } from './producer-behaviour.ts'
import { ProducerConsumerBehaviour } from './producer-consumer-behaviour.ts'
import type { StageInfo } from './stage-info.ts'

/** It may be asked before the stage has been constructed. */
export function kindOfStage(process: Process): StageInfo['kind'] | undefined {
  const { behaviour } = process
  if (behaviour instanceof ProducerBehaviour) return 'producer'
  if (behaviour instanceof ProducerConsumerBehaviour) return 'producer_consumer'
  return behaviour instanceof ConsumingBehaviour ? 'consumer' : distantKind(process)
}

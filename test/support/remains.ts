/** What the living still know of the dead. */

import type { Ref } from 'sluice'
import { processOf } from '../../src/process/ref.ts'
import { ConsumingBehaviour } from '../../src/stage/consuming-behaviour.ts'
import { ProducerBehaviour } from '../../src/stage/producer-behaviour.ts'
import { ProducerConsumerBehaviour } from '../../src/stage/producer-consumer-behaviour.ts'

export function remains(stages: readonly Ref[]): string[] {
  return stages.flatMap((stage) => {
    if (!stage.alive) return []
    const { behaviour, watching } = processOf(stage)
    const emits = behaviour instanceof ProducerBehaviour || behaviour instanceof ProducerConsumerBehaviour
    const consumers = emits ? behaviour.outlet.consumers.map(({ consumer }) => consumer) : []
    const producers =
      behaviour instanceof ConsumingBehaviour ? behaviour.inlet.producers.map(({ producer }) => producer) : []
    const dead = [...watching.map(({ ref }) => ref), ...consumers, ...producers].filter(({ alive }) => !alive)
    return dead.map((other) => `${stage} knows ${other}`)
  })
}

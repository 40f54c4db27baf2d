/** Pipelines over a scripted cluster of Kafka. */

import { type Ref, whereis } from 'sluice'
import { Broadway, type Message, type PipelineStage } from 'sluice/broadway'
import { type KafkaMetadata, KafkaSource, type KafkaSourceOptions } from 'sluice/kafka'
import type { ScriptedKafka } from './scripted-kafka.ts'

export type Read = Message<Buffer, 'default', KafkaMetadata>
type Handle = (message: Read, stage: PipelineStage) => Read | Promise<Read>

/** What most tests have in common. */
export const common = {
  hosts: 'localhost:9092',
  groupId: 'g',
  topics: ['t'],
  offsetResetPolicy: 'earliest',
  receiveInterval: 1000,
  backoffType: 'exp',
  backoffMin: 10,
  backoffMax: 100,
} as const

/** `t/0@3`. */
export const placeOf = ({ metadata: { topic, partition, offset } }: Message<unknown, string, KafkaMetadata>): string =>
  `${topic}/${partition}@${offset}`

export interface PipelineShape {
  readonly name?: string
  readonly options?: Partial<KafkaSourceOptions>
  readonly sources?: number
  readonly concurrency?: number
  readonly maxDemand?: number
}

export function pipelineOver(
  cluster: ScriptedKafka,
  handleMessage: Handle = (message) => message,
  { name = 'numbers', options = {}, sources = 1, concurrency = 1, maxDemand = 10 }: PipelineShape = {},
) {
  return Broadway.start({
    name,
    producer: {
      module: KafkaSource,
      arg: { ...common, client: cluster.client, ...options },
      concurrency: sources,
    },
    processors: {
      default: { concurrency, maxDemand, handleMessage: (message, _, stage) => handleMessage(message, stage) },
    },
  })
}

/** The first source of a pipeline. */
export async function sourceOf(pipeline: Awaited<ReturnType<typeof pipelineOver>>): Promise<Ref<KafkaSource>> {
  const [name] = await pipeline.call.producerNames()
  const source = name === undefined ? undefined : whereis(name)
  if (source === undefined) throw new Error('there is no source')
  return source
}

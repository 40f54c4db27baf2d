/** Pipelines over a scripted server of AMQP. */

import { Broadway, type Message } from 'sluice/broadway'
import { type MetadataName, type RabbitMQMetadata, RabbitMQSource, type RabbitMQSourceOptions } from 'sluice/rabbitmq'
import type { ScriptedServer } from './scripted-rabbitmq.ts'

export type Delivered = Message<Buffer, 'default', RabbitMQMetadata<MetadataName>>
type Handle = (message: Delivered) => Delivered | Promise<Delivered>

export const text = ({ data }: Message<Buffer>): string => String(data)

/** What most tests have in common. */
export const common = { queue: 'q', onFailure: 'reject', backoffType: 'exp', backoffMin: 10, backoffMax: 100 } as const

/** One message at a time; batched, so that those that came together are answered for together. */
export function pipelineOver(
  server: ScriptedServer,
  options: RabbitMQSourceOptions = {},
  handleMessage: Handle = (message) => message,
  concurrency = 1,
) {
  return Broadway.start({
    name: 'numbers',
    producer: {
      module: RabbitMQSource<MetadataName>,
      arg: { ...common, client: server.client, ...options },
      concurrency,
    },
    processors: { default: { concurrency: 1, maxDemand: 10, handleMessage } },
  })
}

/** Pipelines over NATS. */

import { Broadway, type Message } from 'sluice/broadway'
import { type NatsMetadata, NatsSource, type NatsSourceOptions } from 'sluice/nats'
import { NATS } from './nats-server.ts'

export type Delivered = Message<Buffer, 'default', NatsMetadata>
type Handle = (message: Delivered) => Delivered | Promise<Delivered>

export const text = ({ data }: Message<Buffer>): string => String(data)

/** It comes back soon, whatever happens. */
export const SOON = { backoffType: 'exp', backoffMin: 10, backoffMax: 100 } as const

/** One message at a time, from consumer `worker`, which is made when it is not there. */
export function consuming(
  options: Partial<NatsSourceOptions> & Pick<NatsSourceOptions, 'stream'>,
  handleMessage: Handle = (message) => message,
  { sources = 1, concurrency = 1, maxDemand = 10 } = {},
) {
  return Broadway.start({
    name: 'numbers',
    producer: {
      module: NatsSource,
      arg: { consumer: 'worker', connection: NATS, declare: {}, ...SOON, ...options },
      concurrency: sources,
    },
    processors: { default: { concurrency, maxDemand, handleMessage } },
  })
}

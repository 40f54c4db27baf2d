/** Pipelines over Redis. */

import { Broadway, type Message } from 'sluice/broadway'
import {
  type RedisListMetadata,
  RedisListSource,
  type RedisListSourceOptions,
  type RedisStreamMetadata,
  RedisStreamSource,
  type RedisStreamSourceOptions,
} from 'sluice/redis'
import { REDIS } from './redis-server.ts'

export type FromStream = Message<Readonly<Record<string, string>>, 'default', RedisStreamMetadata>
export type FromList = Message<string, 'default', RedisListMetadata>

/** It comes back soon, whatever happens. */
export const SOON = { backoffType: 'exp', backoffMin: 10, backoffMax: 100 } as const

interface Shape {
  readonly sources?: number
  readonly concurrency?: number
  readonly maxDemand?: number
  readonly name?: string
}

/** One entry at a time, as group `workers`. */
export function reading(
  options: Partial<RedisStreamSourceOptions> & Pick<RedisStreamSourceOptions, 'stream'>,
  handleMessage: (message: FromStream) => FromStream | Promise<FromStream> = (message) => message,
  { sources = 1, concurrency = 1, maxDemand = 10, name = 'streams' }: Shape = {},
) {
  return Broadway.start({
    name,
    producer: {
      module: RedisStreamSource,
      arg: { group: 'workers', connection: REDIS, claimInterval: 20, ...SOON, ...options },
      concurrency: sources,
    },
    processors: { default: { concurrency, maxDemand, handleMessage } },
  })
}

/** One entry of a list at a time. */
export function taking(
  options: Partial<RedisListSourceOptions> & Pick<RedisListSourceOptions, 'list'>,
  handleMessage: (message: FromList) => FromList | Promise<FromList> = (message) => message,
  { sources = 1, concurrency = 1, maxDemand = 10, name = 'lists' }: Shape = {},
) {
  return Broadway.start({
    name,
    producer: {
      module: RedisListSource,
      arg: { connection: REDIS, claimInterval: 20, ...SOON, ...options },
      concurrency: sources,
    },
    processors: { default: { concurrency, maxDemand, handleMessage } },
  })
}

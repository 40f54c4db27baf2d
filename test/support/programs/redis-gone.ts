/** Stops a pipeline over a server that has gone while it waits to try again; nothing else keeps the program alive. Its URL is the argument. */

import { Broadway } from 'sluice/broadway'
import { RedisStreamSource } from 'sluice/redis'
import { channels } from 'sluice/telemetry'
import { Cable } from '../cable.ts'

const [, , url = ''] = process.argv
const cable = await Cable.lay(url)
const connected = new Promise<unknown>((resolve) => channels.redisConnect.subscribe(resolve))
const lost = new Promise<unknown>((resolve) => channels.redisConnectionFailure.subscribe(resolve))
const pipeline = await Broadway.start({
  name: 'orders',
  producer: {
    module: RedisStreamSource,
    arg: { stream: 's', group: 'g', connection: cable.uri, backoffMin: 600_000, backoffMax: 600_000 },
  },
  processors: { default: { handleMessage: (message) => message } },
})
await connected
await cable[Symbol.asyncDispose]()
await lost
await pipeline.stop()
console.log('stopped')

/** Stops a pipeline over a server that was never there while it waits to try again; nothing else keeps the program alive. */

import { Broadway } from 'sluice/broadway'
import { RedisStreamSource } from 'sluice/redis'
import { channels } from 'sluice/telemetry'

const refused = new Promise<unknown>((resolve) => channels.redisConnectionFailure.subscribe(resolve))
const pipeline = await Broadway.start({
  name: 'orders',
  producer: {
    module: RedisStreamSource,
    arg: { stream: 's', group: 'g', connection: 'redis://127.0.0.1:1', backoffMin: 600_000, backoffMax: 600_000 },
  },
  processors: { default: { handleMessage: (message) => message } },
})
await refused
await pipeline.stop()
console.log('stopped')

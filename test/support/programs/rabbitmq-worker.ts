/** Consumes the queue of its first argument, and says what it has handled; some batches, then it holds the next until SIGTERM. */

import { once } from 'node:events'
import { Broadway, run } from 'sluice'
import { RabbitMQSource } from 'sluice/rabbitmq'

const BATCHES = 5
let batches = 0
const told = once(process, 'SIGTERM')
const [queue, connection] = process.argv.slice(2)

const worker = Broadway.child({
  name: 'worker',
  producer: {
    module: RabbitMQSource,
    arg: { queue, connection, onFailure: 'reject', qos: { prefetchCount: 100 } },
    concurrency: 2,
  },
  processors: { default: { concurrency: 4, handleMessage: (message) => message } },
  batchers: {
    default: {
      batchSize: 20,
      batchTimeout: 50,
      concurrency: 2,
      handleBatch: async (messages) => {
        if (++batches > BATCHES) await told
        console.log(messages.map(({ data }) => String(data)).join(' '))
        return messages
      },
    },
  },
})
const app = await run([worker], { exitCode: 'zero_when_drained', shutdown: 60_000 })
await app.done

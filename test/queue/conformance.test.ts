import { configure, type Ref, start } from 'sluice'
import { Queue, QueueSource } from 'sluice/queue'
import { type ConnectorHarness, connectorChecks } from 'sluice/testing'
import { describe, it } from 'vitest'
import { LogBook } from '../support/log-book.ts'

/** The embedded queue, as the checks of connectors want it. */
const harness: ConnectorHarness<Ref<Queue<string>>> = {
  name: 'QueueSource',
  open: () => start(Queue<string>, { arg: { maxAttempts: Infinity } }),
  close: (queue) => queue.stop(),
  producer: (queue, options) => ({ module: QueueSource<string>, arg: { queue, retryDelay: 5, ...options } }),
  async publish(queue, payloads) {
    await queue.call.enqueueMany(payloads.map(({ text }) => ({ data: text })))
  },
  order: 'queue',
  redelivers: true,
  isRedelivered: ({ metadata }) => Reflect.get(Object(metadata), 'attempts') > 1,
  mostHeld: (demand) => demand,
  soon: { visibilityTimeout: 500 },
  badOptions: [
    [{ queue: 'numbers' }, 'queue'],
    [{ onFailure: 'drop' }, 'onFailure'],
    [{ maxMessages: 0 }, 'maxMessages'],
    [{ visibilityTimeout: '1' }, 'visibilityTimeout'],
    [{ visibility: 1 }, 'visibility'],
  ],
  async waiting(queue) {
    const { ready, delayed } = await queue.call.stats()
    return ready + delayed
  },
  unacknowledged: async (queue) => (await queue.call.stats()).inFlight,
  connections: async (queue) => (await queue.call.stats()).waitingToReceive,
}

// Checks fail messages and kill pipelines on purpose.
configure({ logger: new LogBook() })

describe('the embedded queue', () => {
  for (const { title, run } of connectorChecks(harness)) it(title, run)
})

import { configure, type Ref, start } from 'sluice'
import { Queue, QueueSource } from 'sluice/queue'
import { type ConnectorHarness, connectorChecks } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { breachOf } from '../support/connector-breach.ts'
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
  redeliversLost: true,
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

/** Messages with keys, which may overtake those with others. */
const withKeys: typeof harness = {
  ...harness,
  order: 'key',
  async publish(queue, payloads) {
    await queue.call.enqueueMany(payloads.map(({ text, key }) => ({ data: text, key })))
  },
}

const seeds = process.env['CI'] ? 20 : 3
// Checks fail messages and kill pipelines on purpose.
configure({ logger: new LogBook() })

describe('the embedded queue', () => {
  for (const { title, run } of connectorChecks(harness)) it(title, run)

  it.each([
    ['without', harness],
    ['with', withKeys],
  ])('does all of that in simulations, in many orders, %s keys', async (_, harness) => {
    for (let seed = 1; seed <= seeds; seed++) expect(await breachOf(harness, seed)).toBeUndefined()
  })
})

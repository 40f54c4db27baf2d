/** The tickets example on servers of other kinds than RabbitMQ, which has tests of its own. Needs a build. */

import { randomUUID } from 'node:crypto'
import { startFauxqs } from 'fauxqs'
import { describe, expect, it } from 'vitest'
import { JetStream, NATS, natsIsThere } from '../support/nats-server.ts'
import { REDIS, Redis, redisIsThere } from '../support/redis-server.ts'
import { balanceIn, expectNothingLost, runTickets } from '../support/tickets.ts'

interface Site {
  /** As arguments of the program. */
  readonly where: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Bookings that are left, and dead letters. */
  left(): Promise<{ readonly bookings: number; readonly dead: number }>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

async function nats(): Promise<Site> {
  const server = await JetStream.connect()
  const prefix = `${server.name()}-`
  const [bookings, confirmations] = [`${prefix}bookings_queue`, `${prefix}notifications_queue`]
  return {
    where: ['--broker', NATS, '--prefix', prefix],
    left: async () => ({ bookings: await server.size(bookings), dead: await server.size(`${bookings}_dead`) }),
    [Symbol.asyncDispose]: async () => {
      for (const stream of [bookings, confirmations, `${bookings}_dead`, `${confirmations}_dead`])
        await server.manager.streams.delete(stream)
      await server[Symbol.asyncDispose]()
    },
  }
}

async function redis(): Promise<Site> {
  const server = await Redis.connect()
  const prefix = `${server.key()}-`
  const bookings = `${prefix}bookings_queue`
  return {
    where: ['--broker', REDIS, '--prefix', prefix],
    left: async () => ({
      bookings: await server.client.xLen(bookings),
      dead: await server.client.xLen(`${bookings}_dead`),
    }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Inside of this program. */
async function sqs(): Promise<Site> {
  const server = await startFauxqs({ port: 0, host: '127.0.0.1', logger: false })
  const prefix = `sluice-test-${randomUUID().slice(0, 8)}-`
  const size = (queue: string) => {
    const { ready = [], delayed = [], inflight = [] } = server.inspectQueue(queue)?.messages ?? {}
    return ready.length + delayed.length + inflight.length
  }
  return {
    where: ['--broker', `sqs://127.0.0.1:${server.port}`, '--prefix', prefix],
    // Of the client, that later versions of it want a later Node.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    left: async () => ({ bookings: size(`${prefix}bookings_queue`), dead: size(`${prefix}bookings_queue_dead`) }),
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

describe.skipIf(!natsIsThere)('the tickets program on NATS', () => holdsItsPromises(nats))
describe.skipIf(!redisIsThere)('the tickets program on Redis', () => holdsItsPromises(redis))
describe('the tickets program on SQS', () => holdsItsPromises(sqs))

function holdsItsPromises(open: () => Promise<Site>): void {
  it('publishes with one command, and sells with another until nothing is left', async () => {
    await using site = await open()
    const published = await runTickets(['publish', '300', ...site.where], site)
    expect({ code: published.code, stderr: published.stderr }).toEqual({ code: 0, stderr: '' })
    expect(await site.left()).toEqual({ bookings: 300, dead: 0 })
    const { code, stdout, stderr } = await runTickets(['sell', ...site.where], site)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(balanceIn(stdout)).toMatchObject({ accepted: 300, failed: 0, left: 0, untold: 0 })
    expectNothingLost(stdout)
    expect(await site.left()).toEqual({ bookings: 0, dead: 0 })
  })

  it('loses nothing while handlers throw, processors are killed and the database refuses', async () => {
    await using site = await open()
    const { code, stdout, stderr } = await runTickets(
      ['--bookings', '500', '--chaos', '--seed', '7', ...site.where],
      site,
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { accepted, failed, killed, thrown } = balanceIn(stdout)
    expect(accepted).toBe(500)
    expect(killed).toBeGreaterThan(0)
    expect(thrown).toBeGreaterThan(5)
    expectNothingLost(stdout)
    expect(await site.left()).toEqual({ bookings: 0, dead: failed })
  })
}

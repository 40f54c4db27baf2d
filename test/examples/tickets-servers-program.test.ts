/** The tickets example on servers of other kinds than RabbitMQ, which has tests of its own. Needs a build. */

import { describe, expect, it } from 'vitest'
import { JetStream, NATS, natsIsThere } from '../support/nats-server.ts'
import { REDIS, Redis, redisIsThere } from '../support/redis-server.ts'
import { balanceIn, expectNothingLost, runTickets } from '../support/tickets.ts'

interface Site {
  /** As arguments of the program. */
  readonly where: readonly string[]
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

describe.skipIf(!natsIsThere)('the tickets program on NATS', () => holdsItsPromises(nats))
describe.skipIf(!redisIsThere)('the tickets program on Redis', () => holdsItsPromises(redis))

function holdsItsPromises(open: () => Promise<Site>): void {
  it('publishes with one command, and sells with another until nothing is left', async () => {
    await using site = await open()
    const published = await runTickets(['publish', '300', ...site.where])
    expect({ code: published.code, stderr: published.stderr }).toEqual({ code: 0, stderr: '' })
    expect(await site.left()).toEqual({ bookings: 300, dead: 0 })
    const { code, stdout, stderr } = await runTickets(['sell', ...site.where])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(balanceIn(stdout)).toMatchObject({ accepted: 300, failed: 0, left: 0, untold: 0 })
    expectNothingLost(stdout)
    expect(await site.left()).toEqual({ bookings: 0, dead: 0 })
  })

  it('loses nothing while handlers throw, processors are killed and the database refuses', async () => {
    await using site = await open()
    const { code, stdout, stderr } = await runTickets(['--bookings', '500', '--chaos', '--seed', '7', ...site.where])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { accepted, failed, killed, thrown } = balanceIn(stdout)
    expect(accepted).toBe(500)
    expect(killed).toBeGreaterThan(0)
    expect(thrown).toBeGreaterThan(5)
    expectNothingLost(stdout)
    expect(await site.left()).toEqual({ bookings: 0, dead: failed })
  })
}

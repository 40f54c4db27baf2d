/** The tickets example as its users run it, on a real RabbitMQ. Needs a build. */

import { describe, expect, it } from 'vitest'
import { Broker, RABBITMQ, rabbitmqIsThere } from '../support/rabbitmq-server.ts'
import {
  balanceIn,
  expectAccountWithoutServer,
  expectNothingLost,
  runTickets,
  stopped,
  UNHURRIED,
} from '../support/tickets.ts'

/** Queues of its own for a test. */
function queuesAt(broker: Broker) {
  const prefix = broker.prefix()
  const bookings = broker.noted(`${prefix}bookings_queue`)
  const confirmations = broker.noted(`${prefix}notifications_queue`)
  const deadBookings = broker.noted(`${bookings}.dead`)
  const deadConfirmations = broker.noted(`${confirmations}.dead`)
  return {
    where: ['--broker', RABBITMQ, '--prefix', prefix],
    bookings,
    deadBookings,
    /** Messages in each. */
    left: async () => ({
      bookings: await broker.ready(bookings),
      confirmations: await broker.ready(confirmations),
      deadBookings: await broker.ready(deadBookings),
      deadConfirmations: await broker.ready(deadConfirmations),
    }),
  }
}

const NOTHING = { bookings: 0, confirmations: 0, deadBookings: 0, deadConfirmations: 0 }

describe.skipIf(!rabbitmqIsThere)('the tickets program on RabbitMQ', () => {
  it('publishes with one command, and sells with another until nothing is left', async () => {
    await using broker = await Broker.connect()
    const { where, bookings, left } = queuesAt(broker)
    const published = await runTickets(['publish', '1000', ...where])
    expect(published.stdout).toMatch(new RegExp(`^1,000 bookings published to ${bookings}, RabbitMQ at `, 'm'))
    expect({ code: published.code, stderr: published.stderr }).toEqual({ code: 0, stderr: '' })
    expect(await left()).toEqual({ ...NOTHING, bookings: 1000 })
    const { code, stdout, stderr } = await runTickets(['sell', ...where])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^Selling tickets: 1,000 bookings, PostgreSQL \d+\.\d+, embedded, RabbitMQ at /)
    // Those of the seed, as in any other queue.
    expect(balanceIn(stdout)).toMatchObject({ accepted: 1000, booked: 908, refused: 92, failed: 0, told: 908 })
    expectNothingLost(stdout)
    expect(await left()).toEqual(NOTHING)
    const nothing = await runTickets(['sell', ...where])
    expect(nothing).toEqual({ code: 0, stdout: `${bookings} is empty: npm start -- publish 1000\n`, stderr: '' })
  })

  it('does both, as it does without a server, when BROKER_URL is set', async () => {
    await using broker = await Broker.connect()
    const { where, left } = queuesAt(broker)
    const args = ['--bookings', '500', ...where.filter((each) => each !== '--broker' && each !== RABBITMQ)]
    const { code, stdout, stderr } = await runTickets(args, { env: { BROKER_URL: RABBITMQ } })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(balanceIn(stdout)).toMatchObject({ accepted: 500, failed: 0, left: 0, untold: 0 })
    expectNothingLost(stdout)
    expect(await left()).toEqual(NOTHING)
  })

  it('B160 finishes at SIGTERM what is in hand and ends with 0; what is left is sold by the next run', async () => {
    await using broker = await Broker.connect()
    const { where, left } = queuesAt(broker)
    await runTickets(['publish', '2000', ...where])
    const first = await stopped('SIGTERM', ['sell', ...where, ...UNHURRIED])
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' })
    expect(first.stdout).toContain('SIGTERM: the application stops')
    const before = balanceIn(first.stdout)
    expect(before).toMatchObject({ accepted: 2000, failed: 0, untold: 0 })
    expect(before.booked).toBeGreaterThan(0)
    expectNothingLost(first.stdout)
    expect(await left()).toEqual({ ...NOTHING, bookings: before.left })
    const second = await runTickets(['sell', ...where])
    expect({ code: second.code, stderr: second.stderr }).toEqual({ code: 0, stderr: '' })
    if (before.left > 0) expect(balanceIn(second.stdout)).toMatchObject({ accepted: before.left, left: 0, untold: 0 })
    expect(await left()).toEqual(NOTHING)
  })

  it('loses nothing while handlers throw, processors are killed and the database refuses; what fails each time is a dead letter', async () => {
    await using broker = await Broker.connect()
    const { where, left } = queuesAt(broker)
    const { code, stdout, stderr } = await runTickets(['--bookings', '1000', '--chaos', '--seed', '7', ...where])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { accepted, failed, killed, thrown } = balanceIn(stdout)
    // Of these bookings one fails each time.
    expect({ accepted, failed }).toEqual({ accepted: 1000, failed: 1 })
    expect(killed).toBeGreaterThan(0)
    expect(thrown).toBeGreaterThan(20)
    expectNothingLost(stdout)
    expect(await left()).toEqual({ ...NOTHING, deadBookings: 1 })
  })

  it('says in a line that it does not know what is left when the server has gone', async () => {
    await using broker = await Broker.connect()
    const { where, left } = queuesAt(broker)
    await runTickets(['publish', '50', ...where])
    const [, , ...others] = where
    await expectAccountWithoutServer(50, RABBITMQ, others)
    expect(await left()).toEqual(NOTHING)
  })

  it('makes a dead letter of what is no booking', async () => {
    await using broker = await Broker.connect()
    const { where, bookings, deadBookings, left } = queuesAt(broker)
    await runTickets(['publish', '10', ...where])
    for (const text of ['', '{', '{"id":7}', '"hamlet"']) broker.channel.sendToQueue(bookings, Buffer.from(text))
    await broker.channel.waitForConfirms()
    const { code, stdout } = await runTickets(['sell', ...where])
    expect(code).toBe(0)
    expect(balanceIn(stdout)).toMatchObject({ accepted: 14, left: 0 })
    expect(await left()).toEqual({ ...NOTHING, deadBookings: 4 })
    const dead = await broker.take(deadBookings)
    expect(dead.map(([text]) => text).toSorted()).toEqual(['', '"hamlet"', '{', '{"id":7}'])
  })

  it('says in one line that queues of that name are of another kind', async () => {
    await using broker = await Broker.connect()
    const { where, bookings } = queuesAt(broker)
    await broker.channel.assertQueue(bookings, { durable: false })
    const { code, stderr } = await runTickets(['publish', '10', ...where])
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^tickets: the queue \S+ cannot be declared \(.*PRECONDITION_FAILED.*\); delete it, or take others with --prefix\n$/,
    )
  })
})

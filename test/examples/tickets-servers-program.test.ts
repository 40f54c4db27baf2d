/** The tickets example on servers of other kinds than RabbitMQ, which has tests of its own. Needs a build. */

import { randomUUID } from 'node:crypto'
import { startFauxqs } from 'fauxqs'
import { describe, expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { KafkaCluster, kafkaIsThere } from '../support/kafka-cluster.ts'
import { KafkaTopics } from '../support/kafka-topics.ts'
import { JetStream, NATS, natsIsThere } from '../support/nats-server.ts'
import {
  deleteTopic,
  emulatorForAll,
  emulatorIsThere,
  type Letter,
  lettersIn,
  publishTo,
  topicOf,
} from '../support/pubsub-emulator.ts'
import { PubSubRestServer } from '../support/pubsub-rest-server.ts'
import { REDIS, Redis, redisIsThere } from '../support/redis-server.ts'
import {
  balanceIn,
  expectAccountWithoutServer,
  expectNothingLost,
  runTickets,
  soldOut,
  stopped,
  UNHURRIED,
} from '../support/tickets.ts'

/** On newer versions of Node kafkajs is warned, of how it uses timers. */
const KAFKAJS = { NODE_OPTIONS: '--disable-warning=TimeoutNegativeWarning' }

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

/** A cluster for each test. */
async function kafka(): Promise<Site & { readonly bookings: string; readonly topics: KafkaTopics }> {
  const cluster = await KafkaCluster.start()
  const topics = await KafkaTopics.connect(cluster.hosts)
  const bookings = 'test-bookings_queue'
  return {
    bookings,
    topics,
    where: ['--broker', `kafka://${cluster.hosts}`, '--prefix', 'test-'],
    env: KAFKAJS,
    left: async () => ({
      bookings: await topics.lag(bookings, bookings),
      dead: await topics.size(`${bookings}_dead`),
    }),
    [Symbol.asyncDispose]: async () => {
      await topics[Symbol.asyncDispose]()
      await cluster[Symbol.asyncDispose]()
    },
  }
}

interface PubSubSite extends Site {
  /** Puts texts into the queue of bookings. */
  publish(texts: readonly string[]): Promise<void>
  deadLetters(): Promise<readonly Letter[]>
}

/** Inside of this program. */
async function pubsub(): Promise<PubSubSite> {
  const server = await PubSubRestServer.start()
  const size = (id: string) => {
    const { waiting, lent } = server.counts(topicOf('shop', id).subscription)
    return waiting + lent
  }
  return {
    ...pubsubAt(server.url, 'shop', ''),
    left: async () => ({ bookings: size('bookings_queue'), dead: size('bookings_queue_dead') }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** The emulator, looked for in the environment, as Google's client does it. */
function emulated(url: string): PubSubSite {
  const prefix = `test-${randomUUID().slice(0, 8)}-`
  const site = pubsubAt(url, 'shop', prefix)
  return {
    ...site,
    where: site.where.map((each) => (each.startsWith('pubsub:') ? 'pubsub://shop' : each)),
    env: { PUBSUB_EMULATOR_HOST: new URL(url).host },
    [Symbol.asyncDispose]: async () => {
      for (const queue of ['bookings_queue', 'notifications_queue'])
        for (const each of [queue, `${queue}_dead`]) await deleteTopic(url, topicOf('shop', `${prefix}${each}`))
    },
  }
}

function pubsubAt(url: string, project: string, prefix: string): Omit<PubSubSite, typeof Symbol.asyncDispose> {
  const bookings = topicOf(project, `${prefix}bookings_queue`)
  const deadLetters = () => lettersIn(url, topicOf(project, `${prefix}bookings_queue_dead`))
  return {
    where: ['--broker', `pubsub://${new URL(url).host}/${project}`, '--prefix', prefix],
    publish: (texts) =>
      publishTo(
        url,
        bookings,
        texts.map((text) => ({ text })),
      ),
    deadLetters,
    left: async () => ({ bookings: (await lettersIn(url, bookings)).length, dead: (await deadLetters()).length }),
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

describe.skipIf(!natsIsThere)('the tickets program on NATS', () => {
  holdsItsPromises(nats)
  saysThatItCannotCount(nats, NATS)
})
describe.skipIf(!redisIsThere)('the tickets program on Redis', () => {
  holdsItsPromises(redis)
  saysThatItCannotCount(redis, REDIS)
})
describe.skipIf(!kafkaIsThere)('the tickets program on Kafka', () => {
  holdsItsPromises(kafka)

  it('makes a dead letter of what is no booking, as it was, with the reason', async () => {
    await using site = await kafka()
    await runTickets(['publish', '10', ...site.where], site)
    const texts = ['', '{', '{"id":7}', '"hamlet"']
    await site.topics.publish(site.bookings, texts)
    const { code, stdout } = await runTickets(['sell', ...site.where], site)
    expect(code).toBe(0)
    expect(balanceIn(stdout)).toMatchObject({ accepted: 14, failed: 4, left: 0 })
    expect(await site.left()).toEqual({ bookings: 0, dead: 4 })
    const dead = await site.topics.read(`${site.bookings}_dead`)
    expect(dead.map(({ value }) => value).toSorted()).toEqual(texts.toSorted())
    for (const { headers } of dead) expect(headers).toEqual({ reason: 'no booking' })
  })

  it('has come again what SIGTERM interrupts in its attempts', async () => {
    await using site = await kafka()
    const { bookings, topics, where } = site
    await runTickets(['publish', '100', ...where], site)
    // More than can be tried six times meanwhile.
    await topics.publish(
      bookings,
      Array.from({ length: 100 }, (_, index) => `${index}`),
    )
    const first = await stopped('SIGTERM', ['sell', ...where, ...UNHURRIED], site)
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' })
    const { accepted, failed, left, untold } = balanceIn(first.stdout)
    expect({ accepted, untold }).toEqual({ accepted: 200, untold: 0 })
    expectNothingLost(first.stdout)
    expect(await site.left()).toEqual({ bookings: left, dead: failed })
    expect(await topics.size(bookings)).toBeGreaterThan(200)
  })

  it('says in one line that nobody answers', async () => {
    const { code, stderr } = await runTickets(['publish', '10', '--broker', 'kafka://127.0.0.1:1,127.0.0.1:2'], {
      env: KAFKAJS,
    })
    expect(code).toBe(1)
    expect(stderr).toMatch(
      /^tickets: kafka:\/\/127.0.0.1:1,127.0.0.1:2 does not answer \(.+\); expected brokers of Kafka\n$/,
    )
  })
})
describe('the tickets program on SQS', () => holdsItsPromises(sqs))
describe('the tickets program on Pub/Sub', () => {
  describe('that is inside of this program, over REST', () => holdsWithoutCounts(pubsub))
  describe.skipIf(!emulatorIsThere)("that is the emulator of Google, with Google's client", () => {
    const emulator = emulatorForAll()
    holdsWithoutCounts(async () => emulated(emulator()))
  })

  it('says in one line that it cannot sell until nothing is left', async () => {
    await using site = await pubsub()
    const { code, stderr } = await runTickets(['sell', ...site.where])
    const text = /^tickets: sell: Pub\/Sub at \S+ cannot say what waits, .*; expected sell --forever\n$/
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringMatching(text) })
  })

  it('says in one line that nobody answers', async () => {
    const host = `127.0.0.1:${await freePort()}`
    const { code, stderr } = await runTickets(['publish', '5', '--broker', `pubsub://${host}/shop`])
    const text = `tickets: Pub/Sub at ${host} does not let a topic bookings_queue be made (connect ECONNREFUSED ${host}); expected Pub/Sub or its like`
    expect({ code, stderr }).toEqual({ code: 1, stderr: `${text}\n` })
  })

  it('says in one line that no project is named', async () => {
    const { code, stderr } = await runTickets(['publish', '5', '--broker', 'pubsub://127.0.0.1:8085'])
    const text =
      'tickets: pubsub://127.0.0.1:8085 has no project; expected pubsub://project or pubsub://host:port/project'
    expect({ code, stderr }).toEqual({ code: 1, stderr: `${text}\n` })
  })
})

function holdsItsPromises(open: () => Promise<Site>): void {
  sellsUntilNothingIsLeft(open)
  losesNothing(open)
}

function saysThatItCannotCount(open: () => Promise<Site>, url: string): void {
  it('says in a line that it does not know what is left when the server has gone', async () => {
    await using site = await open()
    await runTickets(['publish', '50', ...site.where], site)
    const [, , ...where] = site.where
    await expectAccountWithoutServer(50, url, where)
    expect(await site.left()).toEqual({ bookings: 0, dead: 0 })
  })
}

/** On a server that cannot say how many messages wait. */
function holdsWithoutCounts(open: () => Promise<PubSubSite>): void {
  sellsUntilItIsStopped(open)
  losesNothing(open)
  comesAgain(open)
}

function sellsUntilNothingIsLeft(open: () => Promise<Site>): void {
  it('publishes with one command, and sells with another until nothing is left', async () => {
    await using site = await open()
    const published = await runTickets(['publish', '300', ...site.where], site)
    expect({ code: published.code, stderr: published.stderr }).toEqual({ code: 0, stderr: '' })
    expect(await site.left()).toEqual({ bookings: 300, dead: 0 })
    const { code, stdout, stderr } = await runTickets(['sell', ...site.where], site)
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' })
    expect(balanceIn(stdout)).toMatchObject({ accepted: 300, failed: 0, left: 0, untold: 0 })
    expectNothingLost(stdout)
    expect(await site.left()).toEqual({ bookings: 0, dead: 0 })
  })
}

function sellsUntilItIsStopped(open: () => Promise<PubSubSite>): void {
  it('publishes with one command, and sells with another until it is stopped', async () => {
    await using site = await open()
    const published = await runTickets(['publish', '300', ...site.where], site)
    expect({ code: published.code, stderr: published.stderr }).toEqual({ code: 0, stderr: '' })
    expect(await site.left()).toEqual({ bookings: 300, dead: 0 })
    const { code, stdout, stderr } = await soldOut(300, ['sell', '--forever', ...site.where], site)
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/ queue \?, in hand 0, /)
    expect(balanceIn(stdout)).toMatchObject({ accepted: 300, failed: 0, left: 0, untold: 0 })
    expectNothingLost(stdout)
    expect(await site.left()).toEqual({ bookings: 0, dead: 0 })
  })
}

function comesAgain(open: () => Promise<PubSubSite>): void {
  it('has come again what SIGTERM interrupts in its attempts; makes dead letters of what is no booking, with the reason', async () => {
    await using site = await open()
    await runTickets(['publish', '100', ...site.where], site)
    // They fail each time. More than can be tried six times meanwhile.
    const texts = Array.from({ length: 100 }, (_, index) => `${index}`)
    await site.publish(texts)
    const first = await stopped('SIGTERM', ['sell', '--forever', ...site.where, ...UNHURRIED], site)
    expect({ code: first.code, stderr: first.stderr }).toEqual({ code: 0, stderr: '' })
    expectNothingLost(first.stdout)
    const { booked, refused } = balanceIn(first.stdout)
    // What the emulator has given to a request that was aborted it has again when its deadline is over.
    const stored = async () => Object.values(await site.left()).reduce((sum, count) => sum + count)
    await expect.poll(stored, { timeout: 60_000 }).toBe(200 - booked - refused)
    const { bookings } = await site.left()
    expect(bookings).toBeGreaterThan(0)
    const second = await soldOut(bookings, ['sell', '--forever', ...site.where], site)
    expect({ code: second.code, stderr: second.stderr }).toEqual({ code: 0, stderr: '' })
    expectNothingLost(second.stdout)
    expect(await site.left()).toEqual({ bookings: 0, dead: 100 })
    const letters = await site.deadLetters()
    expect(letters.map(({ text }) => text).toSorted()).toEqual(texts.toSorted())
    const attributes = { id: expect.stringMatching(/^message \S+ of \S+$/), reason: 'no booking' }
    for (const letter of letters) expect(letter.attributes).toEqual(attributes)
  })
}

function losesNothing(open: () => Promise<Site>): void {
  it('loses nothing while handlers throw, processors are killed and the database refuses', async () => {
    await using site = await open()
    const { code, stdout, stderr } = await runTickets(
      ['--bookings', '500', '--chaos', '--seed', '1500', ...site.where],
      site,
    )
    expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' })
    const { accepted, failed, killed, thrown } = balanceIn(stdout)
    // Of these bookings five fail each time.
    expect({ accepted, failed }).toEqual({ accepted: 500, failed: 5 })
    expect(killed).toBeGreaterThan(0)
    expect(thrown).toBeGreaterThan(5)
    expectNothingLost(stdout)
    expect(await site.left()).toEqual({ bookings: 0, dead: 5 })
  })
}

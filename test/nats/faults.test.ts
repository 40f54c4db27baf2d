import { configure, start } from 'sluice'
import { Broadway } from 'sluice/broadway'
import { type ConnectionOptions, NatsPublisher, NatsSource } from 'sluice/nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cable } from '../support/cable.ts'
import { LogBook } from '../support/log-book.ts'
import { NatsCluster } from '../support/nats-cluster.ts'
import { SOON } from '../support/nats-pipeline.ts'
import { JetStream, natsCanStart, ownNatsServer, urlOf } from '../support/nats-server.ts'
import { Ledger } from '../support/number-ledger.ts'
import type { ServerProcess } from '../support/server-process.ts'

const KEYS = 16
const keyOf = (n: number): number => n % KEYS
/** Of the cluster, where `MESSAGES=100000` takes a minute. */
const CLUSTERED = Number(process.env['MESSAGES'] ?? 5000)
const CONSUMER = { ackWait: 1000, maxAckPending: 5000 }

/** Processes each number, those of a key one after the other. */
function recording(ledger: Ledger, stream: string, connection: string | ConnectionOptions) {
  return Broadway.start({
    name: 'recording',
    producer: {
      module: NatsSource,
      arg: { stream, consumer: 'worker', connection, declare: { consumer: CONSUMER }, ...SOON },
    },
    processors: {
      default: {
        concurrency: 2,
        maxDemand: 500,
        partitionBy: ({ data }) => keyOf(Number(data)),
        handleMessage: (message) => {
          ledger.note(Number(message.data))
          return message
        },
      },
    },
    batchers: { default: { batchSize: 200, batchTimeout: 50, handleBatch: (messages) => messages } },
  })
}

/** Publishes numbers, a group at a time. */
async function feed(
  connection: string | ConnectionOptions,
  stream: string,
  from: number,
  to: number,
  group = 500,
  published: (below: number) => unknown = () => {},
): Promise<void> {
  const publisher = await start(NatsPublisher, { arg: { connection, ...SOON } })
  const { call } = publisher.with({ timeout: Infinity })
  for (let first = from; first < to; first += group) {
    const publications = Array.from({ length: Math.min(group, to - first) }, (_, n) => ({
      subject: `${stream}.${keyOf(first + n)}`,
      content: String(first + n),
    }))
    await call.publishMany(publications)
    await published(first + group)
  }
  await publisher.stop({ drain: true })
}

describe.skipIf(!natsCanStart)('when a server fails', () => {
  let server: ServerProcess
  beforeAll(async () => {
    server = await ownNatsServer()
  })
  afterAll(() => server[Symbol.asyncDispose]())

  /** What is logged in this test, and not told. */
  function logOfTest(): LogBook {
    const log = new LogBook()
    configure({ logger: log })
    return log
  }

  it('N25 100,000 messages: nothing is lost when it is killed and started again in the middle', async () => {
    const COUNT = 100_000
    /** The others are published while it goes on. */
    const WAITING = 80_000
    const log = logOfTest()
    await using admin = await JetStream.connect(urlOf(server))
    const stream = await admin.stream(0, { retention: 'workqueue' })
    const ledger = new Ledger(COUNT)
    for (let n = 0; n < WAITING; n++) admin.connection.publish(`${stream}.${keyOf(n)}`, String(n))
    while ((await admin.size(stream)) < WAITING);
    const pipeline = await recording(ledger, stream, urlOf(server))
    await ledger.reach(COUNT / 3)
    const fed = feed(urlOf(server), stream, WAITING, COUNT)
    await ledger.reach(COUNT / 2)
    await server.kill()
    await server.revive()
    await fed
    await ledger.reach(COUNT)
    await pipeline.stop()
    expect(ledger.missing(COUNT)).toEqual([])
    expect(
      log.lines.filter((line) => line.includes('NatsSource') && line.includes('lost its connection')),
    ).toHaveLength(1)
  })

  it('N21 N25 nothing is lost, and what is published comes once, when connections are cut again and again', async () => {
    const COUNT = 10_000
    logOfTest()
    await using admin = await JetStream.connect(urlOf(server))
    await using cable = await Cable.lay(urlOf(server))
    const stream = await admin.stream()
    const ledger = new Ledger(COUNT)
    const pipeline = await recording(ledger, stream, cable.uri)
    const fed = feed(cable.uri, stream, 0, COUNT, 50)
    for (let cuts = 1; cuts <= 5; cuts++) {
      await ledger.reach((cuts * COUNT) / 10)
      cable.cut()
    }
    await fed
    await ledger.reach(COUNT)
    await admin.done(stream)
    await pipeline.stop()
    expect(ledger.missing(COUNT)).toEqual([])
    // What was sent again was known by its id.
    expect(await admin.size(stream)).toBe(COUNT)
  })
})

describe.skipIf(!natsCanStart)('a cluster of three servers', () => {
  it('N27 nothing is lost when the leader of a stream is killed and started again, and then another one', async () => {
    configure({ logger: new LogBook() })
    await using cluster = await NatsCluster.start()
    const stream = 'NUMBERS'
    await cluster.stream(stream)
    const connection = { servers: cluster.urls, timeout: 1000 }
    const ledger = new Ledger(CLUSTERED)
    const pipeline = await recording(ledger, stream, connection)
    const killed = new Set<string>()
    for (const from of [0, CLUSTERED / 2]) {
      const [middle, to] = [from + CLUSTERED / 4, from + CLUSTERED / 2]
      // The second time it is one that has what the first one had missed.
      const { name, server } = await cluster.leaderOf(stream, killed)
      killed.add(name)
      let gone: Promise<void> | undefined
      // The other two take and deliver the rest.
      await feed(connection, stream, from, to, 50, async (published) => {
        if (gone !== undefined || published < middle) return
        await ledger.reach((from + middle) / 2)
        gone = server.kill()
      })
      await ledger.reach(to)
      await gone
      await server.revive()
    }
    await pipeline.stop()
    expect(ledger.missing(CLUSTERED)).toEqual([])
    expect(killed.size).toBe(2)
    // What was sent again was known by its id.
    expect(await cluster.size(stream)).toBe(CLUSTERED)
  })
})

import { configure, start } from 'sluice'
import { Broadway } from 'sluice/broadway'
import { NatsPublisher, NatsSource } from 'sluice/nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Cable } from '../support/cable.ts'
import { LogBook } from '../support/log-book.ts'
import { SOON } from '../support/nats-pipeline.ts'
import { JetStream, natsCanStart, ownNatsServer, urlOf } from '../support/nats-server.ts'
import { Ledger } from '../support/number-ledger.ts'
import type { ServerProcess } from '../support/server-process.ts'

const KEYS = 16
const keyOf = (n: number): number => n % KEYS
const CONSUMER = { ackWait: 1000, maxAckPending: 5000 }

/** Processes each number, those of a key one after the other. */
function recording(ledger: Ledger, stream: string, connection: string) {
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
async function feed(connection: string, stream: string, from: number, to: number, group = 500): Promise<void> {
  const publisher = await start(NatsPublisher, { arg: { connection, ...SOON } })
  const { call } = publisher.with({ timeout: Infinity })
  for (let first = from; first < to; first += group) {
    const publications = Array.from({ length: Math.min(group, to - first) }, (_, n) => ({
      subject: `${stream}.${keyOf(first + n)}`,
      content: String(first + n),
    }))
    await call.publishMany(publications)
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

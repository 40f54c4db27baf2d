import { configure } from 'sluice'
import type { AmqpChannel } from 'sluice/rabbitmq'
import { channels, type RabbitMQBlocked, type RabbitMQConnect } from 'sluice/telemetry'
import { describe, expect, it } from 'vitest'
import { Arrivals, listen } from '../support/arrivals.ts'
import { Cable } from '../support/cable.ts'
import { LogBook } from '../support/log-book.ts'
import { Feed, Ledger, PREFETCH, publisherTo, recording, UNCONFIRMED } from '../support/rabbitmq-ledger.ts'
import { PATIENCE, type RabbitMQNode, rabbitmqCanStart, serverOfItsOwn } from '../support/rabbitmq-node.ts'
import { settlement } from '../support/settlement.ts'

/** The server lets the next consumer begin when it has back what the last one had: without it the order may suffer. */
const ONE_AFTER_THE_OTHER = { 'x-single-active-consumer': true }
/** More than any of the tests publishes. */
const ENDLESS = 1_000_000

/** What a fault may do its harm with. */
interface Victims {
  readonly node: RabbitMQNode
  readonly cable: Cable
  readonly log: LogBook
  /** Channels of the source, oldest first. */
  readonly opened: Arrivals<AmqpChannel>
}

const closed = ({ node }: Victims) => node.closeConnections('a fault')
const badAck = ({ opened }: Victims) => opened.all[0]?.ack({ fields: { deliveryTag: 1_000_000 } })
const cut = ({ cable }: Victims) => cable.cut()

async function restarted({ node }: Victims): Promise<void> {
  await node.stop()
  await node.start()
}

async function killed({ node }: Victims): Promise<void> {
  await node.kill()
  await node.revive()
}

async function paused({ cable, log }: Victims): Promise<void> {
  const before = log.lines.length
  cable.pause()
  await noticed(log, before)
  cable.resume()
}

async function frozen({ node, log }: Victims): Promise<void> {
  const before = log.lines.length
  node.freeze()
  await noticed(log, before)
  node.thaw()
}

/** Both have heard nothing for too long; on a busy machine that may find one of them while it connects. */
async function noticed(log: LogBook, from: number): Promise<void> {
  await log.has(/RabbitMQSource.* (lost its channel|cannot connect)/, from)
  await log.has(/RabbitMQPublisher.* (lost its channel|cannot connect)/, from)
}

/** What is logged in this test. */
function logOfTest(): LogBook {
  const log = new LogBook()
  configure({ logger: log })
  return log
}

describe.skipIf(!rabbitmqCanStart)('when a server fails', { timeout: PATIENCE }, () => {
  const server = serverOfItsOwn()

  it.each([
    ['the server closes all connections', closed, { lost: 2 }],
    ['the server closes the channel, for a bad acknowledgement', badAck, { lost: 1 }],
    ['the server is stopped and started again', restarted, { lost: 2 }],
    // It may have forgotten answers that were not on its disk yet.
    ['the server is killed and started again', killed, { lost: 2, forgetful: true }],
    ['the connections are cut', cut, { lost: 2 }],
    ['nothing gets through for a while', paused, { lost: 2, heartbeat: 1 }],
    ['the server does nothing for a while', frozen, { lost: 2, heartbeat: 1 }],
  ] as const)('B160 nothing is lost, and each key stays in order, when %s', async (_, happens, options) => {
    const {
      lost,
      heartbeat = 0,
      forgetful = false,
    }: { lost: number; heartbeat?: number; forgetful?: boolean } = options
    const node = server()
    const log = logOfTest()
    const connected = listen(channels.rabbitmqConnect)
    await using cable = await Cable.lay(node.uri)
    const connection = `${cable.uri}?heartbeat=${heartbeat}`
    const queue = await node.queue(ONE_AFTER_THE_OTHER)
    const opened = new Arrivals<AmqpChannel>()
    const ledger = new Ledger(ENDLESS)
    const pipeline = await recording(ledger, { queue, connection, afterConnect: (channel) => opened.add(channel) })
    const publisher = await publisherTo(queue, { connection })
    const feed = new Feed(publisher, ENDLESS)
    await ledger.reach(500)
    if (heartbeat === 0) expect(ledger.duplicates).toBe(0)

    await happens({ node, cable, log, opened })
    await connected.reach(2 + lost)
    await ledger.reach(ledger.processed + 500)
    const published = await feed.stop()
    await node.empties(queue)
    await pipeline.stop()
    await publisher.stop()

    expect(ledger.missing(published)).toEqual([])
    expect(ledger.late).toEqual([])
    const losses = log.lines.filter((line) => line.includes('it connects again')).length
    expect(losses).toBeGreaterThanOrEqual(lost)
    // A machine that is so busy that it misses heartbeats has more of them.
    if (heartbeat === 0) expect(losses).toBe(lost)
    if (!forgetful) expect(ledger.duplicates).toBeLessThanOrEqual(losses * Math.max(PREFETCH, UNCONFIRMED))
  })

  it('B160 twenty restarts under load lose nothing, and each key stays in order', async () => {
    const node = server()
    logOfTest()
    const queue = await node.queue()
    const ledger = new Ledger(ENDLESS)
    const pipeline = await recording(ledger, { queue, connection: node.uri })
    const publisher = await publisherTo(queue, { connection: node.uri })
    const feed = new Feed(publisher, ENDLESS)
    for (let restart = 1; restart <= 20; restart++) {
      await ledger.reach(ledger.processed + 200)
      await node.stop()
      await node.start()
    }
    await ledger.reach(ledger.processed + 200)
    const published = await feed.stop()
    await node.empties(queue)
    await pipeline.stop()
    await publisher.stop()
    expect(ledger.missing(published)).toEqual([])
    expect(ledger.late).toEqual([])
    expect(ledger.duplicates).toBeLessThanOrEqual(20 * (PREFETCH + UNCONFIRMED))
  })

  it('B160 a server that is short of memory blocks publishers, consumers go on, and nothing is published twice', async () => {
    const node = server()
    const log = logOfTest()
    const blocked = listen<RabbitMQBlocked>(channels.rabbitmqBlocked)
    const connected = listen<RabbitMQConnect>(channels.rabbitmqConnect)
    const queue = await node.queue()
    const ledger = new Ledger(ENDLESS)
    const pipeline = await recording(ledger, { queue, connection: node.uri })
    const publisher = await publisherTo(queue, { connection: node.uri, maxWaiting: 100 })
    const feed = new Feed(publisher, ENDLESS)
    await ledger.reach(500)
    await node.starve()
    await blocked.reach(1)
    // What is sent now waits in the publisher, up to the bound.
    const waiting = publisher.call.publishMany(Array.from({ length: 100 }, () => ({ content: '0' })))
    const { error } = await settlement(publisher.call.publish({ content: '0' }))
    expect(error).toMatchObject({ cause: { code: 'full' } })
    // The server has nothing but what it had: consumers get all of it.
    await node.empties(queue)
    expect(await node.connections('state')).toContain('blocked')
    const before = feed.confirmed
    await node.feed()
    await waiting
    await ledger.reach(before + 500)
    const published = await feed.stop()
    await node.empties(queue)
    await pipeline.stop()
    await publisher.stop()
    expect(ledger.missing(published)).toEqual([])
    // Those are the zeros that were sent on purpose.
    expect(ledger.duplicates).toBe(100)
    expect(connected.all).toHaveLength(2)
    expect(blocked.all.map(({ blocked, reason }) => [blocked, reason])).toEqual([
      [true, 'low on memory'],
      [false, undefined],
    ])
    expect(log.lines).toEqual([expect.stringContaining('takes no messages of RabbitMQPublisher')])
  })

  it('B160 a queue that is deleted under load is declared anew, and loses what it had and no more', async () => {
    const node = server()
    const log = logOfTest()
    const connected = listen<RabbitMQConnect>(channels.rabbitmqConnect)
    const queue = await node.queue()
    const ledger = new Ledger(ENDLESS)
    const pipeline = await recording(ledger, { queue, connection: node.uri, declare: {} })
    const publisher = await publisherTo(queue, { connection: node.uri })
    const feed = new Feed(publisher, ENDLESS)
    await ledger.reach(500)
    await node.deleteQueue(queue)
    await connected.reach(3)
    const first = await feed.stop()
    const second = new Feed(publisher, first + 1000, first)
    await second.done
    await node.empties(queue)
    await pipeline.stop()
    await publisher.stop()
    expect(ledger.missing(first + 1000, first)).toEqual([])
    expect(log.lines.filter((line) => line.includes('it connects again'))).toEqual([
      expect.stringContaining(`the server cancelled the consumer of queue ${queue}`),
    ])
  })

  it('B160 a source waits for a queue that was deleted, and that somebody else declares', async () => {
    const node = server()
    const log = logOfTest()
    const connected = listen<RabbitMQConnect>(channels.rabbitmqConnect)
    const queue = await node.queue()
    const ledger = new Ledger(ENDLESS)
    const pipeline = await recording(ledger, { queue, connection: node.uri })
    await connected.reach(1)
    await node.deleteQueue(queue)
    await log.has(/cannot connect .*\(not_found\)/)
    await node.queue({}, queue)
    const publisher = await publisherTo(queue, { connection: node.uri })
    await new Feed(publisher, 100).done
    await ledger.reach(100)
    await pipeline.stop()
    await publisher.stop()
    expect(ledger.missing(100)).toEqual([])
    expect(ledger.duplicates).toBe(0)
  })
})

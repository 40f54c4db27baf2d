import { start } from 'sluice'
import { Broadway } from 'sluice/broadway'
import { RabbitMQPublisher, RabbitMQSink, RabbitMQSource } from 'sluice/rabbitmq'
import { IterableProducer } from 'sluice/stage'
import { describe, expect, it } from 'vitest'
import { Arrivals } from '../support/arrivals.ts'
import { inSimulation } from '../support/broadway.ts'
import { Cable } from '../support/cable.ts'
import { Broker, RABBITMQ, rabbitmqIsThere } from '../support/rabbitmq-server.ts'
import { ScriptedServer } from '../support/scripted-rabbitmq.ts'
import { settlement } from '../support/settlement.ts'

const publisherOf = (server: ScriptedServer, options: object = {}) =>
  start(RabbitMQPublisher, {
    arg: { client: server.client, routingKey: 'q', backoffType: 'exp', backoffMin: 10, backoffMax: 100, ...options },
  })

const texts = (server: ScriptedServer) => server.toldOf('publish').map(([, , , text]) => text)

describe('a publisher', () => {
  it('B160 replies when the server has confirmed, and sends no more ahead than it may', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const publisher = await publisherOf(server, { maxUnconfirmed: 2 })
      const done: string[] = []
      const call = publisher.call
        .publishMany(['a', 'b', 'c'].map((content) => ({ content })))
        .then(() => done.push('abc'))
      await sim.settle()
      expect(texts(server)).toEqual(['a', 'b'])
      server.channel.confirm(2, true)
      await sim.settle()
      expect([texts(server), done]).toEqual([['a', 'b', 'c'], []])
      server.channel.confirm(3)
      await call
      expect(done).toEqual(['abc'])
      await publisher.stop()
      expect(sim.logs).toEqual([])
    })
  })

  it('B160 waits for a client, and for a server, that has enough', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const publisher = await publisherOf(server)
      await sim.settle()
      server.channel.full = true
      const call = publisher.call.publishMany(['a', 'b', 'c'].map((content) => ({ content })))
      await sim.settle()
      expect(texts(server)).toEqual(['a'])
      server.connection.emit('blocked', 'low on memory')
      server.channel.full = false
      server.channel.emit('drain')
      await sim.settle()
      expect(texts(server)).toEqual(['a'])
      server.connection.emit('unblocked')
      await sim.settle()
      expect(texts(server)).toEqual(['a', 'b', 'c'])
      server.channel.confirm(3, true)
      await call
      await publisher.stop()
    })
  })

  it('B160 sends again on the next connection what nobody confirmed, in order, before what waited', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const publisher = await publisherOf(server, { maxUnconfirmed: 2 })
      const call = publisher.call.publishMany(['a', 'b', 'c'].map((content) => ({ content })))
      await sim.advance(10)
      server.channel.confirm(1)
      server.drop()
      await sim.settle()
      expect(texts(server)).toEqual(['a', 'b', 'c', 'b', 'c'])
      server.channel.confirm(2, true)
      await call
      await publisher.stop()
    })
  })

  it('B160 refuses more than may wait, and leaves out what nobody waits for any more', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const publisher = await publisherOf(server, { maxUnconfirmed: 1, maxWaiting: 1 })
      const first = publisher.call.publish({ content: 'a' })
      await sim.settle()
      const second = settlement(publisher.with({ timeout: 50 }).call.publish({ content: 'b' }))
      await sim.settle()
      const { error } = await settlement(publisher.call.publish({ content: 'c' }))
      expect(error).toMatchObject({ code: 'failed', cause: { code: 'full' } })
      await sim.advance(50)
      expect((await second).error).toMatchObject({ code: 'timeout' })
      server.channel.confirm(1)
      await first
      expect(texts(server)).toEqual(['a'])
      await publisher.stop()
    })
  })

  it('B160 a message that the server does not take fails its call, and tells which', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const publisher = await publisherOf(server)
      const call = settlement(publisher.call.publishMany([{ content: 'a' }, { content: 'b' }]))
      await sim.settle()
      server.channel.refuse(2)
      server.channel.confirm(1)
      expect((await call).error).toMatchObject({
        cause: { code: 'refused', failures: [{ index: 1, error: { code: 'refused' } }] },
      })
      await publisher.stop()
    })
  })

  it('B160 one message that has the server close the channel does not hold up the others', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const publisher = await publisherOf(server)
      const bad = settlement(publisher.call.publish({ content: 'bad', exchange: 'none' }))
      const good = publisher.call.publish({ content: 'good' })
      await sim.advance(10)
      const notFound = () => Object.assign(new Error('404 no exchange'), { code: 404 })
      server.channel.end(notFound())
      await sim.settle()
      expect(texts(server)).toEqual(['bad', 'good', 'bad'])
      await sim.advance(10)
      server.channel.end(notFound())
      await sim.advance(10)
      expect(texts(server)).toEqual(['bad', 'good', 'bad', 'good'])
      server.channel.confirm(1)
      await good
      expect((await bad).error).toMatchObject({
        cause: { code: 'refused', message: expect.stringContaining("'none'") },
      })
      await publisher.stop()
    })
  })

  it('B160 draining waits until everything is confirmed', async () => {
    await inSimulation(async (sim) => {
      const server = new ScriptedServer()
      const publisher = await publisherOf(server)
      const call = publisher.call.publish({ content: 'a' })
      await sim.settle()
      const stopped = publisher.stop({ drain: true })
      await sim.settle()
      expect(server.toldOf('close')).toEqual([])
      server.channel.confirm(1)
      await stopped
      await call
      expect(server.toldOf('close')).toHaveLength(1)
    })
  })

  it.each([
    [{ maxUnconfirmed: 0 }, 'maxUnconfirmed of RabbitMQPublisher: expected a whole number >= 1, got 0'],
    [{ exchanges: 'a' }, 'RabbitMQPublisher has no option exchanges: did you mean exchange?'],
    [{ mandatory: 1 }, 'mandatory of RabbitMQPublisher: expected a boolean, got 1'],
  ])('B146 %j is refused', (options, sentence) => {
    expect(() => new RabbitMQPublisher(options as object)).toThrow(sentence)
  })
})

describe.skipIf(!rabbitmqIsThere)('a publisher to a real server', () => {
  it('B160 publishes, and tells what no queue gets', async () => {
    await using broker = await Broker.connect()
    await inSimulation(async () => {
      const queue = await broker.queue()
      const publisher = await start(RabbitMQPublisher, { arg: { connection: RABBITMQ, routingKey: queue } })
      await publisher.call.publishMany(Array.from({ length: 2500 }, (_, n) => ({ content: String(n) })))
      const { error } = await settlement(
        publisher.call.publishMany([{ content: 'fine' }, { content: 'lost', routingKey: `${queue}-none` }]),
      )
      expect(error).toMatchObject({ cause: { code: 'unroutable', failures: [{ index: 1 }] } })
      await publisher.stop()
      const taken = (await broker.take(queue)).map(([text]) => text)
      expect(taken).toEqual([...Array.from({ length: 2500 }, (_, n) => String(n)), 'fine'])
    })
  })

  it('B160 loses nothing when the connection is cut in the middle', async () => {
    await using broker = await Broker.connect()
    await using cable = await Cable.lay(RABBITMQ)
    await inSimulation(async () => {
      const queue = await broker.queue()
      const opened = new Arrivals<unknown>()
      const publisher = await start(RabbitMQPublisher, {
        arg: {
          connection: cable.uri,
          routingKey: queue,
          backoffMin: 0,
          backoffMax: 0,
          maxUnconfirmed: 50,
          afterConnect: (channel) => opened.add(channel),
        },
      })
      const content = 'x'.repeat(1000)
      const calls = Array.from({ length: 20 }, (_, group) =>
        publisher.call.publishMany(Array.from({ length: 100 }, (_, n) => ({ content, messageId: `${group}-${n}` }))),
      )
      await calls[3]
      cable.cut()
      await opened.reach(2)
      await Promise.all(calls)
      await publisher.stop()
      const ids = new Set<string>()
      for (;;) {
        const message = await broker.channel.get(queue, { noAck: true })
        if (message === false) break
        ids.add(message.properties.messageId)
      }
      expect(ids.size).toBe(2000)
    })
  })

  it('B160 is used from handleBatch, and what was handled is in the other queue', async () => {
    await using broker = await Broker.connect()
    await inSimulation(async (sim) => {
      const from = await broker.queue(100)
      const to = await broker.queue()
      const publisher = await start(RabbitMQPublisher, { arg: { connection: RABBITMQ, routingKey: to } })
      const published = new Arrivals<number>()
      const pipeline = await Broadway.start({
        name: 'through',
        producer: {
          module: RabbitMQSource,
          arg: { queue: from, connection: RABBITMQ, onFailure: 'reject_and_requeue' },
        },
        processors: { default: { handleMessage: (message) => message } },
        batchers: {
          default: {
            batchSize: 10,
            handleBatch: async (messages) => {
              await publisher.call.publishMany(messages.map(({ data }) => ({ content: data })))
              for (const { data } of messages) published.add(Number(data))
              return messages
            },
          },
        },
      })
      await published.reach(100)
      await pipeline.stop()
      await publisher.stop()
      expect(await broker.take(from)).toEqual([])
      expect(await broker.take(to)).toHaveLength(100)
      expect(sim.logs).toEqual([])
    })
  })

  it('B160 is the end of a line of stages', async () => {
    await using broker = await Broker.connect()
    await inSimulation(async () => {
      const queue = await broker.queue()
      const publisher = await start(RabbitMQPublisher, { arg: { connection: RABBITMQ, routingKey: queue } })
      const numbers = await start(IterableProducer<number>, { arg: { source: () => [1, 2, 3] } })
      const sink = await start(RabbitMQSink<number>, {
        arg: { publisher, toPublication: (n) => ({ content: String(n) }) },
        subscribeTo: [numbers],
      })
      await sink.done.catch(() => {})
      await publisher.stop()
      expect((await broker.take(queue)).map(([text]) => text)).toEqual(['1', '2', '3'])
    })
  })
})

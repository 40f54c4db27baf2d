import { Broadway } from 'sluice/broadway'
import { type AmqpChannel, type MetadataName, RabbitMQSource, type RabbitMQSourceOptions } from 'sluice/rabbitmq'
import { channels, type RabbitMQConnect } from 'sluice/telemetry'
import { describe, expect, it } from 'vitest'
import { Arrivals } from '../support/arrivals.ts'
import { inSimulation } from '../support/broadway.ts'
import { Cable } from '../support/cable.ts'
import { type Delivered, text } from '../support/rabbitmq-pipeline.ts'
import { Broker, RABBITMQ, rabbitmqIsThere } from '../support/rabbitmq-server.ts'

type Handle = (message: Delivered) => Delivered | Promise<Delivered>

/** A pipeline over the real server. It comes back at once when it has lost it: the clock of the test stands still. */
function consuming(options: RabbitMQSourceOptions<MetadataName>, handleMessage: Handle, concurrency = 1) {
  return Broadway.start({
    name: 'real',
    producer: {
      module: RabbitMQSource<MetadataName>,
      arg: {
        connection: RABBITMQ,
        onFailure: 'reject',
        metadata: ['redelivered'],
        backoffMin: 0,
        backoffMax: 0,
        ...options,
      },
      concurrency,
    },
    processors: { default: { concurrency: 2, maxDemand: 10, handleMessage } },
  })
}

/** Something to wait for that somebody opens. */
function gate() {
  let open = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

describe.skipIf(!rabbitmqIsThere)('a source of a real server', () => {
  it('B160 has no more messages than it may have, and all in the end', async () => {
    await using broker = await Broker.connect()
    await inSimulation(async (sim) => {
      const queue = await broker.queue(8)
      const seen = new Arrivals<string>()
      const arrived = new Arrivals<string>()
      const { open, opened } = gate()
      const pipeline = await Broadway.start({
        name: 'real',
        producer: {
          module: RabbitMQSource,
          arg: { queue, connection: RABBITMQ, onFailure: 'reject', qos: { prefetchCount: 5 } },
        },
        processors: {
          default: {
            concurrency: 5,
            maxDemand: 1,
            handleMessage: async (message) => {
              arrived.add(String(message.data))
              await opened
              seen.add(String(message.data))
              return message
            },
          },
        },
      })
      await arrived.reach(5)
      expect(await broker.ready(queue)).toBe(3)
      expect(arrived.all).toHaveLength(5)
      open()
      await seen.reach(8)
      await pipeline.stop()
      expect(await broker.take(queue)).toEqual([])
      expect(seen.all.toSorted()).toEqual(['0', '1', '2', '3', '4', '5', '6', '7'])
      expect(sim.logs).toEqual([])
    })
  })

  it('B160 what is rejected goes to the dead letters, what is requeued comes again', async () => {
    await using broker = await Broker.connect()
    await inSimulation(async () => {
      const dead = await broker.queue()
      const args = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead }
      const queue = await broker.queue(3, args)
      const seen = new Arrivals<readonly [string, boolean]>()
      const pipeline = await consuming({ queue, onFailure: 'reject_and_requeue_once' }, (message) => {
        seen.add([text(message), message.metadata.redelivered])
        if (text(message) === '1') return message.configureAck({ onFailure: 'reject' }).failed('at once')
        return text(message) === '2' ? message.failed('twice') : message
      })
      await seen.reach(4)
      await pipeline.stop()
      expect(seen.all.toSorted()).toEqual([
        ['0', false],
        ['1', false],
        ['2', false],
        ['2', true],
      ])
      expect((await broker.take(dead)).map(([dropped]) => dropped)).toEqual(['1', '2'])
      expect(await broker.take(queue)).toEqual([])
    })
  })

  it('B160 declares, binds and gets what is published, with its metadata', async () => {
    await using broker = await Broker.connect()
    await inSimulation(async () => {
      const exchange = await broker.exchange('topic')
      const queue = broker.name()
      const seen = new Arrivals<unknown>()
      const pipeline = await consuming(
        {
          queue,
          declare: { durable: false, autoDelete: true },
          bindings: [{ exchange, routingKey: 'orders.#' }],
          metadata: ['headers', 'routingKey', 'messageId'],
        },
        (message) => {
          const { headers, routingKey, messageId } = message.metadata
          seen.add({ data: text(message), headers, routingKey, messageId })
          return message
        },
      )
      // As long as nothing is bound the server gives it back.
      for (let bound = false; !bound; ) {
        const returned = new Promise<boolean>((resolve) => {
          broker.channel.removeAllListeners('return').once('return', () => resolve(false))
          broker.channel.publish(
            exchange,
            'orders.new',
            Buffer.from('a'),
            { headers: { n: 1 }, messageId: 'm1', mandatory: true },
            () => resolve(true),
          )
        })
        bound = await returned
      }
      await seen.reach(1)
      await pipeline.stop()
      expect(seen.all).toEqual([{ data: 'a', headers: { n: 1 }, routingKey: 'orders.new', messageId: 'm1' }])
    })
  })

  it('B160 a deleted queue cancels the consumer: it is declared anew, and consumed', async () => {
    await using broker = await Broker.connect()
    await inSimulation(async (sim) => {
      const queue = await broker.queue(1)
      const seen = new Arrivals<string>()
      const pipeline = await consuming({ queue, declare: {} }, (message) => {
        seen.add(text(message))
        return message
      })
      await seen.reach(1)
      await broker.channel.deleteQueue(queue)
      // The source declares it, as this does.
      await broker.channel.assertQueue(queue, { durable: true })
      await broker.fill(queue, 1, 7)
      expect(await seen.reach(2)).toEqual(['0', '7'])
      await pipeline.stop()
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringContaining(`the server cancelled the consumer of queue ${queue}; it connects again`),
      ])
    })
  })

  it.each([
    ['the connection is cut', (_: AmqpChannel | undefined, cable: Cable) => cable.cut()],
    [
      'the server closes the connection',
      (channel: AmqpChannel | undefined) =>
        void channel?.assertExchange('sluice-test-x', 'no such type').catch(() => {}),
    ],
    [
      'the server closes the channel, for a bad acknowledgement',
      (channel: AmqpChannel | undefined) => channel?.ack({ fields: { deliveryTag: 999 } }),
    ],
  ])('B160 when %s the messages come again, marked, and old answers fail loudly', async (_, happens) => {
    await using broker = await Broker.connect()
    await using cable = await Cable.lay(RABBITMQ)
    await inSimulation(async (sim) => {
      const queue = await broker.queue(3)
      const { open, opened } = gate()
      const opening = new Arrivals<AmqpChannel>()
      const seen = new Arrivals<readonly [string, boolean]>()
      const pipeline = await consuming(
        { queue, connection: cable.uri, afterConnect: (channel) => opening.add(channel) },
        async (message) => {
          seen.add([text(message), message.metadata.redelivered])
          if (!message.metadata.redelivered) await opened
          return message
        },
      )
      await seen.reach(1)
      happens(opening.all[0], cable)
      await opening.reach(2)
      open()
      // All of the first channel, some of them handled before, and all of the second.
      while (!seen.all.some(([n, again]) => n === '2' && again)) await seen.reach(seen.all.length + 1)
      await pipeline.stop()
      const again = seen.all.filter(([, redelivered]) => redelivered).map(([n]) => n)
      expect(again.toSorted()).toEqual(['0', '1', '2'])
      expect(await broker.take(queue)).toEqual([])
      const lines = sim.logs.map(({ message }) => message).join('\n')
      expect(lines).toContain('it connects again')
      expect(lines).toContain('cannot be answered for: the channel on which they came is gone')
    })
  })

  it('B160 a wrong password is no crash, and is not told', async () => {
    await inSimulation(async (sim) => {
      const failed = new Arrivals<unknown>()
      const uri = new URL(RABBITMQ)
      uri.password = 'wr0ng-s3cret'
      const pipeline = await consuming(
        { queue: 'none', connection: uri.href, backoffMin: 100, backoffMax: 100 },
        (message) => {
          failed.add(message)
          return message
        },
      )
      while (sim.logs.length === 0) await new Promise((resolve) => setImmediate(resolve))
      expect(sim.logs).toMatchObject([{ level: 'error', message: expect.stringContaining('(auth_failure)') }])
      expect(JSON.stringify(sim.logs)).not.toContain('wr0ng-s3cret')
      await pipeline.stop()
    })
  })

  it('B160 a virtual host that is not there is told by its name', async () => {
    await inSimulation(async (sim) => {
      const uri = new URL(RABBITMQ)
      uri.pathname = '/no-such-host'
      const pipeline = await consuming(
        { queue: 'none', connection: uri.href, backoffMin: 100, backoffMax: 100 },
        (m) => m,
      )
      while (sim.logs.length === 0) await new Promise((resolve) => setImmediate(resolve))
      expect(sim.logs[0]?.message).toContain(
        "(not_allowed): NOT_ALLOWED: the server has no virtual host 'no-such-host'",
      )
      await pipeline.stop()
    })
  })

  it('B160 draining with several sources leaves nothing without an answer, and nothing is handled twice', async () => {
    await using broker = await Broker.connect()
    await inSimulation(async (sim) => {
      const queue = await broker.queue(500)
      const seen = new Arrivals<string>()
      const connected = new Arrivals<RabbitMQConnect>()
      const listen = (event: RabbitMQConnect) => connected.add(event)
      channels.rabbitmqConnect.subscribe(listen)
      let acknowledged = 0
      const count = ({ messages }: { messages: number }) => {
        acknowledged += messages
      }
      channels.rabbitmqAck.subscribe(count)
      const pipeline = await Broadway.start({
        name: 'real',
        producer: {
          module: RabbitMQSource,
          arg: { queue, connection: RABBITMQ, onFailure: 'reject' },
          concurrency: 3,
        },
        processors: { default: { concurrency: 4, handleMessage: (message) => message } },
        batchers: {
          default: {
            batchSize: 20,
            handleBatch: async (messages) => {
              await new Promise((resolve) => setImmediate(resolve))
              for (const message of messages) seen.add(String(message.data))
              return messages
            },
          },
        },
      })
      await connected.reach(3)
      channels.rabbitmqConnect.unsubscribe(listen)
      await seen.reach(100)
      await pipeline.stop()
      channels.rabbitmqAck.unsubscribe(count)
      expect(acknowledged).toBe(seen.all.length)
      // The server may have sent some to a channel whose consumer was being cancelled; it takes them back in its own time.
      const left: string[] = []
      while (seen.all.length + left.length < 500) for (const [text] of await broker.take(queue)) left.push(text)
      expect(new Set([...seen.all, ...left]).size).toBe(500)
      expect(sim.logs).toEqual([])
    })
  })
})

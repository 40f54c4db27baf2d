import { configure, start } from 'sluice'
import { Broadway } from 'sluice/broadway'
import {
  type MetadataName,
  type Publication,
  RabbitMQPublisher,
  RabbitMQSource,
  type RabbitMQSourceOptions,
} from 'sluice/rabbitmq'
import { channels, type RabbitMQConnect, type RabbitMQConnectionFailure } from 'sluice/telemetry'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Arrivals, listen } from '../support/arrivals.ts'
import { Gate } from '../support/broadway.ts'
import { LogBook } from '../support/log-book.ts'
import { PATIENCE, type RabbitMQNode, rabbitmqCanStart, serverOfItsOwn } from '../support/rabbitmq-node.ts'
import { type Delivered, text } from '../support/rabbitmq-pipeline.ts'

/** The connection that is looked at; there are others. */
const OURS = 'ours'

let pipelines = 0

/** A pipeline that comes back soon; one that a test has not stopped does not disturb the next. */
async function consuming(
  options: RabbitMQSourceOptions<MetadataName>,
  handleMessage: (message: Delivered) => Delivered | Promise<Delivered> = (message) => message,
) {
  const pipeline = await Broadway.start({
    name: `consuming ${++pipelines}`,
    producer: {
      module: RabbitMQSource<MetadataName>,
      arg: { onFailure: 'reject', backoffMin: 10, backoffMax: 100, name: OURS, ...options },
    },
    processors: { default: { concurrency: 1, maxDemand: 10, handleMessage } },
  })
  onTestFinished(() => pipeline.kill())
  return pipeline
}

async function publish(node: RabbitMQNode, publications: readonly Publication[]): Promise<void> {
  const publisher = await start(RabbitMQPublisher, { arg: { connection: node.uri } })
  await publisher.call.publishMany(publications)
  await publisher.stop()
}

/** What the server knows of our connection. */
async function shown(node: RabbitMQNode, ...kinds: readonly string[]): Promise<string> {
  const all = await node.connections('client_properties', ...kinds)
  return all.split('[{client_properties').find((each) => each.includes(`<<"${OURS}">>`)) ?? ''
}

describe.skipIf(!rabbitmqCanStart)('options that a real server sees', { timeout: PATIENCE }, () => {
  const server = serverOfItsOwn()

  async function joe(node: RabbitMQNode): Promise<void> {
    const [user, vhost] = ['<<"joe">>', '<<"my/host">>']
    await node.tell(`rabbit_auth_backend_internal:add_user(${user}, <<"p@ss/w:rd%">>, <<"test">>)`)
    await node.tell(`rabbit_vhost:add(${vhost}, <<"test">>)`)
    const all = '<<".*">>, <<".*">>, <<".*">>'
    await node.tell(`rabbit_auth_backend_internal:set_permissions(${user}, ${vhost}, ${all}, <<"test">>)`)
  }

  it('B146 the parts of a connection, and those of a URI', async () => {
    const node = server()
    configure({ logger: new LogBook() })
    await joe(node)
    const connected = listen<RabbitMQConnect>(channels.rabbitmqConnect)
    const { port } = new URL(node.uri)
    const parts = {
      host: '127.0.0.1',
      port: Number(port),
      username: 'joe',
      password: 'p@ss/w:rd%',
      virtualHost: 'my/host',
      heartbeat: 37,
      channelMax: 11,
      frameMax: 8192,
      authMechanism: 'amqplain',
      clientProperties: { product: 'orders' },
      socketOptions: { keepAlive: true },
    } as const
    const uri = `amqp://joe:${encodeURIComponent(parts.password)}@127.0.0.1:${port}/my%2Fhost?heartbeat=37&channelMax=11&frameMax=8192`
    for (const [times, connection] of [parts, uri].entries()) {
      const pipeline = await consuming({ queue: '', declare: { exclusive: true }, connection })
      await connected.reach(times + 1)
      const said = await shown(node, 'user', 'vhost', 'timeout', 'channel_max', 'frame_max', 'auth_mechanism')
      for (const part of ['{user,<<"joe">>}', '<<"my/host">>', '{timeout,37}', '{channel_max,11}', '{frame_max,8192}'])
        expect(said).toContain(part)
      expect(said).toContain(connection === parts ? '<<"AMQPLAIN">>' : '<<"PLAIN">>')
      expect(said.includes('<<"orders">>')).toBe(connection === parts)
      await pipeline.stop()
    }
    expect(connected.all.map(({ name }) => name)).toEqual([OURS, OURS])
  })

  it('B156 the reasons why there is no connection', async () => {
    const node = server()
    configure({ logger: new LogBook() })
    const failed = listen<RabbitMQConnectionFailure>(channels.rabbitmqConnectionFailure)
    const { port } = new URL(node.uri)
    const queue = await node.queue()
    const at = (change: (uri: URL) => void): string => {
      const uri = new URL(node.uri)
      change(uri)
      return uri.href
    }
    const reasons: readonly (readonly [string, RabbitMQSourceOptions<MetadataName>])[] = [
      ['econnrefused', { connection: at((uri) => (uri.port = '1')) }],
      ['auth_failure', { connection: at((uri) => (uri.password = 'wrong')) }],
      ['not_allowed', { connection: at((uri) => (uri.pathname = '/none')) }],
      ['not_found', { connection: node.uri, queue: `${queue}-none` }],
      ['not_found', { connection: node.uri, queue: `${queue}-none`, declare: { passive: true } }],
      ['not_found', { connection: node.uri, bindings: [{ exchange: 'none' }] }],
      ['refused', { connection: node.uri, declare: { arguments: { 'x-max-length': 5 } } }],
      [
        'other',
        {
          connection: node.uri,
          afterConnect: () => {
            throw new Error('not today')
          },
        },
      ],
    ]
    for (const [reason, options] of reasons) {
      const pipeline = await consuming({ queue, ...options })
      const before = failed.all.length
      await failed.reach(before + 1)
      expect([reason, failed.all[before]?.reason]).toEqual([reason, reason])
      await pipeline.stop()
      failed.all.length = 0
    }
    // A server that accepts and says nothing.
    node.freeze()
    const connection = { host: '127.0.0.1', port: Number(port), connectionTimeout: 200 }
    const pipeline = await consuming({ queue, connection })
    await failed.reach(1)
    node.thaw()
    expect(failed.all[0]?.reason).toBe('timeout')
    await pipeline.stop()
  })

  it('B148 mergeOptions goes from server to server until one is there', async () => {
    const node = server()
    configure({ logger: new LogBook() })
    const queue = await node.queue()
    await publish(node, [{ routingKey: queue, content: 'a' }])
    const uris = ['amqp://127.0.0.1:1', 'amqp://127.0.0.1:2', node.uri]
    let turn = 0
    const seen = new Arrivals<string>()
    const pipeline = await consuming(
      { queue, mergeOptions: () => ({ connection: uris[turn++ % uris.length] }) },
      (message) => {
        seen.add(text(message))
        return message
      },
    )
    await seen.reach(1)
    // Once when the stage was made, for its first attempt, and once for each of the others.
    expect(turn).toBe(3)
    await pipeline.stop()
  })

  it('B154 how a queue is declared, and how it is consumed', async () => {
    const node = server()
    configure({ logger: new LogBook() })
    const connected = listen<RabbitMQConnect>(channels.rabbitmqConnect)
    const queue = 'declared'
    const pipeline = await consuming({
      queue,
      connection: node.uri,
      declare: { durable: false, autoDelete: true, arguments: { 'x-max-length': 7 } },
      qos: { prefetchCount: 13 },
      consume: { consumerTag: 'our-tag', exclusive: true, arguments: { 'x-priority': 5 } },
    })
    await connected.reach(1)
    const queues = await node.tell(
      'rabbit_amqqueue:info_all(<<"/">>, [name, durable, auto_delete, exclusive, arguments])',
    )
    expect(queues).toContain('<<"declared">>}},{durable,false},{auto_delete,true},{exclusive,false}')
    expect(queues).toContain('[{<<"x-max-length">>,byte,7}]')
    const consumers = await node.tell('rabbit_amqqueue:consumers_all(<<"/">>)')
    for (const part of ['{consumer_tag,<<"our-tag">>}', '{prefetch_count,13}', '{ack_required,true}'])
      expect(consumers).toContain(part)
    expect(consumers).toContain('{<<"x-priority">>,byte,5}')

    // Nobody else gets in, until the first has left; with it the queue goes, which the second declares again.
    const failed = listen<RabbitMQConnectionFailure>(channels.rabbitmqConnectionFailure)
    const declare = { durable: false, autoDelete: true, arguments: { 'x-max-length': 7 } }
    const second = await consuming({ queue, connection: node.uri, declare })
    await failed.reach(1)
    expect(failed.all[0]?.reason).toBe('refused')
    await pipeline.stop()
    await connected.reach(2)
    await second.stop()
    // It goes when its last consumer does.
    while ((await node.tell('rabbit_amqqueue:info_all(<<"/">>, [name])')).includes('<<"declared">>'));
  })

  it('B154 a queue that the server names is another one after a fault, with the same bindings', async () => {
    const node = server()
    configure({ logger: new LogBook() })
    const connected = listen<RabbitMQConnect>(channels.rabbitmqConnect)
    const seen = new Arrivals<string>()
    const pipeline = await consuming(
      {
        queue: '',
        connection: node.uri,
        declare: { exclusive: true, durable: false },
        afterConnect: (channel) => channel.assertExchange('moods', 'headers', { durable: true }),
        bindings: [{ exchange: 'moods', arguments: { 'x-match': 'all', mood: 'good' } }],
      },
      (message) => {
        seen.add(text(message))
        return message
      },
    )
    const publications = (number: number): Publication[] => [
      { exchange: 'moods', headers: { mood: 'good' }, content: `good ${number}` },
      { exchange: 'moods', headers: { mood: 'bad' }, content: `bad ${number}` },
    ]
    const publisher = await start(RabbitMQPublisher, { arg: { connection: node.uri, mandatory: false } })
    await connected.reach(2)
    await publisher.call.publishMany(publications(1))
    await seen.reach(1)
    await node.closeConnections('a fault')
    await connected.reach(4)
    await publisher.call.publishMany(publications(2))
    expect(await seen.reach(2)).toEqual(['good 1', 'good 2'])
    await pipeline.stop()
    await publisher.stop()
  })

  it('B152 with noAck the server forgets a message when it sends it', async () => {
    const node = server()
    configure({ logger: new LogBook() })
    const queue = await node.queue()
    await publish(node, [{ routingKey: queue, content: 'a' }])
    const gate = new Gate()
    const seen = new Arrivals<string>()
    const pipeline = await consuming({ queue, connection: node.uri, consume: { noAck: true } }, async (message) => {
      seen.add(text(message))
      await gate.opened
      return message
    })
    await seen.reach(1)
    await node.empties(queue)
    gate.open()
    await pipeline.stop()
  })

  it.each(['first', 'last'] as const)(
    'B147 with no bound of the prefetch and a small buffer, %s, what does not fit comes again',
    async (bufferKeep) => {
      const node = server()
      const log = new LogBook()
      configure({ logger: log })
      const queue = await node.queue()
      await publish(
        node,
        Array.from({ length: 200 }, (_, n) => ({ routingKey: queue, content: String(n) })),
      )
      const seen = new Set<string>()
      const all = new Arrivals<string>()
      const gate = new Gate()
      const pipeline = await consuming(
        {
          queue,
          connection: node.uri,
          qos: { prefetchCount: 0 },
          bufferSize: 20,
          bufferKeep,
          redeliverLostAfter: 20,
        },
        async (message) => {
          await gate.opened
          if (!seen.has(text(message))) all.add(text(message))
          seen.add(text(message))
          return message
        },
      )
      await log.has(/discarded/)
      gate.open()
      await all.reach(200)
      await node.empties(queue)
      await pipeline.stop()
    },
  )

  it('B153 each property that was published is in the metadata', async () => {
    const node = server()
    configure({ logger: new LogBook() })
    const queue = await node.queue()
    const published = {
      contentType: 'text/plain',
      contentEncoding: 'identity',
      headers: { a: 1, b: 'two' },
      priority: 3,
      correlationId: 'c1',
      replyTo: 'r1',
      messageId: 'm1',
      timestamp: 1_700_000_000,
      type: 't1',
      appId: 'app',
    }
    await publish(node, [{ routingKey: queue, content: 'a', expiration: 600_000, ...published }])
    const seen = new Arrivals<unknown>()
    const names = [...Object.keys(published), 'expiration', 'deliveryMode', 'redelivered', 'exchange', 'routingKey']
    const pipeline = await consuming(
      {
        queue,
        connection: node.uri,
        metadata: [...names, 'deliveryTag', 'consumerTag'] as MetadataName[],
        consume: { consumerTag: 'tag' },
      },
      (message) => {
        const { amqpChannel: _, ...metadata } = message.metadata
        seen.add(metadata)
        return message
      },
    )
    expect(await seen.reach(1)).toEqual([
      {
        ...published,
        expiration: '600000',
        deliveryMode: 2,
        redelivered: false,
        exchange: '',
        routingKey: queue,
        deliveryTag: 1,
        consumerTag: 'tag',
      },
    ])
    await pipeline.stop()
  })

  it('B160 a persistent message survives a restart of the server, another does not', async () => {
    const node = server()
    configure({ logger: new LogBook() })
    const queue = await node.queue()
    await publish(node, [
      { routingKey: queue, content: 'kept' },
      { routingKey: queue, content: 'gone', persistent: false },
      { routingKey: queue, content: 'kept too' },
    ])
    await node.stop()
    await node.start()
    const seen = new Arrivals<string>()
    const pipeline = await consuming({ queue, connection: node.uri }, (message) => {
      seen.add(text(message))
      return message
    })
    expect(await seen.reach(2)).toEqual(['kept', 'kept too'])
    await node.empties(queue)
    await pipeline.stop()
  })
})

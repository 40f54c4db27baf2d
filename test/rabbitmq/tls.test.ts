import { connect } from 'node:net'
import { createServer, type TlsOptions } from 'node:tls'
import { startLink } from 'sluice'
import { Broadway } from 'sluice/broadway'
import { type ConnectionOptions, RabbitMQPublisher, RabbitMQSource } from 'sluice/rabbitmq'
import { channels, type RabbitMQConnectionFailure } from 'sluice/telemetry'
import { describe, expect, it } from 'vitest'
import { Arrivals } from '../support/arrivals.ts'
import { inSimulation } from '../support/broadway.ts'
import { Authority } from '../support/certificates.ts'
import { Broker, RABBITMQ, rabbitmqIsThere } from '../support/rabbitmq-server.ts'

const ours = new Authority('ours')
const theirs = new Authority('theirs')

/** The real server behind TLS, as one that ends it in front of a cluster. */
async function encrypted(options: TlsOptions): Promise<AsyncDisposable & { readonly uri: string }> {
  const server = createServer(options, (near) => {
    const { hostname, port } = new URL(RABBITMQ)
    const far = connect(Number(port || 5672), hostname)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => {})
      one.on('close', () => other.destroy())
      one.pipe(other)
    }
  })
  // Those who do not trust it.
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const uri = new URL(RABBITMQ.replace(/^amqp:/, 'amqps:'))
  uri.host = `127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  return { uri: uri.href, [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) }
}

/** Sends a message by a publisher and gets it by a source, over connections of that kind. */
async function roundTrip(connection: ConnectionOptions): Promise<readonly string[]> {
  await using broker = await Broker.connect()
  const queue = await broker.queue()
  const seen = new Arrivals<string>()
  const publisher = await startLink(RabbitMQPublisher, { arg: { connection, routingKey: queue } })
  await publisher.call.publish({ content: 'sealed' })
  const pipeline = await Broadway.start({
    name: 'sealed',
    producer: { module: RabbitMQSource, arg: { queue, connection, onFailure: 'reject' } },
    processors: {
      default: {
        handleMessage: (message) => {
          seen.add(String(message.data))
          return message
        },
      },
    },
  })
  await seen.reach(1)
  await pipeline.stop()
  await publisher.stop({ drain: true })
  expect(await broker.take(queue)).toEqual([])
  return seen.all
}

/** What is said of the first attempt to connect. */
async function failureOf(connection: ConnectionOptions) {
  let failure: RabbitMQConnectionFailure | undefined
  let logged = ''
  await inSimulation(async (sim) => {
    const failed = new Arrivals<RabbitMQConnectionFailure>()
    const listen = (event: RabbitMQConnectionFailure) => failed.add(event)
    channels.rabbitmqConnectionFailure.subscribe(listen)
    const pipeline = await Broadway.start({
      name: 'sealed',
      producer: { module: RabbitMQSource, arg: { queue: 'none', connection, onFailure: 'reject' } },
      processors: { default: { handleMessage: (message) => message } },
    })
    ;[failure] = await failed.reach(1)
    channels.rabbitmqConnectionFailure.unsubscribe(listen)
    logged = sim.logs.map(({ message, fields }) => `${message} ${String(Reflect.get(fields, 'err'))}`).join('\n')
    await pipeline.stop()
  })
  return { reason: failure?.reason, logged }
}

describe.skipIf(!rabbitmqIsThere)('an encrypted connection to a real server', () => {
  it('carries messages both ways, to a server whose authority is given beside the URI', async () => {
    await using server = await encrypted(ours.issue('127.0.0.1'))
    expect(await roundTrip({ uri: server.uri, ssl: { ca: ours.certificate.cert } })).toEqual(['sealed'])
  })

  it('shows its certificate to a server that asks for one', async () => {
    const strict = { requestCert: true, rejectUnauthorized: true, ca: ours.certificate.cert }
    await using server = await encrypted({ ...ours.issue('127.0.0.1'), ...strict })
    const ssl = { ca: ours.certificate.cert, ...ours.issue('shop') }
    expect(await roundTrip({ uri: server.uri, ssl })).toEqual(['sealed'])
    const { reason, logged } = await failureOf({ uri: server.uri, ssl: { ca: ours.certificate.cert } })
    expect(['tls', 'socket_closed']).toContain(reason)
    expect(logged).toContain('cannot connect to amqps://')
  })

  it.each([
    ['of an authority that is not known', '127.0.0.1', {}, /(self-signed|self signed|unable to)/],
    ['of another authority', '127.0.0.1', { ca: theirs.certificate.cert }, /(self-signed|self signed|unable to)/],
    ['for another host', 'rabbit.example.org', { ca: ours.certificate.cert }, /does not match certificate's altnames/],
  ])(
    'is not made when the certificate of the server is %s, and says so without a password',
    async (_, host, ssl, said) => {
      await using server = await encrypted(ours.issue(host))
      const uri = new URL(server.uri)
      uri.password = 'a-s3cret'
      const { reason, logged } = await failureOf({ uri: uri.href, ssl })
      expect(reason).toBe('tls')
      expect(logged).toMatch(said)
      expect(logged).toContain(`cannot connect to amqps://guest@${uri.host}/%2F (tls)`)
      expect(logged).not.toContain('a-s3cret')
    },
  )

  it('is not made to a server that does not speak TLS', async () => {
    const plain = new URL(RABBITMQ)
    const port = plain.port || '5672'
    const { reason, logged } = await failureOf({ host: plain.hostname, port: Number(port), ssl: true })
    expect(['tls', 'socket_closed']).toContain(reason)
    expect(logged).toContain(`cannot connect to amqps://guest@${plain.hostname}:${port}/%2F`)
  })
})

describe('a URI beside other options', () => {
  it.each([
    [{ uri: 5 }, 'expected uri to be a string, got number'],
    [{ uri: 'amqp://joe:s3cret@host', prot: 1 }, 'connection of RabbitMQSource has no option prot'],
    [
      { uri: 'http://joe:s3cret@host' },
      'expected an AMQP URI, as amqp://localhost:5672 or amqps://..., got one that begins with http:',
    ],
  ])('is checked, and not shown: %j', async (connection, said) => {
    const arg: object = { queue: 'q', connection }
    const make = () => new RabbitMQSource(arg)
    expect(make).toThrow(said)
    expect(make).not.toThrow('s3cret')
  })
})

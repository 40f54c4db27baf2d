import { inspect } from 'node:util'
import { configure, type Logger, start } from 'sluice'
import { RedisListSource, RedisPublisher, type RedisPublisherOptions } from 'sluice/redis'
import { channels, type RedisConnectionFailure } from 'sluice/telemetry'
import { describe, expect, it } from 'vitest'
import { Arrivals, listen } from '../support/arrivals.ts'
import { Authority } from '../support/certificates.ts'
import { reading, SOON, taking } from '../support/redis-pipeline.ts'
import { ownRedisServer, redisCanStart } from '../support/redis-server.ts'
import type { ServerProcess } from '../support/server-process.ts'

type Connection = NonNullable<RedisPublisherOptions['connection']>

const ours = new Authority('ours')
const theirs = new Authority('theirs')
const ca = ours.certificate.cert
const shop = ours.issue('shop')

const PASSWORD = ['--requirepass', 's3cret-pass']
const ALL = ['~*', '&*', '+@all']
const JOE = ['--user', 'joe', 'on', '>s3cret-pass', ...ALL]
/** All that `docs/redis.md` says a user has to be allowed. */
const ONLY = '+xgroup +xreadgroup +xautoclaim +xpending +xclaim +xack +xinfo +xadd +eval +client|id +client|unblock'
const WORKER = ['--user', 'worker', 'on', '>s3cret-pass', '~jobs', '~jobs:dead', ...ONLY.split(' ')]
const OFF = ['--user', 'default', 'off']

/** A server that has a certificate for a host. */
function encrypted(host: string, clients: 'yes' | 'no' = 'no', by = ours): readonly string[] {
  const { certFile, keyFile } = by.issue(host)
  const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile]
  return [...PASSWORD, ...files, '--tls-ca-cert-file', ours.certificate.certFile, '--tls-auth-clients', clients]
}

const at = ({ port }: ServerProcess, scheme: string, user = ':s3cret-pass@') => `${scheme}://${user}127.0.0.1:${port}`

/** All that is logged in this test, with all that is in the errors. */
function logOfTest(): { text: string } {
  const log = { text: '' }
  const note = (fields: object, message: string): void => {
    log.text += `${message} ${inspect(fields, { depth: 10, showHidden: true })}\n`
  }
  const logger: Logger = { debug: note, info: note, warn: note, error: note }
  configure({ logger })
  return log
}

describe.skipIf(!redisCanStart)('R26 a server that wants to know who it talks to', () => {
  it.each<[string, readonly string[], (server: ServerProcess) => Connection]>([
    ['a password', PASSWORD, (server) => at(server, 'redis')],
    ['a user and a password', [...JOE, ...OFF], (server) => at(server, 'redis', 'joe:s3cret-pass@')],
    [
      'TLS, by an authority that is given',
      encrypted('127.0.0.1'),
      (server) => ({ url: at(server, 'rediss'), tls: { ca } }),
    ],
    [
      'TLS, and a certificate of its clients',
      encrypted('127.0.0.1', 'yes'),
      (server) => ({ url: at(server, 'rediss'), tls: { ca, cert: shop.cert, key: shop.key } }),
    ],
  ])('is used with %s', async (_, args, connectionOf) => {
    const log = logOfTest()
    await using server = await ownRedisServer(...args)
    const connection = connectionOf(server)
    const seen = new Arrivals<string>()
    const stream = await reading({ stream: 'orders', connection }, (message) => {
      seen.add(String(message.data['kind']))
      return message
    })
    const list = await taking({ list: 'jobs', connection, onFailure: 'ack' }, (message) => {
      seen.add(message.data)
      return message
    })
    const publisher = await start(RedisPublisher, { arg: { connection, ...SOON } })
    await publisher.call.publish({ stream: 'orders', fields: { kind: 'sealed' } })
    await publisher.call.publish({ list: 'jobs', value: 'locked' })
    expect([...(await seen.reach(2))].sort()).toEqual(['locked', 'sealed'])
    for (const each of [publisher, stream, list]) await each.stop()
    expect(log.text).toBe('')
  })

  it.each<[string, readonly string[], (server: ServerProcess) => Connection, string, RegExp]>([
    [
      'the password is wrong',
      PASSWORD,
      (server) => at(server, 'redis', ':wr0ng-s3cret@'),
      'auth_failure',
      /^WRONGPASS/,
    ],
    ['the user is not known', JOE, (server) => at(server, 'redis', 'jim:s3cret-pass@'), 'auth_failure', /^WRONGPASS/],
    ['no authority is given', encrypted('127.0.0.1'), (server) => at(server, 'rediss'), 'tls', /certificate/],
    [
      'the authority is another one',
      encrypted('127.0.0.1', 'no', theirs),
      (server) => ({ url: at(server, 'rediss'), tls: { ca } }),
      'tls',
      /certificate/,
    ],
    [
      'the certificate is for another host',
      encrypted('redis.example.org'),
      (server) => ({ url: at(server, 'rediss'), tls: { ca } }),
      'tls',
      /IP: 127\.0\.0\.1 is not in the cert's list/,
    ],
    [
      'the server wants a certificate, and gets none',
      encrypted('127.0.0.1', 'yes'),
      (server) => ({ url: at(server, 'rediss'), tls: { ca } }),
      'tls',
      /alert certificate required/,
    ],
    [
      'the server has no TLS',
      PASSWORD,
      (server) => ({ url: at(server, 'rediss'), timeout: 100 }),
      'timeout',
      /timeout/,
    ],
    ['the server has nothing but TLS', encrypted('127.0.0.1'), (server) => at(server, 'redis'), 'socket_closed', /.*/],
  ])(
    'is not used when %s: it is tried again, and told without secrets',
    async (_, args, connectionOf, reason, said) => {
      const log = logOfTest()
      await using server = await ownRedisServer(...args)
      const connection = connectionOf(server)
      const failures = listen<RedisConnectionFailure>(channels.redisConnectionFailure)
      const pipeline = await reading({ stream: 'orders', connection })
      const publisher = await start(RedisPublisher, { arg: { connection, ...SOON } })
      const published = publisher.call
        .publish({ stream: 'orders', fields: { n: '1' } })
        .catch((error: unknown) => error)
      const of = (name: string) => failures.all.filter(({ process }) => process.startsWith(name))
      // Of each the first attempt, and the next.
      while (of('RedisStreamSource').length < 2 || of('RedisPublisher').length < 2)
        await failures.reach(failures.all.length + 1)
      await publisher.kill()
      await pipeline.stop()
      for (const failure of [...of('RedisStreamSource'), ...of('RedisPublisher')])
        expect(failure).toMatchObject({ reason, message: expect.stringMatching(said) })
      expect(log.text).toContain(`has no connection to `)
      expect(`${log.text}${JSON.stringify(failures.all)}${inspect(await published, { depth: 10 })}`).not.toContain(
        's3cret',
      )
    },
  )

  it('is told what it does not allow, and what it allows is enough', async () => {
    const log = logOfTest()
    await using server = await ownRedisServer(...WORKER, ...OFF)
    const connection = at(server, 'redis', 'worker:s3cret-pass@')
    const seen = new Arrivals<number>()
    const options = {
      stream: 'jobs',
      connection,
      deadLetters: 'jobs:dead',
      maxDeliver: 2,
      retryDelay: 1,
      claimIdle: 200,
    }
    const pipeline = await reading(options, (message) => {
      seen.add(message.metadata.deliveries)
      return message.failed('no')
    })
    const publisher = await start(RedisPublisher, { arg: { connection, ...SOON } })
    await publisher.call.publish({ stream: 'jobs', fields: { n: '1' } })
    expect(await seen.reach(2)).toEqual([1, 2])
    expect(log.text).not.toContain('NOPERM')
    await expect(publisher.call.publish({ list: 'jobs', value: '1' })).rejects.toMatchObject({
      cause: { code: 'refused', message: expect.stringContaining('NOPERM') },
    })
    const other = await reading({ stream: 'orders', connection }, undefined, { name: 'others' })
    while (!log.text.includes('NOPERM')) await new Promise((resolve) => setImmediate(resolve))
    expect(log.text).toContain(
      `cannot read stream 'orders' at redis://worker@127.0.0.1:${server.port} (auth_failure): NOPERM`,
    )
    for (const each of [publisher, pipeline, other]) await each.stop()
    expect(log.text).not.toContain('s3cret')
  })
})

it('R1 options of TLS beside a URL that does not encrypt are refused', () => {
  expect(() => new RedisListSource({ list: 'l', connection: { url: 'redis://:s3cret@host', tls: { ca } } })).toThrow(
    'connection.tls of RedisListSource: expected a URL that begins with rediss:// beside it: redis:// does not encrypt',
  )
})

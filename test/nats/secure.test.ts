import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { nkeyAuthenticator, nkeys } from '@nats-io/transport-node'
import { configure, type Logger, start } from 'sluice'
import { Broadway } from 'sluice/broadway'
import { NatsPublisher, NatsSource, type NatsSourceOptions } from 'sluice/nats'
import { channels, type NatsConnectionFailure } from 'sluice/telemetry'
import { afterAll, describe, expect, it } from 'vitest'
import { Arrivals, listen } from '../support/arrivals.ts'
import { Authority, type Certificate } from '../support/certificates.ts'
import { SOON } from '../support/nats-pipeline.ts'
import { natsCanStart, ownNatsServer } from '../support/nats-server.ts'
import type { ServerProcess } from '../support/server-process.ts'

type Connection = NonNullable<NatsSourceOptions['connection']>

const ours = new Authority('ours')
const theirs = new Authority('theirs')
const ca = ours.certificate.cert
const shop = ours.issue('shop')

const USER = ['--user', 'joe', '--pass', 's3cret-pass']
const TOKEN = ['--auth', 's3cret-token']
/** A server that has a certificate for a host. */
function encrypted(host: string, by = ours): readonly string[] {
  const { certFile, keyFile } = by.issue(host)
  return [...USER, '--tls', '--tlscert', certFile, '--tlskey', keyFile]
}
const STRICT = ['--tlsverify', '--tlscacert', ours.certificate.certFile]

const joe = nkeys.createUser()
const folder = mkdtempSync(join(tmpdir(), 'sluice-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A configuration of a server that lets in who has a key. */
function keysFile(key: string): string {
  const path = join(folder, 'nats.conf')
  writeFileSync(path, `authorization: { users: [ { nkey: ${key} } ] }`)
  return path
}

const at = (server: ServerProcess, scheme: string, user = 'joe:s3cret-pass@', host = '127.0.0.1') =>
  `${scheme}://${user}${host}:${server.port}`

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

function consuming(connection: Connection, seen: Arrivals<string>) {
  return Broadway.start({
    name: 'sealed',
    producer: {
      module: NatsSource,
      arg: { stream: 'S', consumer: 'worker', connection, declare: { stream: { subjects: ['s'] } }, ...SOON },
    },
    processors: {
      default: {
        handleMessage: (message) => {
          seen.add(String(message.data))
          return message
        },
      },
    },
  })
}

/** What the first attempt says, of a source and of a publisher; and what a source logs. */
async function failureOf(connection: Connection) {
  const log = logOfTest()
  const failures = listen<NatsConnectionFailure>(channels.natsConnectionFailure)
  const pipeline = await consuming(connection, new Arrivals())
  const publisher = await start(NatsPublisher, { arg: { connection, ...SOON } })
  const published = publisher.call.publish({ subject: 's', content: '' }).catch((error: unknown) => error)
  // It goes on with its attempts.
  const of = (name: string) => failures.all.filter(({ process }) => process.startsWith(name))
  while (of('NatsSource').length < 2 || of('NatsPublisher').length < 2) await failures.reach(failures.all.length + 1)
  const [[failure], [other]] = [of('NatsSource'), of('NatsPublisher')]
  expect(other).toMatchObject({ reason: failure?.reason, message: failure?.message, retryIn: SOON.backoffMin })
  await publisher.kill()
  await pipeline.stop()
  const told = `${log.text}${JSON.stringify(failures.all)}${inspect(await published, { depth: 10 })}`
  return { reason: failure?.reason, message: failure?.message ?? '', logged: log.text, told }
}

describe.skipIf(!natsCanStart)('N26 a server that wants to know who it talks to', () => {
  it.each<[string, readonly string[], (server: ServerProcess) => Connection]>([
    ['user and password in the URL', USER, (server) => at(server, 'nats')],
    [
      'user and password beside it',
      USER,
      (server) => ({ servers: at(server, 'nats', ''), username: 'joe', password: 's3cret-pass' }),
    ],
    ['a token in the URL', TOKEN, (server) => at(server, 'nats', 's3cret-token@')],
    ['a token beside it', TOKEN, (server) => ({ servers: at(server, 'nats', ''), token: 's3cret-token' })],
    [
      'TLS, by an authority that is given',
      encrypted('localhost'),
      (server) => ({ servers: at(server, 'tls', undefined, 'localhost'), tls: { ca } }),
    ],
    [
      'TLS, by the file of an authority, and an address',
      encrypted('127.0.0.1'),
      (server) => ({ servers: at(server, 'nats'), tls: { caFile: ours.certificate.certFile } }),
    ],
    [
      'TLS, and a certificate of its clients',
      [...encrypted('127.0.0.1'), ...STRICT],
      (server) => ({ servers: at(server, 'tls'), tls: { ca, cert: shop.cert, key: shop.key } }),
    ],
    [
      'a key, by an authenticator of the client',
      ['-c', keysFile(joe.getPublicKey())],
      (server) => ({ servers: at(server, 'nats', ''), authenticator: nkeyAuthenticator(joe.getSeed()) }),
    ],
  ])('is used with %s', async (_, args, connectionOf) => {
    const log = logOfTest()
    await using server = await ownNatsServer(...args)
    const connection = connectionOf(server)
    const seen = new Arrivals<string>()
    const pipeline = await consuming(connection, seen)
    // The stream is made by the source: until then nobody takes the message.
    const publisher = await start(NatsPublisher, { arg: { connection, ...SOON } })
    for (let left = true; left; )
      await publisher.call.publish({ subject: 's', content: 'sealed' }).then(
        () => (left = false),
        (error: unknown) => expect(inspect(error)).toContain('unroutable'),
      )
    expect(await seen.reach(1)).toEqual(['sealed'])
    await publisher.stop({ drain: true })
    await pipeline.stop()
    expect(log.text).not.toMatch(/auth_failure|tls|s3cret/)
  })

  it.each<[string, readonly string[], (server: ServerProcess) => Connection, string, RegExp]>([
    [
      'the password is wrong',
      USER,
      (server) => at(server, 'nats', 'joe:wr0ng-s3cret@'),
      'auth_failure',
      /Authorization Violation/,
    ],
    ['there is no password', USER, (server) => at(server, 'nats', ''), 'auth_failure', /Authorization Violation/],
    [
      'the token is wrong',
      TOKEN,
      (server) => at(server, 'nats', 'wr0ng-s3cret@'),
      'auth_failure',
      /Authorization Violation/,
    ],
    [
      'the key is another one',
      ['-c', keysFile(joe.getPublicKey())],
      (server) => ({ servers: at(server, 'nats', ''), authenticator: nkeyAuthenticator(nkeys.createUser().getSeed()) }),
      'auth_failure',
      /Authorization Violation/,
    ],
    ['no authority is given', encrypted('127.0.0.1'), (server) => at(server, 'tls'), 'tls', /certificate/],
    [
      'TLS is not asked for, and no authority is given',
      encrypted('localhost'),
      (server) => at(server, 'nats', undefined, 'localhost'),
      'tls',
      /certificate/,
    ],
    [
      'the authority is another one',
      encrypted('127.0.0.1', theirs),
      (server) => ({ servers: at(server, 'nats'), tls: { ca } }),
      'tls',
      /certificate/,
    ],
    [
      'the certificate is for another host',
      encrypted('nats.example.org'),
      (server) => ({ servers: at(server, 'nats'), tls: { ca } }),
      'tls',
      /IP: 127\.0\.0\.1 is not in the cert's list/,
    ],
    [
      'the certificate is for localhost, and the server is given by its address',
      encrypted('localhost'),
      (server) => ({ servers: at(server, 'nats'), tls: { ca } }),
      'tls',
      /IP: 127\.0\.0\.1 is not in the cert's list/,
    ],
    [
      'the file of an authority is not there',
      encrypted('127.0.0.1'),
      (server) => ({ servers: at(server, 'tls'), tls: { caFile: '/none/ca.pem' } }),
      'other',
      /ca\.pem doesn't exist/,
    ],
    ['the server has no TLS', USER, (server) => at(server, 'tls'), 'tls', /server does not support 'tls'/],
    [
      'the server wants a certificate, and gets none',
      [...encrypted('127.0.0.1'), ...STRICT],
      (server) => ({ servers: at(server, 'tls'), tls: { ca }, timeout: 200 }),
      'timeout',
      /timeout/,
    ],
  ])(
    'is not used when %s: it is tried again, and told without secrets',
    async (_, args, connectionOf, reason, said) => {
      await using server = await ownNatsServer(...args)
      const failure = await failureOf(connectionOf(server))
      expect(failure).toMatchObject({ reason, message: expect.stringMatching(said) })
      expect(failure.logged).toContain(`cannot pull from 'S' at `)
      expect(failure.logged).toContain(`(${reason})`)
      expect(failure.told).not.toContain('s3cret')
    },
  )

  it('N22 that is lost, and comes back with a certificate that is not trusted: each attempt is told, until it has its own again', async () => {
    const log = logOfTest()
    const failures = listen<NatsConnectionFailure>(channels.natsConnectionFailure)
    const [own, other] = [ours.issue('127.0.0.1'), theirs.issue('127.0.0.1')]
    const show = ({ cert, key }: Certificate): void => {
      writeFileSync(own.certFile, cert)
      writeFileSync(own.keyFile, key)
    }
    await using server = await ownNatsServer(...USER, '--tls', '--tlscert', own.certFile, '--tlskey', own.keyFile)
    const connection = { servers: at(server, 'tls'), tls: { ca } }
    const seen = new Arrivals<string>()
    const pipeline = await consuming(connection, seen)
    const publisher = await start(NatsPublisher, { arg: { connection, ...SOON } })
    const { call } = publisher.with({ timeout: Infinity })
    while (seen.all.length === 0) await call.publish({ subject: 's', content: 'before' }).catch(() => {})
    const told = async (reason: string): Promise<void> => {
      while (!failures.all.some((failure) => failure.reason === reason)) await failures.reach(failures.all.length + 1)
    }
    await server.kill()
    await told('econnrefused')
    show(other)
    await server.revive()
    await told('tls')
    expect(log.text).toMatch(/Nats\S+ has no connection to tls:\S+ \(tls\): .*certificate.*; it tries again in \d+ ms/)
    await server.kill()
    show(own)
    await server.revive()
    await call.publish({ subject: 's', content: 'after' })
    while (!seen.all.includes('after')) await seen.reach(seen.all.length + 1)
    await publisher.stop({ drain: true })
    await pipeline.stop()
    expect(log.text).not.toContain('s3cret')
  })
})

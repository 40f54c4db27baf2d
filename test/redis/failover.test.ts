import { createClient } from 'redis'
import { configure, start } from 'sluice'
import { RedisPublisher } from 'sluice/redis'
import { channels, type RedisConnectionFailure } from 'sluice/telemetry'
import { describe, expect, it } from 'vitest'
import { listen } from '../support/arrivals.ts'
import { Cable } from '../support/cable.ts'
import { freePort } from '../support/free-port.ts'
import { LogBook } from '../support/log-book.ts'
import { Ledger } from '../support/number-ledger.ts'
import { reading, SOON, taking } from '../support/redis-pipeline.ts'
import { ownRedisServer, redisCanStart, urlOf } from '../support/redis-server.ts'
import type { ServerProcess } from '../support/server-process.ts'

/** What is logged in this test, and not told. */
function logOfTest(): LogBook {
  const log = new LogBook()
  configure({ logger: log })
  return log
}

async function clientOf(server: ServerProcess) {
  const client = createClient({ url: urlOf(server) })
  await client.connect()
  return {
    ask: (...args: readonly string[]) => client.sendCommand<unknown>([...args]),
    /** Resolves when what the server says of itself has this in it. */
    async says(pattern: RegExp, ...args: readonly string[]): Promise<void> {
      while (!pattern.test(String(await client.sendCommand([...args]))));
    },
    [Symbol.asyncDispose]: () => client.close(),
  }
}

/** A replica has everything as soon as it is one. */
const AT_ONCE = ['--repl-diskless-sync-delay', '0']

/** A server, and another one that has all that it has. */
async function pair() {
  const [one, other] = await Promise.all([ownRedisServer(...AT_ONCE), ownRedisServer(...AT_ONCE)])
  await using client = await clientOf(other)
  await client.ask('REPLICAOF', '127.0.0.1', `${one.port}`)
  await client.says(/master_link_status:up/, 'INFO', 'replication')
  return { one, other }
}

/** The replica takes the place of its master, which becomes its replica; the server waits until nothing can get lost. */
async function failOver(master: ServerProcess): Promise<void> {
  await using client = await clientOf(master)
  await client.says(/state=online/, 'INFO', 'replication')
  await client.ask('FAILOVER')
  await client.says(/role:slave/, 'INFO', 'replication')
}

/** Sends numbers to a stream or a list at a URL, and handles them, while something happens after the first third. */
async function run(kind: 'stream' | 'list', connection: string, happens: (ledger: Ledger) => Promise<void>) {
  const COUNT = Number(process.env['MESSAGES'] ?? 3000)
  const ledger = new Ledger(COUNT)
  const options = { connection, claimIdle: 1000, claimInterval: 100 }
  const shape = { concurrency: 2, maxDemand: 100 }
  const pipeline =
    kind === 'stream'
      ? await reading({ stream: 'numbers', ...options }, (each) => noted(each, Number(each.data['n'])), shape)
      : await taking({ list: 'numbers', ...options }, (each) => noted(each, Number(each.data)), shape)
  function noted<M>(message: M, n: number): M {
    ledger.note(n)
    return message
  }
  const publisher = await start(RedisPublisher, { arg: { connection, ...SOON } })
  const { call } = publisher.with({ timeout: Infinity })
  const fed = (async () => {
    for (let from = 0; from < COUNT; from += 20) {
      const group = Array.from({ length: 20 }, (_, n) => `${from + n}`)
      await call.publishMany(
        group.map((n) => (kind === 'stream' ? { stream: 'numbers', fields: { n } } : { list: 'numbers', value: n })),
      )
    }
  })()
  await ledger.reach(COUNT / 3)
  await happens(ledger)
  await fed
  await ledger.reach(COUNT)
  await publisher.stop()
  await pipeline.stop()
  expect(ledger.missing(COUNT)).toEqual([])
}

describe.skipIf(!redisCanStart)('R27 a server that becomes a replica', () => {
  it.each(['stream', 'list'] as const)(
    'is left, and used again when it is the master again: nothing of a %s is lost',
    async (kind) => {
      const log = logOfTest()
      const failures = listen<RedisConnectionFailure>(channels.redisConnectionFailure)
      const { one, other } = await pair()
      await using _one = one
      await using _other = other
      await run(kind, urlOf(one), async () => {
        await failOver(one)
        while (failures.all.filter(({ reason }) => reason === 'read_only').length < 5)
          await failures.reach(failures.all.length + 1)
        await failOver(other)
      })
      const [first] = failures.all.filter(({ reason }) => reason === 'read_only')
      expect(first?.message).toContain('READONLY')
      expect(log.lines.join('\n')).toMatch(
        /has no connection to \S+ \(read_only\): READONLY .*; it tries again in \d+ ms/,
      )
      expect(log.lines.join('\n')).not.toMatch(/is gone|refused/)
    },
  )

  it.each(['stream', 'list'] as const)(
    'is left for the one that has its name then: nothing of a %s is lost',
    async (kind) => {
      logOfTest()
      const { one, other } = await pair()
      await using _one = one
      await using _other = other
      await using name = await Cable.lay(urlOf(one))
      await run(kind, name.uri, async () => {
        // Connections that were made before still lead to the former master.
        name.leadTo(urlOf(other))
        await failOver(one)
      })
    },
  )
})

describe.skipIf(!redisCanStart)('R28 a server of a Redis Cluster', () => {
  it('is used for what it has; what another one has is told, and not looked for', async () => {
    const log = logOfTest()
    const [busOfOne, bus] = [await freePort(), await freePort()]
    await using one = await ownRedisServer('--cluster-enabled', 'yes', '--cluster-port', `${busOfOne}`)
    await using other = await ownRedisServer('--cluster-enabled', 'yes', '--cluster-port', `${bus}`)
    await using client = await clientOf(one)
    await using otherClient = await clientOf(other)
    await client.ask('CLUSTER', 'ADDSLOTSRANGE', '0', '8191')
    await otherClient.ask('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383')
    await client.ask('CLUSTER', 'MEET', '127.0.0.1', `${other.port}`, `${bus}`)
    for (const each of [client, otherClient])
      await each.says(/cluster_state:ok[\s\S]*cluster_known_nodes:2/, 'CLUSTER', 'INFO')

    /** A key of the first server, or of the other one. */
    const key = async (isOurs: boolean): Promise<string> => {
      for (let n = 0; ; n++)
        if (Number(await client.ask('CLUSTER', 'KEYSLOT', `{k${n}}`)) < 8192 === isOurs) return `{k${n}}`
    }
    const [here, there] = [await key(true), await key(false)]
    const connection = urlOf(one)
    const publisher = await start(RedisPublisher, { arg: { connection, ...SOON } })
    const ledger = new Ledger(1)
    const stream = await reading(
      { stream: `${here}s`, connection, deadLetters: `${here}dead`, onFailure: 'dead_letter' },
      (message) => message.failed('no'),
    )
    const list = await taking({ list: `${here}l`, connection, onFailure: 'ack' }, (message) => {
      ledger.note(Number(message.data))
      return message
    })
    await publisher.call.publishMany([
      { stream: `${here}s`, fields: { n: '0' } },
      { list: `${here}l`, value: '0' },
    ])
    await ledger.reach(1)
    while (Number(await client.ask('XLEN', `${here}dead`)) < 1);

    const why = /MOVED \d+ 127\.0\.0\.1:\d+ \(a Redis Cluster keeps keys on several servers; give the URL of the one/
    await expect(publisher.call.publish({ stream: there, fields: { n: '1' } })).rejects.toMatchObject({
      cause: { code: 'refused', message: expect.stringMatching(why) },
    })
    const strangers = [
      await reading({ stream: there, connection }, undefined, { name: 'a' }),
      await taking({ list: there, connection, onFailure: 'ack' }, undefined, { name: 'b' }),
    ]
    for (const what of [`read stream '${there}'`, `take from list '${there}'`])
      await log.has(new RegExp(`cannot ${what.replaceAll(/[{}]/g, '\\$&')} at redis:\\S+ \\(cluster\\): ${why.source}`))
    for (const each of [publisher, stream, list, ...strangers]) await each.stop()
  })
})

import { configure, start } from 'sluice'
import { Broadway } from 'sluice/broadway'
import { RedisListSource, RedisPublisher, RedisStreamSource } from 'sluice/redis'
import { channels, type RedisConnectionFailure } from 'sluice/telemetry'
import { describe, expect, it } from 'vitest'
import { listen } from '../support/arrivals.ts'
import { Cable } from '../support/cable.ts'
import { LogBook } from '../support/log-book.ts'
import { Ledger } from '../support/number-ledger.ts'
import { runProgram } from '../support/program.ts'
import { reading, SOON, taking } from '../support/redis-pipeline.ts'
import { ownRedisServer, REDIS, Redis, redisCanStart, redisIsThere, urlOf } from '../support/redis-server.ts'

/** What is logged in this test, and not told. */
function logOfTest(): LogBook {
  const log = new LogBook()
  configure({ logger: log })
  return log
}

const processors = (ledger: Ledger, numberOf: (data: never) => number) => ({
  default: {
    concurrency: 2,
    maxDemand: 500,
    handleMessage: <M extends { readonly data: unknown }>(message: M) => {
      ledger.note(numberOf(message.data as never))
      return message
    },
  },
})
const batchers = { default: { batchSize: 200, batchTimeout: 50, handleBatch: <M>(messages: readonly M[]) => messages } }

function recordingStream(ledger: Ledger, stream: string, connection: string) {
  return Broadway.start({
    name: 'stream',
    producer: {
      module: RedisStreamSource,
      arg: { stream, group: 'workers', connection, claimIdle: 1000, claimInterval: 100, ...SOON },
    },
    processors: processors(ledger, (data: Readonly<Record<string, string>>) => Number(data['n'])),
    batchers,
  })
}

function recordingList(ledger: Ledger, list: string, connection: string) {
  return Broadway.start({
    name: 'list',
    producer: {
      module: RedisListSource,
      arg: { list, connection, claimIdle: 1000, claimInterval: 100, ...SOON },
    },
    processors: processors(ledger, (data: string) => Number(data)),
    batchers,
  })
}

describe.skipIf(!redisIsThere)('a connection', () => {
  it('R2 with a wrong password is no crash, and the password is not told', async () => {
    const log = logOfTest()
    const failures = listen<RedisConnectionFailure>(channels.redisConnectionFailure)
    const url = new URL(REDIS)
    url.username = 'nobody'
    url.password = 'wr0ng-s3cret'
    const pipeline = await reading({ stream: 'sluice-test-none', connection: url.href })
    await failures.reach(2)
    await pipeline.stop()
    expect(failures.all[0]).toMatchObject({ reason: 'auth_failure', retryIn: 10 })
    expect(log.lines.join('\n')).toContain('//nobody@')
    expect(log.lines.join('\n') + JSON.stringify(failures.all)).not.toContain('wr0ng-s3cret')
  })

  it('R24 that cannot be made is tried again after waits that grow, and a pipeline stops all the same', async () => {
    logOfTest()
    const failures = listen<RedisConnectionFailure>(channels.redisConnectionFailure)
    const stream = await reading({ stream: 'none', connection: 'redis://127.0.0.1:1' })
    await failures.reach(4)
    await stream.stop()
    expect(failures.all.slice(0, 4).map(({ reason, retryIn }) => [reason, retryIn])).toEqual([
      ['econnrefused', 10],
      ['econnrefused', 20],
      ['econnrefused', 40],
      ['econnrefused', 80],
    ])
    const before = failures.all.length
    const list = await taking({ list: 'none', connection: 'redis://127.0.0.1:1', backoffType: 'stop' })
    await failures.reach(before + 1)
    await list.stop()
    expect(failures.all.at(-1)).toMatchObject({ retryIn: undefined })
  })

  it.each(['stream', 'list'] as const)('R24 that is lost again and again loses nothing of a %s', async (kind) => {
    const COUNT = 5000
    logOfTest()
    await using redis = await Redis.connect()
    await using cable = await Cable.lay(REDIS)
    const key = redis.key()
    const ledger = new Ledger(COUNT)
    const pipeline = await (kind === 'stream' ? recordingStream : recordingList)(ledger, key, cable.uri)
    const [before] = await pipeline.call.producerNames()
    const publisher = await start(RedisPublisher, { arg: { connection: cable.uri, ...SOON } })
    const fed = (async () => {
      const { call } = publisher.with({ timeout: Infinity })
      for (let from = 0; from < COUNT; from += 50) {
        const group = Array.from({ length: 50 }, (_, n) => `${from + n}`)
        await call.publishMany(
          group.map((n) => (kind === 'stream' ? { stream: key, fields: { n } } : { list: key, value: n })),
        )
      }
    })()
    for (let cuts = 1; cuts <= 5; cuts++) {
      await ledger.reach((cuts * COUNT) / 10)
      cable.cut()
    }
    await fed
    await ledger.reach(COUNT)
    if (kind === 'stream') await redis.done(key)
    else while ((await redis.inHand(key)) > 0);
    expect(await pipeline.call.producerNames()).toEqual([before])
    await publisher.stop()
    await pipeline.stop()
    expect(ledger.missing(COUNT)).toEqual([])
  })
})

describe.skipIf(!redisCanStart)('when a server fails', () => {
  it.each(['stream', 'list'] as const)(
    'R25 100,000 entries of a %s: nothing is lost when it is killed and started again',
    async (kind) => {
      const COUNT = 100_000
      logOfTest()
      await using server = await ownRedisServer()
      await using redis = await Redis.connect(urlOf(server))
      const key = redis.key()
      const add = kind === 'list' ? `'RPUSH', KEYS[1], n` : `'XADD', KEYS[1], '*', 'n', n`
      const fill = `for n = 0, ARGV[1] - 1 do redis.call(${add}) end`
      await redis.client.eval(fill, { keys: [key], arguments: [`${COUNT}`] })
      const ledger = new Ledger(COUNT)
      const pipeline = await (kind === 'stream' ? recordingStream : recordingList)(ledger, key, urlOf(server))
      await ledger.reach(COUNT / 2)
      await server.kill()
      await server.revive()
      await ledger.reach(COUNT)
      await pipeline.stop()
      expect(ledger.missing(COUNT)).toEqual([])
    },
  )
})

it('R24 a program whose server was never there ends at once when its pipeline is stopped', async () => {
  const { code, stdout, stderr } = await runProgram('redis-nowhere')
  expect(stderr).toContain('it tries again in 600000 ms')
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'stopped\n' })
})

it.skipIf(!redisCanStart)('R24 a program whose server has gone ends at once when its pipeline is stopped', async () => {
  await using server = await ownRedisServer()
  const { code, stdout, stderr } = await runProgram('redis-gone', urlOf(server))
  expect(stderr).toContain('it tries again in 600000 ms')
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'stopped\n' })
})

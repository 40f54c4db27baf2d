import { IterableProducer, start } from 'sluice'
import { RedisPublisher, RedisSink } from 'sluice/redis'
import { describe, expect, it } from 'vitest'
import { REDIS, Redis, redisIsThere } from '../support/redis-server.ts'
import { settlement } from '../support/settlement.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, n) => String(n))
const publishing = (options: object = {}) => start(RedisPublisher, { arg: { connection: REDIS, ...options } })

describe.skipIf(!redisIsThere)('a publisher', () => {
  it('R18 keeps a stream short, by length or by id', async () => {
    await using redis = await Redis.connect()
    const [exact, about] = [redis.key(), redis.key()]
    const publisher = await publishing({ stream: exact, trim: { maxLength: 10, exact: true } })
    await publisher.call.publishMany(numbers(50).map((n) => ({ fields: { n } })))
    await publisher.call.publishMany(
      numbers(1000).map((n) => ({ stream: about, fields: { n }, trim: { maxLength: 10 } })),
    )
    expect((await redis.entries(exact)).map(({ message }) => message['n'])).toEqual(numbers(50).slice(40))
    // The server lets go of whole pieces of it.
    expect(await redis.client.xLen(about)).toBeLessThan(1000)
    const [, , , , fifth] = await redis.entries(exact)
    const trim = { minId: fifth?.id, exact: true }
    await publisher.call.publish({ fields: { n: '50' }, trim })
    expect((await redis.entries(exact)).map(({ message }) => message['n'])).toEqual([...numbers(50).slice(44), '50'])
    await publisher.stop()
  })

  it('R23 keeps the order of its calls, for streams and lists', async () => {
    await using redis = await Redis.connect()
    const [stream, list, left] = [redis.key(), redis.key(), redis.key()]
    const publisher = await publishing({ stream, list })
    const other = await publishing({ push: 'left' })
    await Promise.all([
      publisher.call.publishMany(numbers(1500).map((n) => ({ fields: { n } }))),
      publisher.call.publishMany(numbers(1500).map((value) => ({ value }))),
      other.call.publishMany(numbers(10).map((value) => ({ list: left, value }))),
    ])
    await publisher.stop({ drain: true })
    await other.stop()
    expect((await redis.entries(stream)).map(({ message }) => message['n'])).toEqual(numbers(1500))
    expect(await redis.client.lRange(list, 0, -1)).toEqual(numbers(1500))
    expect(await redis.client.lRange(left, 0, -1)).toEqual(numbers(10).reverse())
  })

  it('R23 names the entries that were refused, and why', async () => {
    await using redis = await Redis.connect()
    const [stream, list] = [await redis.stream(1), await redis.list(1)]
    const publisher = await publishing()
    const { error } = await settlement(
      publisher.call.publishMany([
        { stream, fields: { n: '1' } },
        { stream: list, fields: { n: '2' } },
        { stream, fields: {} },
        { value: '3' },
        { list, value: '4' },
      ]),
    )
    expect(error).toMatchObject({
      code: 'failed',
      cause: {
        failures: [
          { index: 1, error: { code: 'refused', message: expect.stringContaining('WRONGTYPE') } },
          { index: 2, error: { code: 'bad_publication', message: expect.stringContaining('it has no fields') } },
          { index: 3, error: { code: 'bad_publication', message: expect.stringContaining('it names no list') } },
        ],
      },
    })
    await publisher.stop()
    expect(await redis.client.xLen(stream)).toBe(2)
    expect(await redis.client.lRange(list, 0, -1)).toEqual(['0', '4'])
  })

  it('R23 is the end of a line of stages', async () => {
    await using redis = await Redis.connect()
    const list = redis.key()
    const publisher = await publishing({ list })
    const source = await start(IterableProducer<number>, { arg: { source: () => [1, 2, 3] } })
    const sink = await start(RedisSink<number>, {
      arg: { publisher, toPublication: (n) => ({ value: String(n) }) },
      subscribeTo: [source],
    })
    await sink.done.catch(() => {})
    await publisher.stop()
    expect(await redis.client.lRange(list, 0, -1)).toEqual(['1', '2', '3'])
  })
})

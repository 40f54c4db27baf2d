import { configure } from 'sluice'
import { channels, type RedisAck } from 'sluice/telemetry'
import { describe, expect, it } from 'vitest'
import { Arrivals, listen } from '../support/arrivals.ts'
import { Gate, inSimulation, partOf } from '../support/broadway.ts'
import { LogBook } from '../support/log-book.ts'
import { type FromStream, reading } from '../support/redis-pipeline.ts'
import { Redis, redisIsThere } from '../support/redis-server.ts'

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, n) => String(from + n))
const byNumber = (a: string, b: string) => Number(a) - Number(b)
const n = ({ data }: FromStream): string => data['n'] ?? ''

/** Notes what comes. */
function noting() {
  const seen = new Arrivals<string>()
  const handle = (message: FromStream) => {
    seen.add(n(message))
    return message
  }
  return { seen, handle }
}

function logOfTest(): LogBook {
  const log = new LogBook()
  configure({ logger: log })
  return log
}

describe.skipIf(!redisIsThere)('a source over a stream', () => {
  it('R3 makes the stream and the group, begins where it is told, and goes on where it was', async () => {
    await using redis = await Redis.connect()
    const stream = redis.key()
    const first = noting()
    const pipeline = await reading({ stream }, first.handle)
    while ((await redis.client.exists(stream)) === 0);
    await redis.add(stream, 3)
    expect((await first.seen.reach(3)).toSorted()).toEqual(numbers(3))
    await pipeline.stop()
    await redis.add(stream, 1, 3)
    const again = noting()
    const second = await reading({ stream, start: '$' }, again.handle)
    expect(await again.seen.reach(1)).toEqual(['3'])
    await second.stop()
    const fromNow = noting()
    const third = await reading({ stream, group: 'from-now', start: '$' }, fromNow.handle)
    while ((await redis.client.xInfoGroups(stream)).length < 2);
    await redis.add(stream, 1, 4)
    expect(await fromNow.seen.reach(1)).toEqual(['4'])
    await third.stop()
    const [, , , behind] = await redis.entries(stream)
    const late = noting()
    const fourth = await reading({ stream, group: 'behind', start: behind?.id }, late.handle)
    expect(await late.seen.reach(1)).toEqual(['4'])
    await fourth.stop()
  })

  it('R4 reads no more than is asked for', async () => {
    await using redis = await Redis.connect()
    const stream = await redis.stream(100)
    const gate = new Gate()
    const seen = new Arrivals<string>()
    const pipeline = await reading({ stream }, async (message) => {
      seen.add(n(message))
      await gate.opened
      return message
    })
    await seen.reach(1)
    while ((await redis.pending(stream)) < 10);
    expect(await redis.waiting(stream)).toBe(90)
    gate.open()
    await seen.reach(100)
    await redis.done(stream)
    await pipeline.stop()
    expect(seen.all.toSorted(byNumber)).toEqual(numbers(100))
  })

  it('R5 handles at once an entry that comes alone, and stops at once when it waits', async () => {
    await using redis = await Redis.connect()
    const stream = redis.key()
    const { seen, handle } = noting()
    // It would wait for minutes.
    const pipeline = await reading({ stream, claimInterval: 600_000 }, handle)
    for (let count = 1; count <= 3; count++) {
      await redis.add(stream, 1, count)
      await seen.reach(count)
    }
    await redis.done(stream)
    await pipeline.stop()
    expect(seen.all).toEqual(['1', '2', '3'])
  })

  it('R6 shares the entries with the sources of its group; another group gets all of them', async () => {
    await using redis = await Redis.connect()
    const stream = await redis.stream(300)
    const [one, other] = [noting(), noting()]
    const first = await reading({ stream }, one.handle, { sources: 2, concurrency: 2 })
    const second = await reading({ stream, group: 'others' }, other.handle, { name: 'others' })
    await one.seen.reach(300)
    await other.seen.reach(300)
    await redis.done(stream)
    await redis.done(stream, 'others')
    await first.stop()
    await second.stop()
    expect(one.seen.all.toSorted(byNumber)).toEqual(numbers(300))
    expect(other.seen.all.toSorted(byNumber)).toEqual(numbers(300))
  })

  it('R7 acknowledges what was handled, and deletes it when told to', async () => {
    await using redis = await Redis.connect()
    const told = listen<RedisAck>(channels.redisAck)
    const stream = await redis.stream(50)
    const { seen, handle } = noting()
    const pipeline = await reading({ stream, deleteAcked: true }, handle)
    await seen.reach(50)
    while ((await redis.client.xLen(stream)) > 0);
    expect(await redis.pending(stream)).toBe(0)
    await pipeline.stop()
    expect(told.all.reduce((sum, { messages }) => sum + messages, 0)).toBe(50)
    expect(new Set(told.all.map(({ answer }) => answer))).toEqual(new Set(['ack']))
  })

  it('R8 R9 delivers again what failed, and counts; the options and the message choose', async () => {
    await using redis = await Redis.connect()
    logOfTest()
    const stream = await redis.stream(4)
    const seen = new Arrivals<readonly [string, number]>()
    const onFailure = ({ metadata }: { metadata: { deliveries: number } }) =>
      metadata.deliveries > 2 ? 'ack' : { retryAfter: 1 }
    const pipeline = await reading({ stream, onFailure }, (message) => {
      seen.add([n(message), message.metadata.deliveries])
      if (n(message) === '1') return message.failed('always')
      if (n(message) === '2') return message.configureAck({ onFailure: 'ack' }).failed('once')
      return n(message) === '3' ? message.configureAck({ onFailure: 'drop' }) : message
    })
    // 0 and 2 once; 1 and 3 until they are given up.
    await seen.reach(8)
    await redis.done(stream)
    await pipeline.stop()
    const deliveries = (which: string) => seen.all.filter(([each]) => each === which).map(([, count]) => count)
    expect(['0', '1', '2', '3'].map(deliveries)).toEqual([[1], [1, 2, 3], [1], [1, 2, 3]])
  })

  it('R10 R11 adds a dead letter with where it came from and why, at the last delivery', async () => {
    await using redis = await Redis.connect()
    const [stream, dead] = [await redis.stream(1), redis.key()]
    const { seen, handle } = noting()
    const options = { stream, deadLetters: dead, maxDeliver: 2, retryDelay: 1 }
    const pipeline = await reading(options, (message) => handle(message).failed(new Error('always')))
    await seen.reach(2)
    await redis.done(stream)
    await pipeline.stop()
    const [entry] = await redis.entries(stream)
    const [letter, ...more] = await redis.entries(dead)
    expect(more).toEqual([])
    expect({ ...letter?.message }).toEqual({
      n: '0',
      'sluice-stream': stream,
      'sluice-group': 'workers',
      'sluice-id': entry?.id,
      'sluice-deliveries': '2',
      'sluice-reason': 'always (delivery 2 of 2)',
    })
  })

  it('R10 has an entry come again that cannot become a dead letter', async () => {
    await using redis = await Redis.connect()
    const log = logOfTest()
    const [stream, dead] = [await redis.stream(1), await redis.list(1)]
    const seen = new Arrivals<number>()
    const options = { stream, deadLetters: dead, onFailure: 'dead_letter', retryDelay: 1 } as const
    const pipeline = await reading(options, (message) => {
      seen.add(message.metadata.deliveries)
      return message.metadata.deliveries < 3 ? message.failed('twice') : message
    })
    expect(await seen.reach(3)).toEqual([1, 2, 3])
    await redis.done(stream)
    await pipeline.stop()
    expect(log.lines.join('\n')).toContain('WRONGTYPE')
  })

  it('R11 does not handle again what was delivered too often and never answered for', async () => {
    await using redis = await Redis.connect()
    const log = logOfTest()
    const stream = await redis.stream(1)
    await redis.client.xGroupCreate(stream, 'workers', '0')
    for (let delivery = 1; delivery <= 3; delivery++) {
      await redis.client.xReadGroup('workers', 'dead', { key: stream, id: '>' }, { COUNT: 1 })
      await redis.client.xAutoClaim(stream, 'workers', 'dead', 0, '0-0')
    }
    await redis.add(stream, 1, 1)
    const { seen, handle } = noting()
    const pipeline = await reading({ stream, claimIdle: 1, maxDeliver: 2, heartbeat: false }, handle)
    await seen.reach(1)
    await redis.done(stream)
    await pipeline.stop()
    expect(new Set(seen.all)).toEqual(new Set(['1']))
    expect(log.lines.join('\n')).toContain('was delivered more than 2 times and not answered for; it is given up')
  })

  it('R12 takes over what a dead pipeline had', async () => {
    await using redis = await Redis.connect()
    const stream = await redis.stream(20)
    const { seen, handle } = noting()
    const first = await reading({ stream, claimIdle: 100 }, (message) => {
      handle(message)
      return new Promise(() => {})
    })
    await seen.reach(1)
    await first.kill()
    const second = noting()
    const pipeline = await reading({ stream, claimIdle: 100 }, second.handle)
    await redis.done(stream)
    await pipeline.stop()
    // On a busy machine some of them may have been idle for too long again.
    expect(new Set(second.seen.all)).toEqual(new Set(numbers(20)))
  })

  it('R13 keeps what takes longer than claimIdle', async () => {
    await using redis = await Redis.connect()
    const stream = await redis.stream(1)
    const gate = new Gate()
    const { seen, handle } = noting()
    const pipeline = await reading({ stream, claimIdle: 400, claimInterval: 600_000 }, async (message) => {
      handle(message)
      await gate.opened
      return message
    })
    await seen.reach(1)
    // It is kept again and again: the time since anybody has said anything about it falls.
    for (let fallen = 0, before = 0; fallen < 4; ) {
      const [pending] = await redis.client.xPendingRange(stream, 'workers', '-', '+', 1)
      const now = pending?.millisecondsSinceLastDelivery ?? 0
      if (now < before) fallen++
      before = now
    }
    gate.open()
    await redis.done(stream)
    await pipeline.stop()
    expect(seen.all).toEqual(['0'])
  })

  it('R14 has come again what was lost with a stage', async () => {
    await using redis = await Redis.connect()
    await inSimulation(async (sim) => {
      const stream = await redis.stream(1)
      const seen = new Arrivals<number>()
      const pipeline = await reading({ stream, claimIdle: 200 }, (message) => {
        seen.add(message.metadata.deliveries)
        return message.metadata.deliveries === 1 ? new Promise(() => {}) : message
      })
      await seen.reach(1)
      await partOf(sim, 'Processor_default_0').kill()
      while (seen.all.length < 2) await sim.advance(50, { foreign: true })
      await redis.done(stream)
      await pipeline.stop()
      expect(seen.all.slice(0, 2)).toEqual([1, 2])
    })
  })

  it('R15 leaves nothing pending when it is drained, and leaves its group', async () => {
    await using redis = await Redis.connect()
    const stream = await redis.stream(500)
    const { seen, handle } = noting()
    const pipeline = await reading({ stream }, handle, { sources: 3, concurrency: 4 })
    await seen.reach(100)
    await pipeline.stop()
    // What came too late was given back, and waits for somebody.
    const second = await reading({ stream }, handle)
    await redis.done(stream)
    await second.stop()
    expect(seen.all.toSorted(byNumber)).toEqual(numbers(500))
    const left = (await redis.client.xInfoConsumers(stream, 'workers')).filter(({ pending }) => pending > 0)
    expect(left).toEqual([])
  })

  it('R15 stays in its group with entries that are to be tried again, and is removed when it is long dead', async () => {
    await using redis = await Redis.connect()
    const stream = await redis.stream(1)
    const { seen, handle } = noting()
    const options = { stream, claimIdle: 2, heartbeat: false, claimInterval: 600_000 }
    const first = await reading({ ...options, retryDelay: 1 }, (message) => handle(message).failed('later'))
    await seen.reach(1)
    await first.stop()
    const [name] = await redis.consumers(stream)
    expect(name).toMatch(/^sluice-/)
    // Somebody else does the work, and the one that had it is of no use any more.
    const claimed = await redis.client.xAutoClaim(stream, 'workers', 'other', 0, '0-0')
    expect(claimed.messages).toHaveLength(1)
    await redis.client.xAck(
      stream,
      'workers',
      claimed.messages.map((entry) => entry?.id ?? ''),
    )
    for (let idle = 0; idle <= 200; ) {
      const consumers = await redis.client.xInfoConsumers(stream, 'workers')
      idle = consumers.find((consumer) => consumer.name === name)?.idle ?? 0
    }
    const second = await reading(options, handle)
    while ((await redis.consumers(stream)).includes(name ?? ''));
    await second.stop()
    expect(await redis.consumers(stream)).toEqual(['other'])
  })

  it('R16 makes the group again when the stream was deleted, and misses nothing', async () => {
    await using redis = await Redis.connect()
    const log = logOfTest()
    const stream = await redis.stream(1)
    const { seen, handle } = noting()
    const pipeline = await reading({ stream, start: '$' }, handle)
    while ((await redis.client.xInfoGroups(stream)).length === 0);
    await redis.add(stream, 1, 1)
    await seen.reach(1)
    await redis.done(stream)
    await redis.client.del(stream)
    await redis.add(stream, 2, 2)
    expect((await seen.reach(3)).toSorted()).toEqual(['1', '2', '3'])
    await redis.done(stream)
    await pipeline.stop()
    expect(log.lines.join('\n')).toContain('the group is made again, from the first entry on')
  })

  it('R17 tells where an entry is from, gives any bytes, and keeps the order', async () => {
    await using redis = await Redis.connect()
    const stream = await redis.stream()
    const bytes = Buffer.from([0, 255, 13, 10])
    const id = await redis.client.xAdd(stream, '*', { n: '0', bytes, text: 'grüße' })
    await redis.add(stream, 200, 1)
    const { seen, handle } = noting()
    const metadata: FromStream[] = []
    const pipeline = await reading({ stream }, (message) => {
      if (n(message) === '0') metadata.push(message)
      return handle(message)
    })
    await seen.reach(201)
    await pipeline.stop()
    expect(seen.all).toEqual(numbers(201))
    expect(metadata).toMatchObject([
      {
        data: { n: '0', text: 'grüße' },
        metadata: {
          stream,
          group: 'workers',
          id,
          timestamp: Number(id?.split('-')[0]),
          deliveries: 1,
          fields: { bytes },
        },
      },
    ])
  })
})

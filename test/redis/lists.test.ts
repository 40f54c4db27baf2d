import { configure } from 'sluice'
import { describe, expect, it } from 'vitest'
import { Arrivals } from '../support/arrivals.ts'
import { Gate, inSimulation, partOf } from '../support/broadway.ts'
import { LogBook } from '../support/log-book.ts'
import { type FromList, taking } from '../support/redis-pipeline.ts'
import { Redis, redisIsThere } from '../support/redis-server.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, n) => String(n))
const byNumber = (a: string, b: string) => Number(a) - Number(b)

/** Notes what comes. */
function noting() {
  const seen = new Arrivals<string>()
  const handle = (message: FromList) => {
    seen.add(message.data)
    return message
  }
  return { seen, handle }
}

function logOfTest(): LogBook {
  const log = new LogBook()
  configure({ logger: log })
  return log
}

describe.skipIf(!redisIsThere)('a source over a list', () => {
  it.each(['left', 'right'] as const)('R19 takes from the %s, in order, what is asked for', async (take) => {
    await using redis = await Redis.connect()
    const list = await redis.list(100)
    const gate = new Gate()
    const { seen, handle } = noting()
    const pipeline = await taking({ list, take }, async (message) => {
      handle(message)
      await gate.opened
      return message
    })
    await seen.reach(1)
    while ((await redis.inHand(list)) < 10);
    expect(await redis.client.lLen(list)).toBe(90)
    gate.open()
    await seen.reach(100)
    while ((await redis.inHand(list)) > 0);
    await pipeline.stop()
    expect(seen.all).toEqual(take === 'left' ? numbers(100) : numbers(100).reverse())
    expect(await redis.client.keys(`{${list}*`)).toEqual([])
  })

  it('R19 gives any bytes, handles at once what comes alone, and stops at once when it waits', async () => {
    await using redis = await Redis.connect()
    const list = redis.key()
    const bytes = Buffer.from([0, 255, 13, 10])
    const seen = new Arrivals<Buffer>()
    // It would wait for minutes.
    const pipeline = await taking({ list, claimInterval: 600_000 }, (message) => {
      seen.add(message.metadata.bytes)
      return message
    })
    for (let count = 1; count <= 3; count++) {
      await redis.client.rPush(list, bytes)
      await seen.reach(count)
    }
    while ((await redis.inHand(list)) > 0);
    await pipeline.stop()
    expect(seen.all).toEqual([bytes, bytes, bytes])
  })

  it('R20 is done with, tries again at the end of the list, or moves to the dead letters', async () => {
    await using redis = await Redis.connect()
    const [list, dead] = [await redis.list(4), redis.key()]
    const { seen, handle } = noting()
    const failures = new Map<string, number>()
    const pipeline = await taking({ list, deadLetters: dead }, (message) => {
      handle(message)
      const count = (failures.get(message.data) ?? 0) + 1
      failures.set(message.data, count)
      if (message.data === '1' && count === 1) return message.failed('once')
      if (message.data === '2') return message.configureAck({ onFailure: 'dead_letter' }).failed('dead')
      return message
    })
    await seen.reach(5)
    while ((await redis.inHand(list)) + (await redis.client.lLen(list)) > 0);
    await pipeline.stop()
    expect(seen.all).toEqual(['0', '1', '2', '3', '1'])
    expect(await redis.client.lRange(dead, 0, -1)).toEqual(['2'])
  })

  it('R20 has an entry come again for which there is no list of dead letters', async () => {
    await using redis = await Redis.connect()
    const log = logOfTest()
    const list = await redis.list(1)
    const { seen, handle } = noting()
    const pipeline = await taking({ list }, (message) => {
      handle(message)
      return seen.all.length === 1 ? message.configureAck({ onFailure: 'dead_letter' }).failed('dead') : message
    })
    await seen.reach(2)
    while ((await redis.inHand(list)) > 0);
    await pipeline.stop()
    expect(log.lines.length).toBeGreaterThan(0)
  })

  it('R21 has come back what a dead source had, where it was; one that lives keeps what it has', async () => {
    await using redis = await Redis.connect()
    logOfTest()
    const list = await redis.list(30)
    const held = noting()
    const gate = new Gate()
    const living = await taking({ list }, async (message) => {
      held.handle(message)
      await gate.opened
      return message
    })
    await held.seen.reach(1)
    while ((await redis.inHand(list)) < 10);
    const lost = noting()
    const dying = await taking(
      { list, claimIdle: 300 },
      (message) => {
        lost.handle(message)
        return new Promise(() => {})
      },
      { name: 'dying' },
    )
    while ((await redis.inHand(list)) < 20);
    await dying.kill()
    const rest = noting()
    const third = await taking({ list }, rest.handle, { name: 'third' })
    await rest.seen.reach(20)
    while ((await redis.inHand(list)) > 10);
    gate.open()
    while ((await redis.inHand(list)) > 0);
    await living.stop()
    await third.stop()
    expect(held.seen.all).toEqual(numbers(10))
    expect(rest.seen.all.toSorted(byNumber)).toEqual(numbers(30).slice(10))
  })

  it('R22 has come back what was lost with a stage', async () => {
    await using redis = await Redis.connect()
    await inSimulation(async (sim) => {
      const list = await redis.list(1)
      const { seen, handle } = noting()
      const pipeline = await taking({ list, claimIdle: 300 }, (message) => {
        handle(message)
        return seen.all.length === 1 ? new Promise(() => {}) : message
      })
      await seen.reach(1)
      await partOf(sim, 'Processor_default_0').kill()
      while (seen.all.length < 2) await sim.advance(50, { foreign: true })
      while ((await redis.inHand(list)) > 0);
      await pipeline.stop()
      expect(seen.all.slice(0, 2)).toEqual(['0', '0'])
    })
  })
})

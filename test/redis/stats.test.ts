import { describe, expect, it } from 'vitest'
import { Arrivals } from '../support/arrivals.ts'
import { Gate } from '../support/broadway.ts'
import { reading, taking } from '../support/redis-pipeline.ts'
import { Redis, redisIsThere } from '../support/redis-server.ts'

const NOWHERE = 'redis://127.0.0.1:1'

describe.skipIf(!redisIsThere)('what a source says of itself', () => {
  it('one over a stream counts what its group has not had, and what is not answered for', async () => {
    await using redis = await Redis.connect()
    const stream = await redis.stream(30)
    const gate = new Gate()
    const arrived = new Arrivals<unknown>()
    const pipeline = await reading({ stream }, async (message) => {
      arrived.add(message)
      await gate.opened
      return message
    })
    await arrived.reach(1)
    while ((await redis.pending(stream)) < 10);
    const [source] = await pipeline.call.producerNames()
    expect(await source?.call.stats()).toEqual({ connected: true, waiting: 20, unanswered: 10 })
    gate.open()
    await redis.done(stream)
    while ((await source?.call.stats())?.unanswered !== 0);
    expect(await source?.call.stats()).toEqual({ connected: true, waiting: 0, unanswered: 0 })
    await pipeline.stop()
  })

  it('one over a list counts what is in the list, and what is not answered for', async () => {
    await using redis = await Redis.connect()
    const list = await redis.list(30)
    const gate = new Gate()
    const arrived = new Arrivals<unknown>()
    const pipeline = await taking({ list }, async (message) => {
      arrived.add(message)
      await gate.opened
      return message
    })
    await arrived.reach(1)
    while ((await redis.inHand(list)) < 10);
    const [source] = await pipeline.call.producerNames()
    expect(await source?.call.stats()).toEqual({ connected: true, waiting: 20, unanswered: 10 })
    gate.open()
    await pipeline.stop()
  })
})

describe('what a source says of itself without a server', () => {
  it('is that it has no connection', async () => {
    const pipeline = await reading({ stream: 's', connection: NOWHERE, backoffType: 'stop' })
    const [source] = await pipeline.call.producerNames()
    expect(await source?.call.stats()).toEqual({ connected: false, waiting: undefined, unanswered: 0 })
    await pipeline.stop()
    const lists = await taking({ list: 'l', connection: NOWHERE, backoffType: 'stop' })
    const [other] = await lists.call.producerNames()
    expect(await other?.call.stats()).toEqual({ connected: false, waiting: undefined, unanswered: 0 })
    await lists.stop()
  })
})

import { start } from 'sluice'
import { Queue, type Received } from 'sluice/queue'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { data, now, only, receipts } from '../support/embedded-queue.ts'

/** Messages such as `a1`, whose key is the letter. */
async function keyed(words: string, options = {}) {
  const queue = await start(Queue<string>, { arg: options })
  await queue.call.enqueueMany(words.split(' ').map((word) => ({ data: word, key: word.charAt(0) })))
  return queue
}

const named = (messages: readonly Received<string>[], word: string) =>
  only(messages.filter(({ data: name }) => name === word)).receipt

describe('messages of one key', () => {
  it('Q21 are delivered one at a time, in order; other keys and those without go on', async () => {
    await simulate().run(async () => {
      const queue = await keyed('a1 a2 a3 b1 c1')
      await queue.call.enqueue('none')
      const first = await now(queue)
      expect(data(first)).toEqual(['a1', 'b1', 'c1', 'none'])
      expect(await queue.call.stats()).toMatchObject({ ready: 2, inFlight: 4 })
      await queue.call.ack(named(first, 'b1'))
      expect(await now(queue)).toEqual([])
      await queue.call.ack(named(first, 'a1'))
      const second = await now(queue)
      expect(data(second)).toEqual(['a2'])
      await queue.call.ack(receipts(second))
      expect(data(await now(queue))).toEqual(['a3'])
    })
  })

  it('Q22 keep their order when one comes back, and wait for it', async () => {
    await simulate().run(async (sim) => {
      const queue = await keyed('a1 a2 b1', { visibilityTimeout: 100 })
      const first = await now(queue)
      expect(data(first)).toEqual(['a1', 'b1'])
      await queue.call.nack(named(first, 'a1'), { delay: 50 })
      await queue.call.ack(named(first, 'b1'))
      expect(await now(queue)).toEqual([])
      await sim.advance(50)
      expect(data(await now(queue))).toEqual(['a1'])
      await sim.advance(100)
      const third = await now(queue)
      expect(third).toMatchObject([{ data: 'a1', attempts: 3 }])
      await queue.call.ack(receipts(third))
      expect(data(await now(queue))).toEqual(['a2'])
    })
  })

  it('Q22 that come with a delay stand in line when their time has come', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(Queue<string>)
      await queue.call.enqueue('later', { key: 'k', delay: 10 })
      await queue.call.enqueue('sooner', { key: 'k' })
      const first = await now(queue)
      expect(data(first)).toEqual(['sooner'])
      await sim.advance(10)
      expect(await now(queue)).toEqual([])
      await queue.call.ack(receipts(first))
      expect(data(await now(queue))).toEqual(['later'])
    })
  })

  it('Q22 go on when one that came back is acknowledged late', async () => {
    await simulate().run(async (sim) => {
      const queue = await keyed('a1 a2', { visibilityTimeout: 100 })
      const first = await now(queue)
      await sim.advance(100)
      await queue.call.ack(receipts(first))
      const second = await now(queue)
      expect(data(second)).toEqual(['a2'])
      await sim.advance(100)
      await queue.call.ack(receipts(second))
      await queue.call.enqueue('a3', { key: 'a' })
      expect(data(await now(queue))).toEqual(['a3'])
      await queue.call.enqueue('a4', { key: 'a' })
      expect(await now(queue)).toEqual([])
    })
  })

  it('Q23 take turns with those of other keys, however many there are', async () => {
    await simulate().run(async () => {
      const queue = await keyed('a1 a2 a3 a4 b1 c1')
      const order: string[] = []
      for (let n = 0; n < 6; n++) {
        const message = only(await queue.call.receive())
        order.push(message.data)
        await queue.call.ack(message.receipt)
      }
      expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'a3', 'a4'])
    })
  })
})

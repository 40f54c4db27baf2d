import { start } from 'sluice'
import { Queue } from 'sluice/queue'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { data, filled, now, only, receipts } from '../support/embedded-queue.ts'

describe('a message', () => {
  it('Q12 becomes a dead letter after its last attempt, with the reason of that', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(1, { maxAttempts: 3 })
      for (const reason of ['first', 'second']) {
        await queue.call.nack(only(await now(queue)).receipt, { reason })
        expect(await queue.call.deadLetters()).toEqual([])
      }
      const message = only(await now(queue))
      expect(message.attempts).toBe(3)
      await queue.call.nack(message.receipt, { reason: new Error('no such address') })
      expect(await now(queue)).toEqual([])
      expect(await queue.call.deadLetters()).toMatchObject([
        { id: 1, data: 1, attempts: 3, reason: new Error('no such address') },
      ])
      expect(await queue.call.stats()).toMatchObject({ ready: 0, dead: 1, totals: { dead: 1, returned: 3 } })
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringMatching(/^message 1 of Queue#\d+ became a dead letter after 3 attempts$/),
      ])
    })
  })

  it('Q12 becomes one too when nobody answers for it', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(1, { maxAttempts: 2, visibilityTimeout: 10 })
      await now(queue)
      await sim.advance(10)
      await now(queue)
      await sim.advance(10)
      expect(await queue.call.deadLetters()).toMatchObject([{ attempts: 2, reason: 'visibility_timeout', age: 20 }])
    })
  })

  it('Q12 is tried for ever when it may be', async () => {
    await simulate().run(async () => {
      const queue = await filled(1, { maxAttempts: Infinity })
      for (let attempt = 1; attempt < 100; attempt++) await queue.call.nack(only(await now(queue)).receipt)
      expect(await now(queue)).toMatchObject([{ attempts: 100 }])
    })
  })

  it('Q13 can be given up at once', async () => {
    await simulate().run(async () => {
      const queue = await filled(2)
      const messages = await now(queue)
      expect(await queue.call.deadLetter(receipts(messages), 'unknown kind')).toEqual([])
      expect(await queue.call.deadLetters(1)).toMatchObject([{ data: 1, attempts: 1, reason: 'unknown kind' }])
      expect(await queue.call.ack(receipts(messages))).toEqual(receipts(messages))
      expect(await queue.call.stats()).toMatchObject({ dead: 2 })
    })
  })
})

describe('dead letters', () => {
  it('Q14 are put into the line again as new messages, some or all', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(3, { maxAttempts: 1 })
      await queue.call.nack(receipts(await now(queue)))
      await sim.advance(500)
      await queue.call.enqueue(4)
      expect(await queue.call.redrive([2, 77])).toBe(1)
      const again = await now(queue)
      expect(again).toMatchObject([
        { data: 4, id: 4 },
        { data: 2, id: 2, attempts: 1, age: 0 },
      ])
      expect(await queue.call.redrive(undefined, { delay: 100 })).toBe(2)
      expect(await queue.call.stats()).toMatchObject({ dead: 0, delayed: 2, inFlight: 2, totals: { redriven: 3 } })
      await sim.advance(100)
      expect(data(await now(queue))).toEqual([1, 3])
    })
  })

  it('Q14 wake up who waits', async () => {
    await simulate().run(async () => {
      const queue = await filled(1, { maxAttempts: 1 })
      await queue.call.nack(receipts(await now(queue)))
      const waiting = queue.call.receive()
      await queue.call.redrive()
      expect(data(await waiting)).toEqual([1])
    })
  })

  it('Q15 are thrown away, some or all', async () => {
    await simulate().run(async () => {
      const queue = await filled(4, { maxAttempts: 1 })
      await queue.call.nack(receipts(await now(queue)))
      expect(await queue.call.discardDeadLetters([1, 3, 9])).toBe(2)
      expect(await queue.call.deadLetters()).toMatchObject([{ data: 2 }, { data: 4 }])
      expect(await queue.call.discardDeadLetters()).toBe(2)
      expect(await queue.call.stats()).toMatchObject({ dead: 0, totals: { discarded: 4, dead: 4 } })
    })
  })

  it('Q22 of a key let the next of it go', async () => {
    await simulate().run(async () => {
      const queue = await start(Queue<string>, { arg: { maxAttempts: 1 } })
      await queue.call.enqueueMany(['a', 'b'].map((text) => ({ data: text, key: 'k' })))
      await queue.call.nack(only(await now(queue)).receipt)
      expect(data(await now(queue))).toEqual(['b'])
    })
  })
})

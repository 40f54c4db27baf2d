import { start } from 'sluice'
import { Queue } from 'sluice/queue'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { data, filled, now, only, receipts } from '../support/embedded-queue.ts'
import { watch } from '../support/queues.ts'
import { range } from '../support/stages.ts'

describe('a message', () => {
  it('Q1 is seen by nobody else while it is in flight, and gone when it is acknowledged', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(Queue<string>)
      expect(await queue.call.enqueue('a', { metadata: { from: 'here' } })).toBe(1)
      await sim.advance(20)
      const message = only(await queue.call.receive())
      expect(message).toMatchObject({ id: 1, data: 'a', attempts: 1, age: 20, metadata: { from: 'here' } })
      expect(await now(queue)).toEqual([])
      expect(await queue.call.ack(message.receipt)).toEqual([])
      await sim.advance(100_000)
      expect(await now(queue)).toEqual([])
      expect(await queue.call.stats()).toMatchObject({ ready: 0, inFlight: 0, dead: 0 })
    })
  })

  it('Q2 comes in its turn, as many at a time as are asked for', async () => {
    await simulate().run(async () => {
      const queue = await filled(10)
      expect(data(await queue.call.receive(4))).toEqual([1, 2, 3, 4])
      expect(data(await queue.call.receive())).toEqual([5])
      expect(data(await queue.call.receive(100))).toEqual(range(6, 10))
    })
  })

  it('Q3 is waited for, without a timer; or as long as the receiver says', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(Queue<string>)
      const received = watch(queue.call.receive(10))
      const short = watch(queue.call.receive(10, { waitTime: 50 }))
      await sim.advance(49)
      expect([received.done, short.done]).toEqual([false, false])
      await sim.advance(1)
      expect(short).toMatchObject({ done: true, value: [] })
      await queue.call.enqueue('a')
      await sim.settle()
      expect(received.value).toMatchObject([{ data: 'a' }])
      expect(await now(queue)).toEqual([])
    })
  })

  it('Q3 comes together with the others of its turn', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(Queue<number>)
      const received = watch(queue.call.receive(100))
      for (const n of range(1, 50)) queue.cast.enqueue(n)
      await sim.settle()
      expect(received.value).toMatchObject(range(1, 50).map((n) => ({ data: n })))
    })
  })

  it('Q4 is delivered again when its visibility timeout is over, as another attempt with another receipt', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(1, { visibilityTimeout: 1000 })
      const first = only(await queue.call.receive())
      const waiting = watch(queue.call.receive())
      await sim.advance(999)
      expect(waiting.done).toBe(false)
      await sim.advance(1)
      const second = only(waiting.value ?? [])
      expect(second).toMatchObject({ id: first.id, attempts: 2, age: 1000 })
      expect(second.receipt).not.toBe(first.receipt)
    })
  })

  it('Q4 has the time that its receiver asked for', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(2)
      await queue.call.receive(1, { visibilityTimeout: 10 })
      await queue.call.receive(1, { visibilityTimeout: 20 })
      await sim.advance(10)
      expect(data(await now(queue))).toEqual([1])
      await sim.advance(10)
      expect(data(await now(queue))).toEqual([2])
    })
  })

  it('Q5 comes back at once when it is given back, or after a delay', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(3)
      const messages = await now(queue)
      expect(await queue.call.nack(receipts(messages.slice(0, 1)))).toEqual([])
      expect(await queue.call.nack(receipts(messages.slice(1)), { delay: 500 })).toEqual([])
      expect(await now(queue)).toMatchObject([{ data: 1, attempts: 2 }])
      expect(await queue.call.stats()).toMatchObject({ delayed: 2, inFlight: 1 })
      await sim.advance(499)
      expect(await now(queue)).toEqual([])
      await sim.advance(1)
      expect(await now(queue)).toMatchObject([
        { data: 2, attempts: 2 },
        { data: 3, attempts: 2 },
      ])
    })
  })

  it('Q5 has lost no attempt when it is given back as not worked on', async () => {
    await simulate().run(async () => {
      const queue = await filled(1, { maxAttempts: 1 })
      for (let round = 0; round < 3; round++) {
        const message = only(await now(queue))
        expect(message.attempts).toBe(1)
        await queue.call.nack(message.receipt, { counted: false })
      }
      expect(await queue.call.stats()).toMatchObject({ ready: 1, dead: 0 })
    })
  })

  it('Q6 with a delay comes when its time has come, whoever came first', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(Queue<string>)
      await queue.call.enqueueMany([{ data: 'c', delay: 300 }, { data: 'b', delay: 200 }, { data: 'a' }])
      const order: string[] = []
      for (let n = 0; n < 3; n++) {
        void queue.call.receive().then((messages) => order.push(`${only(data(messages))} at ${sim.now}`))
      }
      await sim.advance(1000)
      expect(order).toEqual(['a at 0', 'b at 200', 'c at 300'])
    })
  })
})

describe('a receipt', () => {
  it('Q7 that comes late changes nothing when the message was delivered again', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(1, { visibilityTimeout: 100 })
      const first = only(await now(queue))
      await sim.advance(100)
      const second = only(await now(queue))
      expect(await queue.call.ack(first.receipt)).toEqual([first.receipt])
      expect(await queue.call.nack(first.receipt)).toEqual([first.receipt])
      expect(await queue.call.extend([first.receipt], 1000)).toEqual([first.receipt])
      expect(await queue.call.deadLetter(first.receipt)).toEqual([first.receipt])
      expect(await queue.call.stats()).toMatchObject({ ready: 0, inFlight: 1, dead: 0 })
      expect(await queue.call.ack([first.receipt, second.receipt, 12345])).toEqual([first.receipt, 12345])
      expect(await queue.call.ack(second.receipt)).toEqual([second.receipt])
      expect((await queue.call.stats()).totals).toMatchObject({
        delivered: 2,
        acknowledged: 1,
        expired: 1,
        returned: 0,
      })
    })
  })

  it('Q8 still acknowledges a message that came back and was not delivered again, also a dead one', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(3, { visibilityTimeout: 100, maxAttempts: 2 })
      const messages = await now(queue)
      await sim.advance(100)
      expect(await queue.call.stats()).toMatchObject({ ready: 3 })
      expect(await queue.call.ack(receipts(messages.slice(1, 2)))).toEqual([])
      const again = await now(queue)
      expect(data(again)).toEqual([1, 3])
      await sim.advance(100)
      expect(await queue.call.stats()).toMatchObject({ ready: 0, inFlight: 0, dead: 2 })
      expect(await queue.call.ack(receipts(again.slice(0, 1)))).toEqual([])
      expect(await queue.call.deadLetters()).toMatchObject([{ data: 3 }])
      expect(await queue.call.nack(receipts(again))).toEqual(receipts(again))
    })
  })

  it('Q8 can be answered for together with others, in different ways', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(4)
      const [a, b, c, d] = receipts(await now(queue))
      if (!a || !b || !c || !d) throw new Error('four messages')
      const late = await queue.call.settle({
        ack: [a, 7],
        nack: [{ receipt: b, delay: 10 }, { receipt: c }, { receipt: 8 }],
        deadLetter: [{ receipt: d, reason: 'why' }, { receipt: a }],
      })
      expect(late).toEqual([7, 8, a])
      expect(data(await now(queue))).toEqual([3])
      expect(await queue.call.deadLetters()).toMatchObject([{ data: 4, reason: 'why' }])
      await sim.advance(10)
      expect(data(await now(queue))).toEqual([2])
    })
  })

  it('Q9 gives a message more time', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(2, { visibilityTimeout: 100 })
      const messages = await now(queue)
      for (let round = 0; round < 5; round++) {
        await sim.advance(90)
        expect(await queue.call.extend(receipts(messages).slice(0, 1), 100)).toEqual([])
      }
      expect(await now(queue)).toMatchObject([{ data: 2 }])
      await sim.advance(99)
      expect(await now(queue)).toEqual([])
      await sim.advance(1)
      expect(data(await now(queue))).toEqual([1, 2])
    })
  })
})

describe('receivers', () => {
  it('Q10 are served in the order in which they came, each message once', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(Queue<number>)
      const receivers = range(1, 20).map(() => watch(queue.call.receive()))
      await sim.settle()
      for (const n of range(1, 15)) await queue.call.enqueue(n)
      await sim.settle()
      const got = receivers.map(({ value }) => value?.map((message) => message.data))
      expect(got).toEqual([...range(1, 15).map((n) => [n]), ...Array(5).fill(undefined)])
      expect(await queue.call.stats()).toMatchObject({ waitingToReceive: 5, inFlight: 15 })
    })
  })

  it('Q10 share the work: with one message at a time each of them gets its part', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(60)
      const shares = await Promise.all(
        ['a', 'b', 'c'].map(async () => {
          let count = 0
          for (;;) {
            const [message] = await queue.call.receive(1, { waitTime: 0 })
            if (message === undefined) return count
            count++
            await queue.call.ack(message.receipt)
          }
        }),
      )
      expect(shares).toEqual([20, 20, 20])
      expect(sim.now).toBe(0)
    })
  })

  it('Q11 that give up are out of the line: the message goes to the next', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(Queue<string>)
      const controller = new AbortController()
      const first = watch(queue.with({ signal: controller.signal }).call.receive())
      const second = watch(queue.with({ timeout: 100 }).call.receive())
      const third = watch(queue.call.receive())
      await sim.settle()
      controller.abort()
      await sim.advance(100)
      expect(first.error).toMatchObject({ code: 'aborted' })
      expect(second.error).toMatchObject({ code: 'timeout' })
      await queue.call.enqueue('a')
      await sim.settle()
      expect(third.value).toMatchObject([{ data: 'a', attempts: 1 }])
    })
  })

  it('Q11 that gave up before their turn came take nothing, nor does a cast', async () => {
    await simulate().run(async (sim) => {
      class Slow extends Queue<number> {
        async pause() {
          await this.sleep(50)
        }
      }
      const queue = await start(Slow)
      await queue.call.enqueue(1)
      queue.cast.pause()
      await sim.settle()
      const early = watch(queue.with({ timeout: 10 }).call.receive())
      queue.cast.receive()
      await sim.advance(100)
      expect(early.error).toMatchObject({ code: 'timeout' })
      expect(await queue.call.stats()).toMatchObject({ ready: 1, inFlight: 0, waitingToReceive: 0 })
    })
  })
})

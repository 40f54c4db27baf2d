import { start } from 'sluice'
import { Queue } from 'sluice/queue'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { data, filled, now, only, receipts } from '../support/embedded-queue.ts'
import { watch } from '../support/queues.ts'
import { range } from '../support/stages.ts'

describe('a full queue', () => {
  it('Q16 lets callers wait for room, in their order; what is in flight still takes room', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(2, { capacity: 2 })
      const calls = [3, 4, 5].map((n) => watch(queue.call.enqueue(n)))
      await sim.settle()
      const [first] = await now(queue, 1)
      await sim.settle()
      expect(calls.map(({ done }) => done)).toEqual([false, false, false])
      expect(await queue.call.stats()).toMatchObject({ waitingToEnqueue: 3, ready: 1, inFlight: 1 })
      if (first !== undefined) await queue.call.ack(first.receipt)
      await sim.settle()
      expect(calls.map(({ value }) => value)).toEqual([3, undefined, undefined])
      await queue.call.ack(receipts(await now(queue)))
      await sim.settle()
      expect(calls.map(({ value }) => value)).toEqual([3, 4, 5])
      expect(data(await now(queue))).toEqual([4, 5])
    })
  })

  it('Q16 slows down whoever fills it', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(Queue<number>, { arg: { capacity: 10 } })
      let most = 0
      const filling = (async () => {
        for (const n of range(1, 200)) {
          await queue.call.enqueue(n)
          const { ready, inFlight } = await queue.call.stats()
          most = Math.max(most, ready + inFlight)
        }
        await queue.call.close()
      })()
      const got: number[] = []
      while (got.length < 200) {
        const messages = await queue.call.receive(7)
        got.push(...data(messages))
        await sim.advance(5)
        await queue.call.ack(receipts(messages))
      }
      await filling
      expect(got).toEqual(range(1, 200))
      expect(most).toBe(10)
    })
  })

  it('Q17 refuses when it shall, and too many who wait', async () => {
    await simulate().run(async (sim) => {
      const strict = await filled(2, { capacity: 3, overflow: 'reject' })
      const refused = watch(strict.call.enqueueMany([{ data: 3 }, { data: 4 }]))
      await sim.settle()
      expect(refused.error).toMatchObject({ code: 'failed', cause: { code: 'queue_full' } })
      expect(String(refused.error)).toContain('did not take 2 messages: it holds 2 messages of at most 3')
      expect(await strict.call.enqueue(3)).toBe(3)

      const patient = await filled(2, { capacity: 2, maxWaiting: 3 })
      const waiting = watch(patient.call.enqueueMany([{ data: 3 }, { data: 4 }]))
      const tooMany = watch(patient.call.enqueueMany([{ data: 5 }, { data: 6 }]))
      const never = watch(patient.call.enqueueMany(range(1, 3).map((n) => ({ data: n }))))
      await sim.settle()
      expect(waiting.done).toBe(false)
      expect(tooMany.error).toMatchObject({ cause: { code: 'queue_full' } })
      expect(String(never.error)).toContain('they never fit into its capacity of 2')
      await patient.call.ack(receipts(await now(patient)))
      await sim.settle()
      expect(waiting.value).toEqual([3, 4])
    })
  })

  it('Q18 takes several together or none, and nothing of who gave up', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(3, { capacity: 4 })
      const controller = new AbortController()
      const pair = watch(queue.with({ signal: controller.signal }).call.enqueueMany([{ data: 4 }, { data: 5 }]))
      const single = watch(queue.call.enqueue(6))
      await sim.settle()
      expect(await queue.call.stats()).toMatchObject({ ready: 3, waitingToEnqueue: 3 })
      controller.abort()
      await sim.settle()
      expect(pair.error).toMatchObject({ code: 'aborted' })
      expect(single).toMatchObject({ done: true })
      expect(data(await now(queue))).toEqual([1, 2, 3, 6])
    })
  })

  it('Q18 takes what its caller had at the call', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(1, { capacity: 1 })
      const messages = [{ data: 2 }]
      const waiting = watch(queue.call.enqueueMany(messages))
      await sim.settle()
      messages[0] = { data: 3 }
      await queue.call.ack(receipts(await now(queue)))
      await sim.settle()
      expect(waiting.done).toBe(true)
      expect(data(await now(queue))).toEqual([2])
      expect((await queue.call.stats()).totals).toMatchObject({ enqueued: 2 })
    })
  })

  it('Q18 takes nothing of who gave up before the call had its turn', async () => {
    await simulate().run(async (sim) => {
      class Slow extends Queue<number> {
        async pause() {
          await this.sleep(50)
        }
      }
      const queue = await start(Slow)
      queue.cast.pause()
      const early = watch(queue.with({ timeout: 10 }).call.enqueue(4))
      await sim.advance(100)
      expect(early.error).toMatchObject({ code: 'timeout' })
      expect(await queue.call.stats()).toMatchObject({ ready: 0 })
    })
  })

  it('Q19 counts its dead letters, and says so', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(2, { capacity: 2, maxAttempts: 1 })
      await queue.call.nack(receipts(await now(queue)))
      const waiting = watch(queue.call.enqueue(3))
      await sim.settle()
      const another = watch(queue.call.enqueue(4))
      await sim.settle()
      expect([waiting.done, another.done]).toEqual([false, false])
      expect(sim.logs).toHaveLength(3)
      expect(sim.logs.at(-1)?.message).toMatch(/is full, with 2 dead letters among 2 messages: redrive or discard them/)
      await queue.call.discardDeadLetters([1])
      await sim.settle()
      expect(waiting.done).toBe(true)
    })
  })

  it('Q20 keeps nothing of what is done, whatever was tried', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(Queue<number>, { arg: { visibilityTimeout: 10 } })
      for (let round = 0; round < 300; round++) {
        await queue.call.enqueue(round, { key: `key ${round}` })
        const late = only(await now(queue))
        if (round % 3 === 0) await sim.advance(10)
        await queue.call.ack(late.receipt)
      }
      await sim.settle()
      expect(await queue.call.stats()).toMatchObject({ ready: 0, delayed: 0, inFlight: 0, oldestAge: 0 })
      // One timer for all messages and receivers, however many.
      await queue.call.enqueueMany(range(1, 100).map((n) => ({ data: n, delay: n })))
      void queue.call.receive(1, { waitTime: 5 }).catch(() => {})
      void queue.call.receive(1, { waitTime: 6 }).catch(() => {})
      await sim.settle()
      // The other is that of the calls, which have no time limit.
      expect(sim.clock.pending).toBe(2)
    })
  })
})

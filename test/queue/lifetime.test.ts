import { child, start, supervise, whereis } from 'sluice'
import { Queue, type QueueOptions, QueueStore } from 'sluice/queue'
import { channels } from 'sluice/telemetry'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { data, filled, now, only, receipts } from '../support/embedded-queue.ts'
import { watch } from '../support/queues.ts'
import { range } from '../support/stages.ts'

describe('a queue that is closed', () => {
  it('Q24 takes nothing more, but gives out what it has, also what waited for room or comes back', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(1, { capacity: 1 })
      const entering = watch(queue.call.enqueue(2))
      await sim.settle()
      await queue.call.close()
      const refused = watch(queue.call.enqueue(3))
      await sim.settle()
      expect(entering.value).toBe(2)
      expect(refused.error).toMatchObject({ code: 'failed', cause: { code: 'queue_closed' } })
      const messages = await queue.call.receive(5)
      expect(data(messages)).toEqual([1, 2])
      const waiting = watch(queue.call.receive())
      await queue.call.nack(receipts(messages.slice(0, 1)))
      await sim.settle()
      expect(waiting.value).toMatchObject([{ data: 1 }])
      expect(await queue.call.stats()).toMatchObject({ closed: true })
    })
  })

  it('Q24 tells everybody who waits when all is done', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(1)
      const message = only(await queue.call.receive())
      const waiting = [watch(queue.call.receive()), watch(queue.call.receive(1, { waitTime: 1000 }))]
      await queue.call.close()
      await sim.settle()
      expect(waiting.map(({ done }) => done)).toEqual([false, false])
      await queue.call.ack(message.receipt)
      await sim.settle()
      for (const { error } of waiting) expect(error).toMatchObject({ cause: { code: 'queue_closed' } })
      const late = watch(queue.call.receive())
      await sim.settle()
      expect(late.error).toMatchObject({ cause: { code: 'queue_closed' } })
    })
  })

  it('Q25 or not, says when it is idle', async () => {
    await simulate().run(async (sim) => {
      const queue = await start(Queue<string>)
      await queue.call.idle()
      await queue.call.enqueue('a', { delay: 100 })
      const idle = watch(queue.call.idle())
      const givenUp = watch(queue.with({ timeout: 50 }).call.idle())
      await sim.advance(100)
      expect(givenUp.error).toMatchObject({ code: 'timeout' })
      const message = only(await now(queue))
      expect(idle.done).toBe(false)
      await queue.call.deadLetter(message.receipt)
      await sim.settle()
      expect(idle.done).toBe(true)
    })
  })

  it('Q26 or not, tells what it holds and how old that is', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(3, { capacity: 50 })
      await sim.advance(100)
      await queue.call.enqueueMany([{ data: 4, delay: 1000 }, { data: 5 }])
      const [first] = await queue.call.receive(2)
      expect(await queue.call.stats()).toEqual({
        ready: 2,
        delayed: 1,
        inFlight: 2,
        dead: 0,
        capacity: 50,
        oldestAge: 100,
        waitingToReceive: 0,
        waitingToEnqueue: 0,
        closed: false,
        totals: {
          enqueued: 5,
          delivered: 2,
          acknowledged: 0,
          returned: 0,
          expired: 0,
          dead: 0,
          redriven: 0,
          discarded: 0,
        },
      })
      await queue.call.ack(receipts([...(first ? [first] : []), ...(await queue.call.receive(1))]))
      await sim.advance(10)
      expect((await queue.call.stats()).oldestAge).toBe(110)
      await queue.call.ack(receipts(await queue.call.receive(5)))
      await sim.advance(40_000)
      await queue.call.ack(receipts(await now(queue)))
      expect(await queue.call.stats()).toMatchObject({ oldestAge: 0, ready: 0, delayed: 0 })
    })
  })
})

class Fragile extends Queue<number> {
  crash() {
    throw new Error('torn')
  }
}

async function supervised(options: QueueOptions<number>) {
  await supervise({ strategy: 'one_for_one', children: [child(Fragile, { name: Fragile, arg: options })] })
  return () => {
    const queue = whereis(Fragile)
    if (queue === undefined) throw new Error('it does not run')
    return queue
  }
}

describe('a queue that is started again', () => {
  it('Q27 finds everything as it was when it has a store, also what is in flight', async () => {
    await simulate().run(async (sim) => {
      const store = new QueueStore<number>()
      const queue = await supervised({ store, visibilityTimeout: 1000, maxAttempts: 1 })
      await queue().call.enqueueMany(range(1, 5).map((n) => ({ data: n, delay: n === 4 ? 500 : 0 })))
      const [first, second, third] = await queue().call.receive(3)
      if (!first || !second || !third) throw new Error('three messages')
      await queue().call.deadLetter(third.receipt)
      await sim.advance(100)
      const before = await queue().call.stats()
      const old = queue()
      old.cast.crash()
      await sim.settle()
      expect(queue()).not.toBe(old)
      expect(await queue().call.stats()).toEqual(before)
      expect(await queue().call.ack(first.receipt)).toEqual([])
      expect(data(await now(queue()))).toEqual([5])
      const waiting = watch(queue().call.receive())
      await sim.advance(399)
      expect(waiting.done).toBe(false)
      await sim.advance(1)
      expect(waiting.value).toMatchObject([{ data: 4 }])
      await sim.advance(500)
      expect(await queue().call.deadLetters()).toMatchObject([{ data: 3 }, { data: 2 }])
      expect(store.size).toBe(4)
      await queue().call.enqueue(6, { delay: 1000 })
      // The store tells it also when nobody runs.
      await queue().stop()
      expect(store.messages()).toMatchObject([
        { data: 4, state: 'in_flight', attempts: 1 },
        { data: 5, state: 'in_flight', attempts: 1 },
        { data: 6, state: 'delayed', attempts: 0 },
        { data: 3, state: 'dead' },
        { data: 2, state: 'dead', reason: 'visibility_timeout' },
      ])
      expect(store.totals).toMatchObject({ enqueued: 6, delivered: 5, acknowledged: 1, dead: 2 })
      expect(sim.logs.filter(({ message }) => message.includes('lost'))).toEqual([])
    })
  })

  it('Q27 goes on with what its time is over for, though nobody calls', async () => {
    await simulate().run(async (sim) => {
      const queue = await supervised({ store: new QueueStore<number>(), visibilityTimeout: 1000, maxAttempts: 1 })
      await queue().call.enqueue(1)
      await queue().call.receive()
      queue().cast.crash()
      await sim.advance(1000)
      expect(sim.logs.at(-1)?.message).toContain('became a dead letter after 1 attempt')
    })
  })

  it('Q27 is still closed when it was', async () => {
    await simulate().run(async (sim) => {
      const queue = await supervised({ store: new QueueStore<number>() })
      await queue().call.close()
      queue().cast.crash()
      await sim.settle()
      expect(await queue().call.stats()).toMatchObject({ closed: true })
    })
  })

  it('Q28 is empty when it has none, and tells what was lost; receipts of before fit nothing', async () => {
    await simulate().run(async (sim) => {
      const queue = await supervised({})
      const enqueue = () => queue().call.enqueueMany(range(1, 3).map((n) => ({ data: n })))
      await enqueue()
      const old = await now(queue())
      const waiting = watch(queue().call.receive())
      queue().cast.crash()
      await sim.settle()
      expect(waiting.error).toMatchObject({ code: 'exit' })
      expect(sim.logs).toContainEqual({
        level: 'error',
        message: expect.stringMatching(/^Fragile#\d+ ended with 3 messages, which are lost: give it a QueueStore/),
        fields: expect.objectContaining({ messages: 3 }),
      })
      await enqueue()
      await now(queue())
      expect(await queue().call.ack(receipts(old))).toEqual(receipts(old))
      expect(await queue().call.stats()).toMatchObject({ inFlight: 3 })
    })
  })

  it('Q28 needs a store of its own', async () => {
    await simulate().run(async () => {
      const store = new QueueStore<number>()
      const first = await start(Queue<number>, { arg: { store } })
      await expect(start(Queue<number>, { arg: { store } })).rejects.toMatchObject({
        cause: { code: 'store_in_use', message: expect.stringContaining(`cannot use a store that ${first} uses`) },
      })
      await first.stop()
      await (await start(Queue<number>, { arg: { store } })).call.enqueue(1)
    })
  })
})

describe('bad input', () => {
  it.each([
    [{ capacity: 0 }, 'capacity of Queue: expected a whole number >= 1 or Infinity, got 0'],
    [{ overflow: 'drop' }, "overflow of Queue: expected 'wait' or 'reject', got 'drop'"],
    [{ maxWaiting: 1.5 }, 'maxWaiting of Queue: expected a whole number >= 1 or Infinity, got 1.5'],
    [{ overflow: 'reject', maxWaiting: 5 }, "maxWaiting of Queue: expected none, because with overflow 'reject'"],
    [{ visibilityTimeout: -1 }, 'visibilityTimeout of Queue: expected milliseconds > 0, got -1'],
    [{ maxAttempts: 0 }, 'maxAttempts of Queue: expected a whole number >= 1 or Infinity, got 0'],
    [{ store: {} }, 'store of Queue: expected a QueueStore, got an empty object'],
    [{ size: 3 }, 'Queue has no option size: known are capacity, overflow'],
  ])('Q29 of a start is refused: %j', async (options, text) => {
    await simulate().run(async () => {
      await expect(start(Queue<number>, { arg: options as QueueOptions<number> })).rejects.toMatchObject({
        cause: { code: 'bad_options', message: expect.stringContaining(text) },
      })
    })
  })

  it('Q29 of a call fails that call only', async () => {
    await simulate().run(async (sim) => {
      const queue = await filled(1)
      const untyped = queue.call as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
      const refused = async (method: string, ...args: unknown[]): Promise<string> => {
        const call = watch(untyped[method]?.(...args) ?? Promise.resolve())
        await sim.settle()
        expect(call.error).toMatchObject({ code: 'failed', cause: { code: 'bad_options' } })
        return String(call.error)
      }
      expect(await refused('enqueue', 1, { delay: Infinity })).toContain('delay of enqueue of Queue#')
      expect(await refused('enqueue', 1, { key: 7 })).toContain('expected a string, got 7')
      expect(await refused('enqueue', 1, { metadata: 'x' })).toContain('metadata of enqueue of Queue#')
      expect(await refused('enqueue', 1, { after: 3 })).toMatch(
        /^CallError: .*enqueue of Queue#\d+ has no option after: known are delay, key, metadata/,
      )
      expect(await refused('enqueueMany', 'ab')).toContain("expected an array of messages, got 'ab'")
      expect(await refused('enqueueMany', [{ data: 1 }, { dta: 2 }])).toContain('messages[1] of enqueueMany')
      expect(await refused('enqueueMany', [{}])).toContain('expected an object with data')
      expect(await refused('receive', 0)).toContain('max of receive of Queue#')
      expect(await refused('receive', 1, { waitTime: -1 })).toContain('expected milliseconds >= 0 or Infinity, got -1')
      expect(await refused('receive', 1, { visibilityTimeout: 0 })).toContain('expected milliseconds > 0, got 0')
      expect(await refused('ack', 'a')).toContain('the receipts of ack of Queue#')
      expect(await refused('nack', [1], { delay: -1 })).toContain('delay of nack')
      expect(await refused('nack', [1], { counted: 0 })).toContain('expected a boolean, got 0')
      expect(await refused('extend', [1], Number.NaN)).toContain('expected milliseconds > 0, got NaN')
      expect(await refused('settle', { acks: [] })).toContain(
        'has no option acks: did you mean ack? Known are ack, nack, deadLetter',
      )
      expect(await refused('settle', { ack: 5 })).toContain('expected an array of numbers, got 5')
      expect(await refused('settle', { nack: [1] })).toContain('expected an array of objects with a receipt')
      expect(await refused('settle', { nack: [{ receipt: 1, delay: '1' }] })).toContain('nack[0].delay of settle')
      expect(await refused('settle', { deadLetter: [{}] })).toContain('deadLetter of settle of Queue#')
      expect(await refused('redrive', ['1'])).toContain('the ids of redrive')
      expect(await refused('discardDeadLetters', 1)).toContain('the ids of discardDeadLetters')
      expect(await queue.call.stats()).toMatchObject({ ready: 1, inFlight: 0 })
    })
  })
})

describe('telemetry', () => {
  it('Q30 tells each thing that happens, in messages', async () => {
    const told: unknown[] = []
    const names = ['queueEnqueue', 'queueDeliver', 'queueAck', 'queueNack', 'queueExpire', 'queueDeadLetter'] as const
    const listen = (message: unknown, name: string | symbol) => told.push([name, message])
    for (const name of names) channels[name].subscribe(listen)
    try {
      await simulate().run(async (sim) => {
        const queue = await filled(3, { maxAttempts: 2, visibilityTimeout: 10 })
        const id = queue.id
        const [first, second] = await queue.call.receive(3)
        if (!first || !second) throw new Error('messages')
        await queue.call.ack([first.receipt, 1])
        await queue.call.nack(second.receipt, { delay: 5 })
        await sim.advance(10)
        await queue.call.nack(receipts(await now(queue, 1)), { reason: 'no' })
        const common = { id, queue: 'Queue' }
        expect(told).toEqual([
          ['sluice:queue:enqueue', { ...common, messages: 3 }],
          ['sluice:queue:deliver', { ...common, messages: 3 }],
          ['sluice:queue:ack', { ...common, messages: 1, late: 1 }],
          ['sluice:queue:nack', { ...common, messages: 1, delay: 5 }],
          ['sluice:queue:expire', { ...common, messages: 1 }],
          ['sluice:queue:deliver', { ...common, messages: 1 }],
          ['sluice:queue:dead_letter', { ...common, message: 2, attempts: 2, reason: 'no' }],
          ['sluice:queue:nack', { ...common, messages: 1, delay: 0 }],
        ])
      })
    } finally {
      for (const name of names) channels[name].unsubscribe(listen)
    }
  })
})

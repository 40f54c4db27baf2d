import fc from 'fast-check'
import { start } from 'sluice'
import { Queue } from 'sluice/queue'
import { simulate } from 'sluice/testing'
import { expect, it } from 'vitest'
import { type Due, DueHeap, OUTSIDE } from '../../src/queue/due-heap.ts'
import { now, receipts } from '../support/embedded-queue.ts'
import { QueueModel } from '../support/queue-model.ts'
import '../support/seeds.ts'

const key = fc.constantFrom(undefined, undefined, 'a', 'b')
const ms = fc.integer({ min: 1, max: 30 })
/** Which of all receipts there were; late ones too. */
const which = fc.nat({ max: 12 })

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('enqueue' as const), key, delay: fc.constantFrom(0, 0, 7) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('receive' as const), max: fc.integer({ min: 1, max: 4 }), ms }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ack' as const), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('nack' as const), which, delay: fc.constantFrom(0, 5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('extend' as const), which, ms }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deadLetter' as const), which }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('redrive' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms }) },
)

it('Q31 a queue does what the model says: nothing is lost, twice in flight, or out of order', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    await simulate().run(async (sim) => {
      const maxAttempts = 3
      const queue = await start(Queue<number>, { arg: { maxAttempts } })
      const model = new QueueModel(maxAttempts)
      const known: number[] = []
      let enqueued = 0
      const receive = async (max: number, visibilityTimeout: number) => {
        const received = await queue.call.receive(max, { visibilityTimeout, waitTime: 0 })
        expect(model.receive(max, visibilityTimeout, received)).toEqual([])
        known.push(...receipts(received))
      }
      for (const each of steps) {
        const receipt = 'which' in each ? (known.at(-1 - each.which) ?? 0) : 0
        const refused = (good: boolean) => (good ? [] : [receipt])
        switch (each.do) {
          case 'enqueue': {
            enqueued++
            const message = { data: enqueued * 10, key: each.key, delay: each.delay }
            const { data, ...options } = message
            expect(await queue.call.enqueue(data, options)).toBe(enqueued)
            model.enqueue(message)
            break
          }
          case 'receive':
            await receive(each.max, each.ms)
            break
          case 'ack':
            expect(await queue.call.ack(receipt)).toEqual(refused(model.ack(receipt)))
            break
          case 'nack': {
            const late = await queue.call.nack(receipt, { delay: each.delay })
            expect(late).toEqual(refused(model.nack(receipt, each.delay)))
            break
          }
          case 'extend':
            expect(await queue.call.extend(receipt, each.ms)).toEqual(refused(model.extend(receipt, each.ms)))
            break
          case 'deadLetter':
            expect(await queue.call.deadLetter(receipt)).toEqual(refused(model.deadLetter(receipt)))
            break
          case 'redrive':
            // In the order of their deaths; the model follows that of numbers.
            for (const { id } of [...(await queue.call.deadLetters())].sort((a, b) => a.id - b.id)) {
              await queue.call.redrive([id])
            }
            model.redrive()
            break
          case 'advance':
            await sim.advance(each.ms)
            model.advance(each.ms)
            break
        }
        expect(await queue.call.stats()).toMatchObject(model.counts)
      }
      // What is left comes to its end, and all were there.
      for (let rounds = 0; rounds < 500; rounds++) {
        await sim.advance(30)
        model.advance(30)
        const messages = await now(queue)
        expect(model.receive(Infinity, 30_000, messages)).toEqual([])
        expect(await queue.call.ack(receipts(messages))).toEqual([])
        for (const receipt of receipts(messages)) model.ack(receipt)
        const { ready, delayed, inFlight } = await queue.call.stats()
        if (ready + delayed + inFlight === 0) break
      }
      const { totals, dead, oldestAge } = await queue.call.stats()
      expect(totals.acknowledged + dead).toBe(enqueued)
      expect(oldestAge).toBe(0)
    })
  })
  await fc.assert(property, { numRuns: 150 })
})

class Item implements Due {
  due = 0
  order = 0
  place = OUTSIDE
}

it('Q31 what waits for its time comes in the order of time, and of coming in, whatever was taken out', () => {
  const operation = fc.record({ due: fc.nat({ max: 20 }), out: fc.option(fc.nat({ max: 30 })) })
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 100 }), (operations) => {
      const heap = new DueHeap<Item>()
      const inside: Item[] = []
      for (const { due, out } of operations) {
        const item = new Item()
        heap.add(item, due)
        inside.push(item)
        if (out !== null) for (const gone of inside.splice(out, 1)) heap.remove(gone)
      }
      const expected = inside.sort((a, b) => a.due - b.due || a.order - b.order)
      expect(heap.size).toBe(expected.length)
      const taken: Item[] = []
      while (heap.size > 0) {
        const { nextDue } = heap
        expect(heap.takeDue(nextDue - 1)).toBeUndefined()
        const item = heap.takeDue(nextDue)
        if (item !== undefined) taken.push(item)
      }
      expect(taken).toEqual(expected)
      expect(taken.every(({ place }) => place === OUTSIDE)).toBe(true)
    }),
  )
})

import { type CallError, child, fresh, Producer, start, supervise } from 'sluice'
import { SqsError, SqsPublisher, type SqsPublisherOptions, SqsSink } from 'sluice/sqs'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { QUEUE_URL, ScriptedSqs } from '../support/scripted-sqs.ts'
import { settlement } from '../support/settlement.ts'
import { range } from '../support/stages.ts'

const bodies = (from: number, to: number) => range(from, to).map((n) => ({ body: String(n) }))
const sentTo = (queue: ScriptedSqs) => queue.sent.map((entries) => entries.map(({ MessageBody }) => MessageBody))

function publisherTo(queue: ScriptedSqs, options: Partial<SqsPublisherOptions> = {}) {
  const client = () => queue
  return start(SqsPublisher, {
    arg: fresh(() => ({ queueUrl: QUEUE_URL, client, backoffType: 'exp' as const, backoffMin: 100, ...options })),
  })
}

describe('a publisher', () => {
  it('sends ten in a request, and all that a message may have', async () => {
    await simulate().run(async () => {
      const queue = new ScriptedSqs()
      const publisher = await publisherTo(queue)
      await publisher.call.publishMany(bodies(1, 23))
      expect(sentTo(queue).map(({ length }) => length)).toEqual([10, 10, 3])
      await publisher.call.publish({
        body: 'x',
        delay: 1500,
        messageAttributes: { amount: 12.5, shop: 'here', logo: Buffer.from('l') },
        messageGroupId: 'g',
        messageDeduplicationId: 'd',
      })
      expect(queue.sent.at(-1)).toEqual([
        {
          Id: '0',
          MessageBody: 'x',
          DelaySeconds: 2,
          MessageAttributes: {
            amount: { DataType: 'Number', StringValue: '12.5' },
            shop: { DataType: 'String', StringValue: 'here' },
            logo: { DataType: 'Binary', BinaryValue: Buffer.from('l') },
          },
          MessageGroupId: 'g',
          MessageDeduplicationId: 'd',
        },
      ])
      await publisher.stop()
    })
  })

  it('sends no more than a mebibyte in a request', async () => {
    await simulate().run(async () => {
      const queue = new ScriptedSqs()
      const publisher = await publisherTo(queue)
      const body = 'x'.repeat(2 ** 19 - 5)
      await publisher.call.publishMany([
        { body },
        { body },
        { body, messageAttributes: { more: 'than fits' } },
        { body },
      ])
      expect(sentTo(queue).map(({ length }) => length)).toEqual([2, 1, 1])
      await publisher.stop()
    })
  })

  it('tells which messages SQS did not take', async () => {
    await simulate().run(async () => {
      const queue = new ScriptedSqs()
      queue.refused.set('12', { Code: 'InvalidMessageContents', Message: 'no such character', SenderFault: true })
      const publisher = await publisherTo(queue)
      const { error } = await settlement(publisher.call.publishMany(bodies(1, 15)))
      expect((error as CallError).cause).toMatchObject({
        code: 'refused',
        message: 'SQS did not take the message: InvalidMessageContents: no such character',
        failures: [{ index: 11, error: { code: 'refused' } }],
      })
      await publisher.stop()
    })
  })

  it('sends again what nobody knows of, and not what SQS will never take', async () => {
    await simulate().run(async (sim) => {
      const queue = new ScriptedSqs()
      const publisher = await publisherTo(queue)
      queue.failure = new Error('socket hang up')
      const published = publisher.call.publish({ body: '1' })
      await sim.settle()
      queue.failure = undefined
      await sim.advance(100)
      await published
      expect(sentTo(queue)).toEqual([['1'], ['1']])
      queue.failure = Object.assign(new Error('denied'), { name: 'AccessDenied', $fault: 'client' })
      const { error } = await settlement(publisher.call.publish({ body: '2' }))
      expect(error).toMatchObject({ cause: { code: 'refused', message: expect.stringContaining('denied') } })
      queue.failure = Object.assign(new Error('slower'), { name: 'RequestThrottled', $fault: 'client' })
      const throttled = publisher.call.publish({ body: '3' })
      await sim.settle()
      queue.failure = undefined
      await sim.advance(1000)
      await throttled
      await publisher.stop()
    })
  })

  it('sends to a FIFO queue one request after another', async () => {
    await simulate().run(async (sim) => {
      const queue = new ScriptedSqs()
      const publisher = await publisherTo(queue, { queueUrl: `${QUEUE_URL}.fifo` })
      queue.failure = new Error('socket hang up')
      const published = publisher.call.publishMany(bodies(1, 20))
      await sim.settle()
      queue.failure = undefined
      await sim.advance(100)
      await published
      const ten = range(1, 10).map(String)
      expect(sentTo(queue)).toEqual([ten, ten, range(11, 20).map(String)])
      await publisher.stop()
    })
  })

  it('refuses what would wait behind too many', async () => {
    await simulate().run(async (sim) => {
      const queue = new ScriptedSqs()
      const publisher = await publisherTo(queue, { maxWaiting: 5, maxRequests: 1 })
      queue.failure = new Error('socket hang up')
      const first = publisher.call.publishMany(bodies(1, 12))
      await sim.settle()
      const { error } = await settlement(publisher.call.publish({ body: '13' }))
      expect((error as CallError).cause).toBeInstanceOf(SqsError)
      expect(error).toMatchObject({ cause: { code: 'full' } })
      queue.failure = undefined
      await sim.advance(1000)
      await first
      await publisher.stop()
    })
  })
})

class Numbers extends Producer<number> {
  #next = 1
  override handleDemand(demand: number) {
    const numbers = range(this.#next, Math.min(this.#next + demand - 1, 12))
    this.#next += numbers.length
    return numbers
  }
}

it('a sink sends what it gets', async () => {
  await simulate().run(async (sim) => {
    const queue = new ScriptedSqs()
    const publisher = await publisherTo(queue)
    const line = await supervise({
      strategy: 'one_for_all',
      children: [
        child(Numbers, { name: Numbers }),
        child(SqsSink<number>, {
          arg: { publisher, toPublication: (n: number) => ({ body: String(n) }) },
          subscribeTo: [{ to: Numbers, maxDemand: 10, minDemand: 5 }],
        }),
      ],
    })
    await sim.settle()
    expect(sentTo(queue).flat()).toEqual(range(1, 12).map(String))
    await line.stop()
    await publisher.stop()
  })
})

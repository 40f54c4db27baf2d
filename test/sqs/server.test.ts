import { configure, start } from 'sluice'
import { Broadway, type Message } from 'sluice/broadway'
import { type SqsMetadata, SqsPublisher, SqsSource, type SqsSourceOptions } from 'sluice/sqs'
import { channels, type SqsReceiveStart } from 'sluice/telemetry'
import { describe, expect, it } from 'vitest'
import { Arrivals, listen } from '../support/arrivals.ts'
import { FauxQueue, fauxqsForAll } from '../support/fauxqs.ts'
import { LogBook } from '../support/log-book.ts'
import { range } from '../support/stages.ts'

const server = fauxqsForAll()

type Delivered = Message<string, 'default', SqsMetadata>

/** A pipeline over the queue, with the real client. */
function consuming(
  queue: FauxQueue,
  options: Partial<SqsSourceOptions>,
  handleMessage: (message: Delivered) => Delivered | Promise<Delivered>,
) {
  return Broadway.start({
    name: 'real',
    producer: { module: SqsSource, arg: { ...queue.options, waitTimeSeconds: 1, ...options } },
    processors: { default: { concurrency: 2, maxDemand: 10, handleMessage } },
  })
}

async function send(queue: FauxQueue, bodies: readonly string[], messageGroupId?: string): Promise<void> {
  const publisher = await start(SqsPublisher, { arg: queue.options })
  const fifo = (body: string) =>
    messageGroupId === undefined ? {} : { messageGroupId, messageDeduplicationId: `${messageGroupId} ${body}` }
  await publisher.call.publishMany(bodies.map((body) => ({ body, ...fifo(body) })))
  await publisher.stop({ drain: true })
}

// Some tests fail messages and cut connections on purpose.
configure({ logger: new LogBook() })

describe('a source of a real server', () => {
  it('B176 gets a message again that it left alone, when the visibility timeout is over', async () => {
    await using queue = await FauxQueue.create(server())
    const seen = new Arrivals<number>()
    await send(queue, ['once', 'more'])
    const pipeline = await consuming(queue, { visibilityTimeout: 1000 }, (message) => {
      if (message.data !== 'more') return message
      seen.add(message.metadata.receiveCount)
      return message.metadata.receiveCount === 1 ? message.failed('not yet') : message
    })
    await queue.empties()
    await pipeline.stop()
    expect(seen.all).toEqual([1, 2])
  })

  it('B176 loses to the dead-letter queue what failed too often', async () => {
    await using dead = await FauxQueue.create(server())
    const policy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 })
    await using queue = await FauxQueue.create(server(), { RedrivePolicy: policy })
    await send(queue, ['spam', 'fine'])
    const pipeline = await consuming(
      queue,
      { onFailure: 'retry', waitTimeSeconds: 0, receiveInterval: 10 },
      (message) => (message.data === 'spam' ? message.failed('again') : message),
    )
    await queue.empties()
    await pipeline.stop()
    expect(dead.bodies).toEqual(['spam'])
  })

  it('B176 waits at the server for a message, and gets it before the time is over', async () => {
    await using queue = await FauxQueue.create(server())
    const asked = listen<SqsReceiveStart>(channels.sqsReceiveStart)
    const seen = new Arrivals<string>()
    const pipeline = await consuming(queue, { waitTimeSeconds: 20 }, (message) => {
      seen.add(message.data)
      return message
    })
    await asked.reach(1)
    await send(queue, ['awake'])
    expect(await seen.reach(1)).toEqual(['awake'])
    await queue.empties()
    await pipeline.stop()
  })

  it('B176 does not wait for its request to come back when it is stopped', async () => {
    await using queue = await FauxQueue.create(server())
    const asked = listen<SqsReceiveStart>(channels.sqsReceiveStart)
    const answered = listen(channels.sqsReceiveStop)
    const pipeline = await consuming(queue, { waitTimeSeconds: 20 }, (message) => message)
    await asked.reach(1)
    await pipeline.stop()
    expect(answered.all).toEqual([])
  })

  it('B176 keeps the order of each group of a FIFO queue, also when messages fail', async () => {
    await using queue = await FauxQueue.create(server(), { FifoQueue: 'true' })
    const numbers = range(1, 12).map(String)
    for (const group of ['a', 'b', 'c']) await send(queue, numbers, group)
    const seen = new Map<string, string[]>()
    const pipeline = await Broadway.start({
      name: 'real',
      producer: {
        module: SqsSource,
        // One message of a group at a time, so that SQS keeps the others back until it is answered for.
        arg: { ...queue.options, waitTimeSeconds: 1, maxNumberOfMessages: 1, onFailure: 'retry' },
        concurrency: 3,
      },
      processors: {
        default: {
          concurrency: 3,
          partitionBy: (message: Delivered) => message.metadata.messageGroupId?.charCodeAt(0) ?? 0,
          handleMessage: (message) => {
            const { messageGroupId = '', receiveCount } = message.metadata
            if (Number(message.data) % 5 === 0 && receiveCount === 1) return message.failed('not yet')
            seen.set(messageGroupId, [...(seen.get(messageGroupId) ?? []), message.data])
            return message
          },
        },
      },
    })
    await queue.empties()
    await pipeline.stop()
    expect(Object.fromEntries(seen)).toEqual({ a: numbers, b: numbers, c: numbers })
  })

  it('keeps a message that takes longer than the visibility timeout', async () => {
    // Milliseconds: half of it is more than a busy machine keeps a program waiting.
    const LEASE = 6000
    await using queue = await FauxQueue.create(server())
    await send(queue, ['long'])
    const kept = new Arrivals<number>()
    let times = 0
    const pipeline = await consuming(queue, { visibilityTimeout: LEASE }, async (message) => {
      times++
      // The server says how long it keeps it: twice that is longer than without a heartbeat.
      const before = queue.deadline
      while (queue.deadline <= before + LEASE) await new Promise((resolve) => setTimeout(resolve, 20))
      kept.add(queue.deadline - before)
      return message
    })
    await kept.reach(1)
    await queue.empties()
    await pipeline.stop()
    expect(times).toBe(1)
  })
})

import { Broadway, type Message } from 'sluice/broadway'
import { type SqsMetadata, SqsSource } from 'sluice/sqs'
import {
  channels,
  type SqsAck,
  type SqsReceiveFailure,
  type SqsReceiveStart,
  type SqsReceiveStop,
} from 'sluice/telemetry'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Gate, inSimulation } from '../support/broadway.ts'
import { pipelineOver, QUEUE_URL, ScriptedSqs } from '../support/scripted-sqs.ts'
import { range } from '../support/stages.ts'

const asked = (queue: ScriptedSqs) => queue.received.map(({ MaxNumberOfMessages }) => MaxNumberOfMessages)
const receipts = (...numbers: readonly number[]) => numbers.map((n) => `r${n}`)

describe('a source', () => {
  it('B173 receives what is asked for, and asks an empty queue again after the interval', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.fill(20)
      const told: unknown[] = []
      const onStart = ({ demand }: SqsReceiveStart) => void told.push(['start', demand])
      const onStop = ({ demand, messages }: SqsReceiveStop) => void told.push(['stop', demand, messages])
      channels.sqsReceiveStart.subscribe(onStart)
      channels.sqsReceiveStop.subscribe(onStop)
      onTestFinished(() => {
        channels.sqsReceiveStart.unsubscribe(onStart)
        channels.sqsReceiveStop.unsubscribe(onStop)
      })
      const seen: string[] = []
      const pipeline = await pipelineOver(queue, {}, (message) => {
        seen.push(message.data)
        return message
      })
      await sim.settle()
      expect(seen).toEqual(range(1, 20).map(String))
      expect(asked(queue)).toEqual([10, 5, 5, 5])
      await sim.advance(250)
      expect(asked(queue)).toEqual([10, 5, 5, 5, 10, 10])
      expect(told.slice(0, 4)).toEqual([
        ['start', 10],
        ['stop', 10, 10],
        ['start', 5],
        ['stop', 5, 5],
      ])
      await pipeline.stop()
      await sim.advance(1000)
      expect(asked(queue)).toHaveLength(6)
      expect(queue.deleted.flat()).toEqual(receipts(...range(1, 20)))
      expect(sim.logs).toEqual([])
    })
  })

  it('tells what SQS knows of a message, and what its sender said', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      const seen: SqsMetadata[] = []
      queue.put('1', {
        Attributes: {
          ApproximateReceiveCount: '3',
          MessageGroupId: 'g',
          SentTimestamp: '1700000000000',
          SenderId: 'joe',
          AWSTraceHeader: 'Root=1',
        },
        MessageAttributes: {
          amount: { DataType: 'Number', StringValue: '12.50' },
          logo: { DataType: 'Binary.png', BinaryValue: Buffer.from('x') },
        },
      })
      queue.put('2')
      const pipeline = await pipelineOver(queue, { attributeNames: ['sentTimestamp', 'awsTraceHeader'] }, (message) => {
        seen.push(message.metadata)
        return message
      })
      await sim.settle()
      await pipeline.stop()
      expect(seen).toEqual([
        {
          messageId: 'm1',
          receiptHandle: 'r1',
          md5OfBody: 'md5',
          receiveCount: 3,
          messageGroupId: 'g',
          attributes: { sentTimestamp: 1_700_000_000_000, awsTraceHeader: 'Root=1' },
          messageAttributes: {
            amount: { dataType: 'Number', value: '12.50' },
            logo: { dataType: 'Binary.png', value: Buffer.from('x') },
          },
        },
        {
          messageId: 'm2',
          receiptHandle: 'r2',
          md5OfBody: 'md5',
          receiveCount: 1,
          messageGroupId: undefined,
          attributes: {},
          messageAttributes: {},
        },
      ])
    })
  })

  it('B175 logs a request that failed and goes on, later each time', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.receiveFailures.push(new Error('no such host'), new Error('no such host'), new Error('throttled'))
      const failures: SqsReceiveFailure[] = []
      const listen = (failure: SqsReceiveFailure) => void failures.push(failure)
      channels.sqsReceiveFailure.subscribe(listen)
      onTestFinished(() => void channels.sqsReceiveFailure.unsubscribe(listen))
      const pipeline = await pipelineOver(queue, { backoffType: 'exp', backoffMin: 100, receiveInterval: 10_000 })
      await sim.settle()
      queue.fill(1)
      await sim.advance(699)
      expect(asked(queue)).toHaveLength(3)
      await sim.advance(1)
      expect(queue.deleted).toEqual([['r1']])
      expect(failures.map(({ message, retryIn }) => [message, retryIn])).toEqual([
        ['no such host', 100],
        ['no such host', 200],
        ['throttled', 400],
      ])
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringContaining(`cannot receive from ${QUEUE_URL}: no such host; it tries again in 100 ms`),
        expect.stringContaining('in 200 ms'),
        expect.stringContaining(`cannot receive from ${QUEUE_URL}: throttled; it tries again in 400 ms`),
      ])
      await pipeline.stop()
    })
  })

  it('B175 tries no more when it is told so', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.receiveFailures.push(new Error('denied'))
      const pipeline = await pipelineOver(queue, { backoffType: 'stop' })
      await sim.advance(100_000)
      expect(asked(queue)).toHaveLength(1)
      expect(sim.logs.map(({ message }) => message)).toEqual([expect.stringContaining('it does not try again')])
      await pipeline.stop()
    })
  })

  it('B176 aborts a request that waits for messages when it is drained', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.waits = true
      const pipeline = await pipelineOver(queue, { waitTimeSeconds: 20 })
      await sim.settle()
      const stopped = pipeline.stop()
      await sim.advance(100, { foreign: true })
      await stopped
      expect(queue.aborted).toBe(1)
      expect(sim.logs).toEqual([])
    })
  })

  it('B176 lets others have at once what comes while it is drained', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.waits = true
      const pipeline = await pipelineOver(queue, { waitTimeSeconds: 20 })
      await sim.settle()
      const stopped = pipeline.stop()
      await sim.advance(99, { foreign: true })
      queue.fill(2)
      queue.answer()
      await stopped
      expect(queue.visibilities).toEqual([['r1 0', 'r2 0']])
    })
  })

  it('B176 lets others have at once what comes when it was drained', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.waits = true
      queue.late = () => queue.fill(2)
      const seen: string[] = []
      const pipeline = await pipelineOver(queue, { waitTimeSeconds: 20 }, (message) => {
        seen.push(message.data)
        return message
      })
      await sim.settle()
      const stopped = pipeline.stop()
      await sim.advance(100, { foreign: true })
      await stopped
      expect(seen).toEqual([])
      expect(queue.visibilities).toEqual([['r1 0', 'r2 0']])
    })
  })

  it('keeps messages from being received by others until they are answered for', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.fill(12)
      const gate = new Gate()
      const pipeline = await pipelineOver(
        queue,
        { visibilityTimeout: 60_000 },
        async (message) => {
          await gate.opened
          return message
        },
        20,
      )
      await sim.settle()
      await sim.advance(59_999, { foreign: true })
      const all = range(1, 12).map((n) => `r${n} 60`)
      expect(queue.visibilities.slice(0, 2)).toEqual([all.slice(0, 10), all.slice(10)])
      gate.open()
      await sim.settle()
      const kept = queue.visibilities.length
      await sim.advance(120_000)
      expect(queue.visibilities).toHaveLength(kept)
      expect(queue.deleted.flat()).toHaveLength(12)
      await pipeline.stop()
    })
  })

  it('says that it could not keep a message, and keeps the others', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.fill(2)
      queue.refused.set('r1', { Code: 'ReceiptHandleIsInvalid', SenderFault: true })
      const gate = new Gate()
      const pipeline = await pipelineOver(queue, { visibilityTimeout: 10_000, onSuccess: 'noop' }, async (message) => {
        await gate.opened
        return message
      })
      await sim.settle()
      await sim.advance(15_000, { foreign: true })
      expect(queue.visibilities[0]).toEqual(['r1 10', 'r2 10'])
      expect(queue.visibilities.slice(1).flat()).not.toContain('r1 10')
      expect(queue.visibilities.slice(1).flat()).toContain('r2 10')
      expect(sim.logs.map(({ message }) => message)).toEqual([expect.stringContaining('1 messages of')])
      gate.open()
      await pipeline.stop()
    })
  })

  it('does without a heartbeat when it is told so', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.fill(1)
      const gate = new Gate()
      const pipeline = await pipelineOver(queue, { heartbeat: false }, async (message) => {
        await gate.opened
        return message
      })
      await sim.advance(100_000, { foreign: true })
      expect(queue.visibilities).toEqual([])
      gate.open()
      await pipeline.stop()
    })
  })
})

describe('the answers of a source', () => {
  it('B174 delete ten at once', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.fill(20)
      const told: SqsAck[] = []
      const listen = (ack: SqsAck) => void told.push(ack)
      channels.sqsAck.subscribe(listen)
      onTestFinished(() => void channels.sqsAck.unsubscribe(listen))
      const pipeline = await Broadway.start({
        name: 'orders',
        producer: { module: SqsSource, arg: { queueUrl: QUEUE_URL, client: () => queue, receiveInterval: 100 } },
        processors: { default: { concurrency: 1, handleMessage: (message) => message } },
        batchers: { default: { batchSize: 10, batchTimeout: 50, handleBatch: (messages) => messages } },
      })
      await sim.settle()
      expect(queue.deleted).toEqual([receipts(...range(1, 10)), receipts(...range(11, 20))])
      expect(told).toMatchObject([
        { answer: 'ack', messages: 10, failed: 0 },
        { answer: 'ack', messages: 10, failed: 0 },
      ])
      await pipeline.stop()
    })
  })

  it('B174 are those of the options, or of the message', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.fill(6)
      const fail = (message: Message<string, 'default', SqsMetadata>) => message.failed('wrong')
      const pipeline = await pipelineOver(queue, { onSuccess: 'noop', onFailure: 'ack' }, (message) => {
        if (message.data === '1') return fail(message)
        if (message.data === '2') return message
        if (message.data === '3') return message.configureAck({ onSuccess: 'ack' })
        if (message.data === '4') return fail(message.configureAck({ onFailure: 'noop' }))
        if (message.data === '5') return fail(message.configureAck({ onFailure: 'retry' }))
        return fail(message.configureAck({ onFailure: { retryAfter: 1500 } }))
      })
      await sim.settle()
      expect(queue.deleted.flat().toSorted()).toEqual(['r1', 'r3'])
      expect(queue.visibilities.flat().toSorted()).toEqual(['r5 0', 'r6 2'])
      await pipeline.stop()
    })
  })

  it('B174 are by default: what failed is left alone, what was handled is deleted', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.fill(2)
      const pipeline = await pipelineOver(queue, {}, (message) =>
        message.data === '1' ? message.failed('wrong') : message,
      )
      await sim.settle()
      await pipeline.stop()
      expect(queue.deleted).toEqual([['r2']])
      expect(queue.visibilities).toEqual([])
    })
  })

  it('B174 may be chosen by a function of the message', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.put('1', { Attributes: { ApproximateReceiveCount: '3' } })
      const pipeline = await pipelineOver(
        queue,
        { onFailure: ({ metadata }) => ({ retryAfter: 1000 * 2 ** metadata.receiveCount }) },
        (message) => message.failed('wrong'),
      )
      await sim.settle()
      await pipeline.stop()
      expect(queue.visibilities).toEqual([['r1 8']])
    })
  })

  it('B174 of one message are checked', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.fill(1)
      const errors: unknown[] = []
      const pipeline = await pipelineOver(queue, {}, (message) => {
        try {
          return message.configureAck({ onFailure: 'drop' })
        } catch (error) {
          errors.push(error)
          return message
        }
      })
      await sim.settle()
      await pipeline.stop()
      expect(errors).toMatchObject([{ code: 'bad_options', message: expect.stringContaining("got 'drop'") }])
    })
  })

  it('B175 that do not reach SQS are logged, and the pipeline lives', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.fill(2)
      queue.failure = new Error('socket hang up')
      const pipeline = await pipelineOver(queue)
      await sim.settle()
      expect(
        JSON.stringify(sim.logs.map(({ fields, message }) => [String(Reflect.get(fields, 'err')), message])),
      ).toContain('could not be answered for, and are received again: socket hang up')
      queue.failure = undefined
      queue.fill(1, 3)
      await sim.advance(200)
      expect(queue.deleted.at(-1)).toEqual(['r3'])
      await pipeline.stop()
    })
  })

  it('are all tried when some requests fail, and those that SQS refuses are told one by one', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.fill(3)
      queue.refused.set('r2', { Code: 'ReceiptHandleIsInvalid', Message: 'it has expired', SenderFault: true })
      const told: SqsAck[] = []
      const listen = (ack: SqsAck) => void told.push(ack)
      channels.sqsAck.subscribe(listen)
      onTestFinished(() => void channels.sqsAck.unsubscribe(listen))
      const pipeline = await pipelineOver(queue)
      await sim.settle()
      expect(told).toMatchObject([{ answer: 'ack', messages: 3, failed: 1 }])
      const logged = sim.logs.map(({ fields }) => Reflect.get(fields, 'err'))
      expect(logged).toMatchObject([{ code: 'ack_failed', message: expect.stringContaining('1 messages of') }])
      expect(String(logged[0])).toContain('ReceiptHandleIsInvalid: it has expired')
      await pipeline.stop()
    })
  })

  it('that the service could not carry out are counted and logged', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.fill(3)
      queue.refused.set('r2', { Code: 'InternalError', SenderFault: false })
      const pipeline = await pipelineOver(queue)
      await sim.settle()
      expect(sim.logs.map(({ level, message }) => [level, message])).toEqual([
        [
          'warn',
          expect.stringMatching(/1 messages of .* could not be answered for, and are received again: InternalError/),
        ],
      ])
      await pipeline.stop()
    })
  })

  it('may be for the same message twice in one request, by different receipts', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      queue.put('1')
      queue.put('1', { ReceiptHandle: 'again' })
      const pipeline = await pipelineOver(queue)
      await sim.settle()
      expect(queue.deleted).toEqual([['r1', 'again']])
      expect(sim.logs).toEqual([])
      await pipeline.stop()
    })
  })
})

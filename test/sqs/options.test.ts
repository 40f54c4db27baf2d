import { cpSync } from 'node:fs'
import { SqsPublisher, type SqsPublisherOptions, SqsSink, SqsSource, type SqsSourceOptions } from 'sluice/sqs'
import { describe, expect, it } from 'vitest'
import { inSimulation } from '../support/broadway.ts'
import { runProgram } from '../support/program.ts'
import { pipelineOver, QUEUE_URL, ScriptedSqs } from '../support/scripted-sqs.ts'
import { settlement } from '../support/settlement.ts'
import { tempFolder } from '../support/temp-folder.ts'

const URL_OF_QUEUE = 'the URL of a queue, as https://sqs.<region>.amazonaws.com/<account>/<queue>'
const make = (options: object) => () => new SqsSource({ queueUrl: QUEUE_URL, ...options } as SqsSourceOptions)

describe('the options of a source', () => {
  it.each([
    [{ queueUrl: undefined }, `queueUrl of SqsSource: expected ${URL_OF_QUEUE}, got nothing`],
    [{ queueUrl: '' }, `queueUrl of SqsSource: expected ${URL_OF_QUEUE}, got ''`],
    [{ queueUrl: 'orders' }, `queueUrl of SqsSource: expected ${URL_OF_QUEUE}, got 'orders'`],
    [
      { concurrency: 2 },
      'SqsSource has no option concurrency: it belongs to a pipeline: producer: { module, arg, concurrency }',
    ],
    [{ queueUrl: 1 }, 'queueUrl of SqsSource: expected a string, got 1'],
    [{ queueName: 'orders' }, 'SqsSource has no option queueName: give the whole URL of the queue as queueUrl'],
    [{ queue: 'orders' }, 'SqsSource has no option queue: '],
    [{ config: 's3cret' }, 'config of SqsSource: expected an object of settings of the client, got a string'],
    [{ maxNumberOfMessages: 0 }, 'maxNumberOfMessages of SqsSource: expected a whole number from 1 to 10, got 0'],
    [{ maxNumberOfMessages: 11 }, 'maxNumberOfMessages of SqsSource: expected a whole number from 1 to 10, got 11'],
    [{ waitTimeSeconds: -1 }, 'waitTimeSeconds of SqsSource: expected a whole number from 0 to 20, got -1'],
    [{ waitTimeSeconds: 21 }, 'waitTimeSeconds of SqsSource: expected a whole number from 0 to 20, got 21'],
    [{ receiveInterval: -1 }, 'receiveInterval of SqsSource: expected milliseconds >= 0, got -1'],
    [
      { visibilityTimeout: 30 },
      'visibilityTimeout of SqsSource: expected milliseconds that are whole seconds, from 0 to 43200000, got 30',
    ],
    [{ visibilityTimeout: 43_201_000 }, 'visibilityTimeout of SqsSource: expected milliseconds that are whole seconds'],
    [{ visibilityTimeout: -1000 }, 'visibilityTimeout of SqsSource: expected milliseconds that are whole seconds'],
    [{ heartbeat: 1 }, 'heartbeat of SqsSource: expected a boolean, got 1'],
    [{ maxExtension: 0 }, 'maxExtension of SqsSource: expected milliseconds > 0, got 0'],
    [{ attributeNames: ['sender_id'] }, "attributeNames of SqsSource: expected names such as 'senderId'"],
    [{ attributeNames: 'some' }, "attributeNames of SqsSource: expected an array of names of attributes, or 'all'"],
    [
      { messageAttributeNames: [''] },
      "messageAttributeNames of SqsSource: expected strings that are not empty, got ''",
    ],
    [{ messageAttributeNames: 'some' }, 'messageAttributeNames of SqsSource: expected an array of names'],
    [{ onSuccess: 'delete' }, "onSuccess of SqsSource: expected 'ack', 'noop', 'retry' or { retryAfter"],
    [{ onFailure: { retryAfter: 43_200_001 } }, 'onFailure of SqsSource'],
    [{ onFailure: { retryAfter: -1 } }, 'onFailure of SqsSource'],
    [{ backoffType: 'linear' }, "backoffType of SqsSource: expected 'rand_exp', 'exp', 'rand' or 'stop'"],
    [{ client: {} }, 'client of SqsSource: expected a function that gives a client'],
  ])('B172 %j is refused', (options, sentence) => {
    expect(make(options)).toThrow(
      expect.objectContaining({ code: 'bad_options', message: expect.stringContaining(sentence) }),
    )
    expect(make(options)).not.toThrow('s3cret')
  })

  it.each([
    [{ maxNumberOfMessages: 1, waitTimeSeconds: 0, visibilityTimeout: 0 }],
    [{ maxNumberOfMessages: 10, waitTimeSeconds: 20, visibilityTimeout: 43_200_000 }],
    [{ attributeNames: 'all', messageAttributeNames: 'all' }],
    [{ attributeNames: ['senderId', 'awsTraceHeader'], messageAttributeNames: ['trace', 'shop.*'] }],
    [{ onSuccess: 'noop', onFailure: { retryAfter: 43_200_000 } }],
  ])('B172 %j is taken', (options) => {
    expect(make(options)).not.toThrow()
  })

  it('name queues of servers that speak as SQS does, also where their hosts are none of URLs', () => {
    for (const host of ['127.0.0.1:4566', 'sqs.us-east-1.127.0.0.1:4566']) {
      expect(make({ queueUrl: `http://${host}/000000000000/orders` })).not.toThrow()
    }
  })

  it('B172 are refused before the pipeline starts', async () => {
    await inSimulation(async () => {
      const { error } = await settlement(pipelineOver(new ScriptedSqs(), { maxNumberOfMessages: 11 }))
      expect(String(error)).toContain('maxNumberOfMessages')
    })
  })

  it('B172 go to SQS as it wants them', async () => {
    await inSimulation(async (sim) => {
      const queue = new ScriptedSqs()
      const plain = await pipelineOver(queue, { waitTimeSeconds: 3, heartbeat: false })
      await sim.settle()
      await plain.stop()
      const detailed = await pipelineOver(queue, {
        maxNumberOfMessages: 3,
        visibilityTimeout: 60_000,
        attributeNames: ['senderId', 'awsTraceHeader'],
        messageAttributeNames: ['shop.*'],
      })
      await sim.settle()
      await detailed.stop()
      const all = await pipelineOver(queue, { attributeNames: 'all', messageAttributeNames: 'all' })
      await sim.settle()
      await all.stop()
      const common = { QueueUrl: QUEUE_URL, MaxNumberOfMessages: 10, WaitTimeSeconds: 0 }
      const always = ['ApproximateReceiveCount', 'MessageGroupId']
      expect(queue.received).toEqual([
        { ...common, WaitTimeSeconds: 3, MessageSystemAttributeNames: always, MessageAttributeNames: [] },
        {
          ...common,
          MaxNumberOfMessages: 3,
          VisibilityTimeout: 60,
          MessageSystemAttributeNames: [...always, 'SenderId', 'AWSTraceHeader'],
          MessageAttributeNames: ['shop.*'],
        },
        { ...common, VisibilityTimeout: 30, MessageSystemAttributeNames: ['All'], MessageAttributeNames: ['All'] },
      ])
    })
  })
})

describe('the options of a publisher and of a sink', () => {
  it.each([
    [{ queueUrl: '' }, 'queueUrl of SqsPublisher: expected the URL of a queue'],
    [{ maxRequests: 0 }, 'maxRequests of SqsPublisher: expected a whole number >= 1, got 0'],
    [{ maxWaiting: -1 }, 'maxWaiting of SqsPublisher: expected a whole number >= 0, got -1'],
    [{ queue: 'q' }, 'SqsPublisher has no option queue'],
  ])('%j is refused', (options, sentence) => {
    const construct = () => new SqsPublisher({ queueUrl: QUEUE_URL, ...options } as SqsPublisherOptions)
    expect(construct).toThrow(
      expect.objectContaining({ code: 'bad_options', message: expect.stringContaining(sentence) }),
    )
  })

  it('a sink needs a publisher and a function', () => {
    expect(() => new SqsSink({ toPublication: () => ({ body: '' }) } as never)).toThrow(
      'publisher of SqsSink: expected the ref or the name of a SqsPublisher, got nothing',
    )
    expect(() => new SqsSink({ publisher: SqsPublisher } as never)).toThrow('toPublication of SqsSink')
  })
})

it('says what to install where the client is missing', async () => {
  const folder = tempFolder()('src')
  cpSync('src', folder, { recursive: true })
  cpSync('package.json', `${folder}/../package.json`)
  const { stdout } = await runProgram('without-client-sqs', folder)
  expect(stdout).toBe(
    'missing_package: sluice/sqs talks to the server with the package @aws-sdk/client-sqs, which cannot be loaded: npm install @aws-sdk/client-sqs\n',
  )
})

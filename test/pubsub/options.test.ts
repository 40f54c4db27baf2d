import { cpSync } from 'node:fs'
import {
  PubSubPublisher,
  type PubSubPublisherOptions,
  PubSubSource,
  type PubSubSourceOptions,
  restClient,
} from 'sluice/pubsub'
import { describe, expect, it } from 'vitest'
import { inSimulation } from '../support/broadway.ts'
import { runProgram } from '../support/program.ts'
import { pipelineOver, ScriptedPubSub, SUBSCRIPTION } from '../support/scripted-pubsub.ts'
import { settlement } from '../support/settlement.ts'
import { tempFolder } from '../support/temp-folder.ts'

const make = (options: object) => () =>
  new PubSubSource({ subscription: SUBSCRIPTION, ...options } as PubSubSourceOptions)

describe('the options of a source', () => {
  it.each([
    [{ subscription: undefined }, 'subscription of PubSubSource: expected a name as projects/<project>/subscriptions/'],
    [{ subscription: 'orders' }, 'subscription of PubSubSource: expected a name as projects/'],
    [{ subscription: 'projects/shop/topics/orders' }, 'subscription of PubSubSource: expected a name as projects/'],
    [{ config: 's3cret' }, 'config of PubSubSource: expected an object of settings of the client, got a string'],
    [{ mode: 'push' }, "mode of PubSubSource: expected 'pull' or 'streaming', got 'push'"],
    [{ maxNumberOfMessages: 0 }, 'maxNumberOfMessages of PubSubSource: expected a whole number >= 1, got 0'],
    [{ maxNumberOfMessages: 1001 }, 'maxNumberOfMessages of PubSubSource: expected a whole number from 1 to 1000'],
    [{ maxOutstandingMessages: 0 }, 'maxOutstandingMessages of PubSubSource: expected a whole number >= 1, got 0'],
    [{ receiveInterval: -1 }, 'receiveInterval of PubSubSource: expected milliseconds >= 0, got -1'],
    [{ receiveTimeout: 0 }, 'receiveTimeout of PubSubSource: expected milliseconds > 0, got 0'],
    [{ ackDeadline: 30 }, 'ackDeadline of PubSubSource: expected milliseconds that are whole seconds, from 10000 to'],
    [{ ackDeadline: 601_000 }, 'ackDeadline of PubSubSource'],
    [{ onSuccess: 'delete' }, "onSuccess of PubSubSource: expected 'ack', 'noop', 'nack' or { retryAfter"],
    [{ onFailure: { retryAfter: 600_001 } }, 'onFailure of PubSubSource'],
    [{ onFailure: { retryAfter: -1 } }, 'onFailure of PubSubSource'],
    [{ onFailure: { nack: 10 } }, 'onFailure of PubSubSource'],
    [{ retryCodes: 502 }, 'retryCodes of PubSubSource: expected an array of statuses of HTTP, got 502'],
    [{ maxRetries: -1 }, 'maxRetries of PubSubSource: expected a whole number >= 0, got -1'],
    [{ client: {} }, 'client of PubSubSource: expected a function that gives a client'],
    [{ topic: 'orders' }, 'PubSubSource has no option topic'],
  ])('B177 %j is refused', (options, sentence) => {
    expect(make(options)).toThrow(
      expect.objectContaining({ code: 'bad_options', message: expect.stringContaining(sentence) }),
    )
    expect(make(options)).not.toThrow('s3cret')
  })

  it.each([
    [{ onSuccess: 'noop', onFailure: 'nack' }],
    [{ onFailure: { retryAfter: 0 } }],
    [{ onFailure: { retryAfter: 600_000 }, receiveTimeout: Infinity, ackDeadline: 600_000 }],
    [{ mode: 'streaming', maxOutstandingMessages: 1, retryCodes: [503] }],
  ])('B177 %j is taken', (options) => {
    expect(make(options)).not.toThrow()
  })

  it('B177 streams need a client that has them', async () => {
    await inSimulation(async () => {
      const { error } = await settlement(pipelineOver(restClient(), { mode: 'streaming' }))
      expect(String(error)).toContain("mode of PubSubSource: expected 'pull', since the client has no streams")
    })
  })

  it('are refused before the pipeline starts', async () => {
    await inSimulation(async () => {
      const { error } = await settlement(pipelineOver(new ScriptedPubSub(), { ackDeadline: 1 }))
      expect(String(error)).toContain('ackDeadline')
    })
  })
})

it.each([
  [{ topic: 'mails' }, 'topic of PubSubPublisher: expected a name as projects/<project>/topics/<topic>'],
  [{ maxRequests: 0 }, 'maxRequests of PubSubPublisher: expected a whole number >= 1, got 0'],
  [{ subscription: 'q' }, 'PubSubPublisher has no option subscription'],
])('%j is refused by a publisher', (options, sentence) => {
  const construct = () =>
    new PubSubPublisher({ topic: 'projects/shop/topics/mails', ...options } as PubSubPublisherOptions)
  expect(construct).toThrow(
    expect.objectContaining({ code: 'bad_options', message: expect.stringContaining(sentence) }),
  )
})

it('says what to install where the client is missing', async () => {
  const folder = tempFolder()('src')
  cpSync('src', folder, { recursive: true })
  cpSync('package.json', `${folder}/../package.json`)
  const { stdout } = await runProgram('without-google-pubsub', folder)
  expect(stdout).toBe(
    'missing_package: sluice/pubsub talks to the server with the package @google-cloud/pubsub, which cannot be loaded: npm install @google-cloud/pubsub\n',
  )
})

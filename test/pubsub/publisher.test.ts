import { type CallError, fresh, start } from 'sluice'
import { PubSubPublisher, type PubSubPublisherOptions, restClient } from 'sluice/pubsub'
import { simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { createTopic } from '../support/pubsub-emulator.ts'
import { PubSubRestServer } from '../support/pubsub-rest-server.ts'
import { ScriptedPubSub, status } from '../support/scripted-pubsub.ts'
import { settlement } from '../support/settlement.ts'
import { range } from '../support/stages.ts'

const sentTo = (client: ScriptedPubSub) =>
  client.published.map((messages) => messages.map(({ data }) => Buffer.from(data).toString()))

function publisherTo(client: ScriptedPubSub, options: Partial<PubSubPublisherOptions> = {}) {
  const topic = 'projects/shop/topics/mails'
  const common = { topic, client: () => client, backoffType: 'exp' as const, backoffMin: 100 }
  return start(PubSubPublisher, { arg: fresh(() => ({ ...common, ...options })) })
}

describe('a publisher', () => {
  it('sends what waits in one request, and messages of one key in one of their own, in order', async () => {
    await simulate().run(async () => {
      const client = new ScriptedPubSub()
      const publisher = await publisherTo(client)
      await publisher.call.publishMany(range(1, 1200).map((n) => ({ data: String(n) })))
      expect(sentTo(client).map(({ length }) => length)).toEqual([1000, 200])
      const keyed = ['a1', 'b1', 'a2', 'b2'].map((data) => ({ data, orderingKey: data.slice(0, 1) }))
      await publisher.call.publishMany([...keyed, { attributes: { kind: 'ping' } }])
      expect(sentTo(client).slice(2)).toEqual([['a1', 'a2'], ['b1', 'b2'], ['']])
      expect(client.published.at(-1)).toMatchObject([{ attributes: { kind: 'ping' }, orderingKey: '' }])
      await publisher.stop()
    })
  })

  it('sends again what nobody knows of, and tells what the service will never take', async () => {
    await simulate().run(async (sim) => {
      const client = new ScriptedPubSub()
      const publisher = await publisherTo(client)
      client.failures.push(status(503))
      const published = publisher.call.publish({ data: '1' })
      await sim.settle()
      await sim.advance(100)
      await published
      expect(sentTo(client)).toEqual([['1'], ['1']])
      client.failures.push(status(404))
      const { error } = await settlement(
        publisher.call.publishMany([
          { data: '2', orderingKey: 'a' },
          { data: '3', orderingKey: 'b' },
        ]),
      )
      expect((error as CallError).cause).toMatchObject({
        code: 'refused',
        message: 'the service did not take the message: status 404',
        failures: [{ index: 0, error: { code: 'refused' } }],
      })
      await publisher.stop()
    })
  })

  it('finds the messages that the service does not take, and publishes all others, in order', async () => {
    await simulate().run(async () => {
      const client = new ScriptedPubSub()
      const publisher = await publisherTo(client)
      for (const bad of ['2', '7', 'b2']) client.refused.add(bad)
      // The others wait until this one is there, and go together.
      const first = publisher.call.publish({ data: '0' })
      const refused = settlement(
        publisher.call.publishMany([
          ...range(1, 8).map((n) => ({ data: String(n) })),
          ...['a1', 'b1', 'a2', 'b2', 'b3'].map((data) => ({ data, orderingKey: data.slice(0, 1) })),
        ]),
      )
      const innocent = publisher.call.publish({ data: '9' })
      await Promise.all([first, innocent])
      const { error } = await refused
      expect((error as CallError).cause).toMatchObject({
        code: 'refused',
        failures: [1, 6, 11].map((index) => ({ index, error: { code: 'refused' } })),
      })
      const taken = sentTo(client).filter((texts) => !texts.some((text) => client.refused.has(text)))
      expect(taken.flat().filter((text) => !/[ab]/.test(text))).toEqual(['0', '1', '3', '4', '5', '6', '8', '9'])
      expect(taken.flat().filter((text) => text.startsWith('a'))).toEqual(['a1', 'a2'])
      expect(taken.flat().filter((text) => text.startsWith('b'))).toEqual(['b1', 'b3'])
      // Where no topic is, there is none for halves either.
      client.failures.push(status(404))
      const before = client.published.length
      await settlement(publisher.call.publishMany([{ data: '1' }, { data: '3' }]))
      expect(client.published.length).toBe(before + 1)
      await publisher.stop()
    })
  })

  it('refuses what would wait behind too many', async () => {
    await simulate().run(async (sim) => {
      const client = new ScriptedPubSub()
      const publisher = await publisherTo(client, { maxWaiting: 1 })
      client.failures.push(status(503))
      const first = publisher.call.publish({ data: '1' })
      await sim.settle()
      const { error } = await settlement(publisher.call.publish({ data: '2' }))
      expect(error).toMatchObject({ cause: { code: 'full' } })
      await sim.advance(100)
      await first
      await publisher.stop()
    })
  })
})

describe('the client over REST', () => {
  it('B179 publishes, pulls, answers, and gives nothing as nothing', async () => {
    await using server = await PubSubRestServer.start()
    const { topic, subscription } = await createTopic(server.url)
    const client = restClient({ baseUrl: server.url, token: () => 's3cret' })
    const { signal } = new AbortController()
    expect(await client.pull(subscription, 10, signal)).toEqual([])
    await client.publish(topic, [{ data: Buffer.from('ä'), attributes: { a: 'b' }, orderingKey: 'k' }], signal)
    const [message] = await client.pull(subscription, 10, signal)
    expect(message).toMatchObject({
      data: Buffer.from('ä'),
      attributes: { a: 'b' },
      orderingKey: 'k',
      deliveryAttempt: null,
    })
    expect(message?.publishTime).toBeInstanceOf(Date)
    const ackId = message?.ackId ?? ''
    await client.modifyAckDeadline(subscription, [ackId], 0)
    const [again] = await client.pull(subscription, 10, signal)
    await client.acknowledge(subscription, [again?.ackId ?? ''])
    expect(server.counts(subscription)).toEqual({ waiting: 0, lent: 0 })
    expect(server.tokens).toContain('Bearer s3cret')
  })

  it('B179 tells what the service said, and no token', async () => {
    await using server = await PubSubRestServer.start()
    const client = restClient({ baseUrl: server.url, token: async () => 's3cret' })
    server.failures.push(403)
    const failure = await settlement(client.acknowledge('projects/p/subscriptions/s', ['a']))
    expect(failure.error).toMatchObject({
      code: 'request_failed',
      status: 403,
      message: 'projects/p/subscriptions/s:acknowledge was answered with 403: failure 403',
    })
    expect(JSON.stringify(failure.error)).not.toContain('s3cret')
  })
})

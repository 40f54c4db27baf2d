import { type CallError, child, fresh, start, supervise, whereis } from 'sluice'
import { PubSubError, PubSubPublisher, PubSubSink } from 'sluice/pubsub'
import { describe, expect, it } from 'vitest'
import { inSimulation } from '../support/broadway.ts'
import { ScriptedPubSub, status } from '../support/scripted-pubsub.ts'
import { Counter, range } from '../support/stages.ts'

const textsOf = (client: ScriptedPubSub) =>
  client.published.map((messages) => messages.map(({ data }) => Buffer.from(data).toString()))

const toPublication = (n: number) => ({ data: String(n), attributes: { kind: 'number' } })

const argOf = (client: ScriptedPubSub) =>
  fresh(() => ({
    topic: 'projects/shop/topics/mails',
    client: () => client,
    backoffType: 'exp' as const,
    backoffMin: 100,
  }))

describe('a sink', () => {
  it('publishes what it gets, and asks for more when the service has that', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      const publisher = await start(PubSubPublisher, { arg: argOf(client) })
      const demands: unknown[] = []
      const note = (...entry: readonly unknown[]) => void demands.push(entry[1])
      client.failures.push(status(503), status(503))
      const line = await supervise({
        strategy: 'one_for_all',
        children: [
          child(Counter, { name: Counter, arg: fresh(() => ({ until: 12, note })) }),
          child(PubSubSink<number>, {
            arg: { publisher, toPublication },
            subscribeTo: [{ to: Counter, maxDemand: 10, minDemand: 0 }],
          }),
        ],
      })
      await sim.settle()
      await sim.advance(100)
      expect(demands).toEqual([10])
      await sim.advance(200)
      expect(demands).toEqual([10, 10])
      const ten = range(0, 9).map(String)
      expect(textsOf(client)).toEqual([ten, ten, ten, ['10', '11']])
      expect(client.published[0]?.[0]).toMatchObject({ attributes: { kind: 'number' }, orderingKey: '' })
      await line.stop()
      await publisher.stop()
    })
  })

  it('ends when the service refuses a message; the others are published, and its successor goes on', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      client.refused.add('6')
      const line = await supervise({
        strategy: 'one_for_one',
        children: [
          child(PubSubPublisher, { name: PubSubPublisher, arg: argOf(client) }),
          child(Counter, { name: Counter, arg: fresh(() => ({ until: 12 })) }),
          child(PubSubSink<number>, {
            name: PubSubSink<number>,
            arg: { publisher: PubSubPublisher, toPublication },
            subscribeTo: [{ to: Counter, maxDemand: 4, minDemand: 0 }],
          }),
        ],
      })
      const first = whereis(PubSubSink)
      await sim.settle()
      const error = (await first?.done) as CallError
      expect(error.cause).toBeInstanceOf(PubSubError)
      expect(error.cause).toMatchObject({
        code: 'refused',
        message: expect.stringContaining('the service did not take the message: status 400'),
        failures: [{ index: 2, error: { code: 'refused' } }],
      })
      const taken = textsOf(client).filter((texts) => !texts.includes('6'))
      expect(taken.flat()).toEqual(
        range(0, 11)
          .map(String)
          .filter((text) => text !== '6'),
      )
      await line.stop()
    })
  })

  it('needs a publisher and a function', () => {
    expect(() => new PubSubSink({ toPublication } as never)).toThrow(
      'publisher of PubSubSink: expected the ref or the name of a PubSubPublisher, got nothing',
    )
    expect(() => new PubSubSink({ publisher: PubSubPublisher } as never)).toThrow('toPublication of PubSubSink')
    expect(() => new PubSubSink({ publisher: PubSubPublisher, toPublication, topic: 't' } as never)).toThrow(
      'PubSubSink has no option topic',
    )
  })
})

import { IterableProducer, start } from 'sluice'
import { KafkaPublisher, KafkaRequestError, KafkaSink } from 'sluice/kafka'
import { describe, expect, it } from 'vitest'
import { Gate, inSimulation } from '../support/broadway.ts'
import { ScriptedKafka } from '../support/scripted-kafka.ts'
import { settlement } from '../support/settlement.ts'

const SOON = { backoffType: 'exp', backoffMin: 10, backoffMax: 100 } as const

async function publisherTo(cluster: ScriptedKafka, options: object = {}) {
  cluster.topic('t', 2)
  const arg = { hosts: 'localhost:9092', topic: 't', client: cluster.client, ...SOON, ...options }
  return start(KafkaPublisher, { arg })
}

describe('a publisher', () => {
  it('replies when the cluster has the message, with its key, headers, partition and timestamp', async () => {
    await inSimulation(async () => {
      const cluster = new ScriptedKafka()
      const publisher = await publisherTo(cluster)
      await publisher.call.publish({
        value: 'hello',
        key: 'k',
        partition: 1,
        timestamp: 5,
        headers: { one: 'a', two: [Buffer.from('b'), 'c'] },
      })
      expect(cluster.records('t', 1)).toEqual([
        {
          offset: 0,
          value: Buffer.from('hello'),
          key: Buffer.from('k'),
          timestamp: 5,
          headers: { one: Buffer.from('a'), two: [Buffer.from('b'), Buffer.from('c')] },
        },
      ])
      await publisher.call.publish({ topic: 't', value: null, key: 'gone', partition: 0 })
      expect(cluster.records('t', 0)[0]?.value).toBeUndefined()
      await publisher.stop({ drain: true })
      expect(cluster.connections).toBe(0)
    })
  })

  it('sends what waits in one request', async () => {
    await inSimulation(async (sim) => {
      const cluster = new ScriptedKafka()
      const gate = new Gate()
      cluster.gates.set('produce', gate.opened)
      const publisher = await publisherTo(cluster)
      await sim.settle()
      const calls = ['a', 'b', 'c', 'd'].map((value) => publisher.call.publish({ value, partition: 0 }))
      await sim.settle()
      gate.open()
      await Promise.all(calls)
      expect(cluster.askedFor('produce').map(([, ...what]) => what)).toEqual([['t/0:a'], ['t/0:b', 't/0:c', 't/0:d']])
      await publisher.stop({ drain: true })
    })
  })

  it('waits for a cluster that is not there, and sends again what nobody knows of, in order', async () => {
    await inSimulation(async (sim) => {
      const cluster = new ScriptedKafka()
      cluster.isDown = true
      const publisher = await publisherTo(cluster)
      const first = publisher.call.publishMany([{ value: 'a' }, { value: 'b' }])
      await sim.advance(30)
      cluster.isDown = false
      cluster.failures.set('produce', [new KafkaRequestError(0, 'socket hang up')])
      await sim.advance(100)
      await first
      await publisher.call.publish({ value: 'c' })
      expect(cluster.records('t', 0).map(({ value }) => String(value))).toEqual(['a', 'b', 'c'])
      expect(cluster.askedFor('produce').length).toBe(3)
      await publisher.stop({ drain: true })
    })
  })

  it('tells which of several the cluster refuses, and which cannot be published at all', async () => {
    await inSimulation(async (sim) => {
      const cluster = new ScriptedKafka()
      const tooLarge = new KafkaRequestError(10, 'message too large')
      const publisher = await publisherTo(cluster, { topic: undefined })
      cluster.failures.set('produce', [tooLarge, tooLarge])
      const { error } = await settlement(
        publisher.call.publishMany([{ topic: 't', value: 'large' }, { topic: 't', value: 'small' }, { value: 'lost' }]),
      )
      expect(error).toMatchObject({
        cause: {
          code: 'refused',
          failures: [
            { index: 0, error: { code: 'refused', message: 'the cluster refused the message: message too large' } },
            { index: 2, error: { code: 'bad_publication', message: expect.stringContaining('expected a topic') } },
          ],
        },
      })
      expect(cluster.records('t', 0).length).toBe(1)
      expect(sim.logs).toEqual([])
      await publisher.stop({ drain: true })
    })
  })

  it('has one that is too large refused alone, the others in order, and sends again what nobody knows of', async () => {
    await inSimulation(async (sim) => {
      const cluster = new ScriptedKafka()
      cluster.maxMessageBytes = 5
      const publisher = await publisherTo(cluster)
      const values = ['a', 'b', 'too large', 'c', 'd', 'e']
      const publishing = settlement(publisher.call.publishMany(values.map((value) => ({ value }))))
      await publishing.then(({ error }) =>
        expect(error).toMatchObject({ cause: { failures: [{ index: 2, error: { code: 'refused' } }] } }),
      )
      expect(cluster.records('t', 0).map(({ value }) => String(value))).toEqual(['a', 'b', 'c', 'd', 'e'])

      // The first request is refused, and nobody answers one of those that it is taken apart into.
      cluster.failures.set('produce', [
        new KafkaRequestError(10, 'message too large'),
        new KafkaRequestError(0, 'socket hang up'),
      ])
      const again = publisher.call.publishMany([{ value: 'f' }, { value: 'g' }])
      await sim.advance(100)
      await again
      expect(
        cluster
          .records('t', 0)
          .map(({ value }) => String(value))
          .slice(-2),
      ).toEqual(['f', 'g'])
      await publisher.stop({ drain: true })
    })
  })

  it.each([
    [{ value: 7 }, 'expected value to be a Buffer, a Uint8Array or a string, got number'],
    [{ value: 'v', partition: -1 }, 'expected partition to be a whole number >= 0, got -1'],
    [{ value: 'v', timestamp: 1.5 }, 'expected timestamp to be milliseconds since 1970, got 1.5'],
    [{ value: 'v', headers: { a: 1 } }, 'expected header a to be a Buffer, a Uint8Array or a string, got number'],
  ])('refuses %j', async (publication, sentence) => {
    await inSimulation(async () => {
      const publisher = await publisherTo(new ScriptedKafka())
      const { error } = await settlement(publisher.call.publish(publication as never))
      expect(error).toMatchObject({ cause: { code: 'bad_publication', message: expect.stringContaining(sentence) } })
      await publisher.stop()
    })
  })

  it('is bounded', async () => {
    await inSimulation(async (sim) => {
      const cluster = new ScriptedKafka()
      cluster.isDown = true
      const publisher = await publisherTo(cluster, { maxWaiting: 2, maxBatch: 1 })
      await sim.settle()
      const calls = [1, 2, 3].map(() => publisher.call.publish({ value: 'v' }))
      await sim.settle()
      const { error } = await settlement(publisher.call.publish({ value: 'v' }))
      expect(error).toMatchObject({ cause: { code: 'full' } })
      cluster.isDown = false
      await sim.advance(100)
      await Promise.all(calls)
      await publisher.stop({ drain: true })
    })
  })

  it('is the end of a line of stages', async () => {
    await inSimulation(async (sim) => {
      const cluster = new ScriptedKafka()
      const publisher = await publisherTo(cluster)
      const source = await start(IterableProducer<number>, { arg: { source: () => [1, 2, 3] } })
      const toPublication = (n: number) => ({ value: String(n), partition: 0 })
      const sink = await start(KafkaSink<number>, { arg: { publisher, toPublication }, subscribeTo: [{ to: source }] })
      await sim.settle()
      expect(cluster.askedFor('produce').flatMap(([, ...what]) => what)).toEqual(['t/0:1', 't/0:2', 't/0:3'])
      expect(await sink.done).toBe('normal')
      await publisher.stop()
    })
  })
})

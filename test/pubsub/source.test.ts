import { Broadway } from 'sluice/broadway'
import { type PubSubMetadata, PubSubSource } from 'sluice/pubsub'
import { channels, type PubSubPullStart, type PubSubPullStop } from 'sluice/telemetry'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Gate, inSimulation } from '../support/broadway.ts'
import { pipelineOver, ScriptedPubSub, SUBSCRIPTION, status } from '../support/scripted-pubsub.ts'
import { range } from '../support/stages.ts'

const ids = (...numbers: readonly number[]) => numbers.map((n) => `a${n}`)

describe('a source that pulls', () => {
  it('asks for what is asked for, and asks again after the interval', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      client.fill(20)
      const told: unknown[] = []
      const onStart = ({ demand }: PubSubPullStart) => void told.push(['start', demand])
      const onStop = ({ demand, messages }: PubSubPullStop) => void told.push(['stop', demand, messages])
      channels.pubsubPullStart.subscribe(onStart)
      channels.pubsubPullStop.subscribe(onStop)
      onTestFinished(() => {
        channels.pubsubPullStart.unsubscribe(onStart)
        channels.pubsubPullStop.unsubscribe(onStop)
      })
      const seen: string[] = []
      const pipeline = await pipelineOver(client, {}, (message) => {
        seen.push(String(message.data))
        return message
      })
      await sim.settle()
      expect(seen).toEqual(range(1, 20).map(String))
      expect(client.pulled).toEqual([10, 5, 5, 5])
      expect(told.slice(0, 2)).toEqual([
        ['start', 10],
        ['stop', 10, 10],
      ])
      await sim.advance(250)
      expect(client.pulled).toEqual([10, 5, 5, 5, 10, 10])
      await pipeline.stop()
      await sim.advance(1000)
      expect(client.pulled).toHaveLength(6)
      expect(client.acknowledged.flat()).toEqual(ids(...range(1, 20)))
      expect(sim.logs).toEqual([])
    })
  })

  it('B179 makes a request again that may go better, and gives a message without data as null', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      client.pullFailures.push(status(502), status(502), status(502))
      client.put({ data: null, attributes: { kind: 'ping' }, deliveryAttempt: 3, orderingKey: 'k' })
      const seen: [unknown, PubSubMetadata][] = []
      const pipeline = await pipelineOver(client, { maxRetries: 3 }, (message) => {
        seen.push([message.data, message.metadata])
        return message
      })
      await sim.advance(1500)
      expect(seen).toEqual([
        [
          null,
          { messageId: 'm0', attributes: { kind: 'ping' }, orderingKey: 'k', deliveryAttempt: 3, publishTime: null },
        ],
      ])
      await pipeline.stop()
      expect(sim.logs.filter(({ level }) => level !== 'debug')).toEqual([])
    })
  })

  it('B179 logs a request that is refused, and asks again later', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      client.pullFailures.push(status(403))
      client.fill(1)
      const pipeline = await pipelineOver(client)
      await sim.settle()
      expect(client.pulled).toHaveLength(1)
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringContaining(`cannot receive from ${SUBSCRIPTION}: status 403; it tries again in 1000 ms`),
      ])
      await sim.advance(1000)
      expect(client.acknowledged).toEqual([['a1']])
      await pipeline.stop()
    })
  })

  it('B179 knows the codes of gRPC, and a lost connection', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      const unavailable = Object.assign(new Error('14 UNAVAILABLE'), { code: 14 })
      const denied = Object.assign(new Error('7 PERMISSION_DENIED'), { code: 7 })
      client.pullFailures.push(unavailable, new TypeError('fetch failed'), denied)
      const pipeline = await pipelineOver(client)
      await sim.advance(999)
      expect(client.pulled).toHaveLength(2)
      await sim.advance(1)
      expect(sim.logs.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
        expect.stringContaining(`cannot receive from ${SUBSCRIPTION}: 7 PERMISSION_DENIED; it tries`),
      ])
      await pipeline.stop()
    })
  })

  it('B180 aborts a pull that waits when it is drained', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      client.waits = true
      const pipeline = await pipelineOver(client)
      await sim.settle()
      const stopped = pipeline.stop()
      await sim.advance(100, { foreign: true })
      await stopped
      expect(client.aborted).toBe(1)
      expect(sim.logs).toEqual([])
    })
  })

  it('B180 gives back what comes late', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      client.waits = true
      const pipeline = await pipelineOver(client)
      await sim.settle()
      const stopped = pipeline.stop()
      await sim.advance(99, { foreign: true })
      client.fill(2)
      client.answer()
      await stopped
      expect(client.modified).toEqual([[ids(1, 2), 0]])
      expect(client.acknowledged).toEqual([])
    })
  })

  it('makes a pull anew that has had no answer for too long', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      client.waits = true
      const pipeline = await pipelineOver(client, { receiveTimeout: 5000 })
      await sim.settle()
      await sim.advance(5100)
      expect(client.pulled).toEqual([10, 10])
      expect(sim.logs).toEqual([])
      const stopped = pipeline.stop()
      await sim.advance(100, { foreign: true })
      await stopped
    })
  })

  it('keeps messages from being delivered to others until they are answered for', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      client.fill(3)
      const gate = new Gate()
      const pipeline = await pipelineOver(client, { ackDeadline: 60_000 }, async (message) => {
        await gate.opened
        return message
      })
      await sim.settle()
      await sim.advance(9999, { foreign: true })
      expect(client.modified.length).toBeGreaterThan(0)
      expect(client.modified[0]).toEqual([ids(1, 2, 3), 60])
      gate.open()
      await sim.settle()
      const kept = client.modified.length
      await sim.advance(60_000)
      expect(client.modified).toHaveLength(kept)
      await pipeline.stop()
    })
  })
})

describe('the answers of a source', () => {
  it('B178 go in requests of 2500 at most', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      client.fill(10_000)
      const pipeline = await Broadway.start({
        name: 'orders',
        producer: {
          module: PubSubSource,
          arg: { subscription: SUBSCRIPTION, maxNumberOfMessages: 1000, client: () => client, onFailure: 'nack' },
        },
        processors: { default: { concurrency: 1, maxDemand: 20_000, handleMessage: (message) => message } },
        batchers: {
          default: {
            batchSize: 10_000,
            batchTimeout: 100_000,
            handleBatch: (messages) =>
              messages.map((message) => (Number(message.data) > 3500 ? message.failed('no') : message)),
          },
        },
      })
      await sim.settle()
      expect(client.acknowledged.map(({ length }) => length)).toEqual([2500, 1000])
      expect(client.modified.map(([given, seconds]) => [given.length, seconds])).toEqual([
        [2500, 0],
        [2500, 0],
        [1500, 0],
      ])
      await pipeline.stop()
    })
  })

  it('B178 are those of the options, or of the message, which leaves the other one alone', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      client.fill(6)
      const pipeline = await pipelineOver(client, { onSuccess: 'noop', onFailure: 'ack' }, (message) => {
        const n = Number(message.data)
        if (n === 1) return message.failed('wrong')
        if (n === 2) return message
        if (n === 3) return message.configureAck({ onSuccess: 'ack' })
        if (n === 4) return message.configureAck({ onFailure: 'nack' }).failed('wrong')
        if (n === 5) return message.configureAck({ onFailure: { retryAfter: 1500 } }).failed('wrong')
        return message.configureAck({ onSuccess: 'nack' }).failed('wrong')
      })
      await sim.settle()
      expect(client.acknowledged.flat().toSorted()).toEqual(ids(1, 3, 6))
      expect(client.modified.toSorted(([, a], [, b]) => a - b)).toEqual([
        [['a4'], 0],
        [['a5'], 2],
      ])
      await pipeline.stop()
    })
  })

  it('B179 are tried again, and what fails for good is logged', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      client.fill(1)
      client.failures.push(status(503), status(403))
      const pipeline = await pipelineOver(client)
      await sim.settle()
      await sim.advance(500, { foreign: true })
      expect(client.acknowledged).toEqual([['a1'], ['a1']])
      const errors = sim.logs.filter(({ level }) => level === 'error').map(({ fields }) => Reflect.get(fields, 'err'))
      expect(errors).toMatchObject([
        { code: 'ack_failed', message: expect.stringContaining('delivered again: status 403') },
      ])
      client.fill(1, 2)
      await sim.advance(100)
      expect(client.acknowledged.at(-1)).toEqual(['a2'])
      await pipeline.stop()
    })
  })
})

describe('a source that has its messages streamed', () => {
  const streaming = { mode: 'streaming', maxOutstandingMessages: 50, ackDeadline: 20_000 } as const

  it('hands out no more than was asked for, and reads no more meanwhile', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      const gate = new Gate()
      const seen: string[] = []
      const pipeline = await pipelineOver(client, streaming, async (message) => {
        seen.push(String(message.data))
        if (seen.length === 1) await gate.opened
        return message
      })
      await sim.settle()
      const [stream] = client.streams
      expect(stream?.request).toEqual({
        subscription: SUBSCRIPTION,
        maxOutstandingMessages: 50,
        ackDeadlineSeconds: 20,
      })
      stream?.send(25)
      expect(stream?.told.at(-1)).toBe('pause')
      await sim.advance(10_000, { foreign: true })
      // Those that wait are kept as well.
      expect(client.modified[0]).toEqual([ids(...range(1, 25)), 20])
      gate.open()
      await sim.settle()
      expect(stream?.told.at(-1)).toBe('resume')
      expect(seen).toEqual(range(1, 25).map(String))
      expect(client.acknowledged.flat()).toHaveLength(25)
      await pipeline.stop()
      expect(client.streams).toHaveLength(1)
    })
  })

  it('opens the next stream when one ends, and says that it is there', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      const pipeline = await pipelineOver(client, streaming)
      await sim.settle()
      client.streams[0]?.send(1)
      client.streams[0]?.fail(Object.assign(new Error('14 UNAVAILABLE'), { code: 14 }))
      await sim.advance(999)
      expect(client.streams).toHaveLength(1)
      await sim.advance(1)
      client.streams[1]?.send(1, 2)
      await sim.settle()
      expect(client.acknowledged).toEqual([['a1'], ['a2']])
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringContaining(`cannot receive from ${SUBSCRIPTION}: 14 UNAVAILABLE; it tries again in 1000 ms`),
      ])
      await sim.advance(30_000)
      expect(client.streams[1]?.told).toContain('ping')
      await pipeline.stop()
    })
  })

  it('B180 gives back what waits and what comes when it is drained', async () => {
    await inSimulation(async (sim) => {
      const client = new ScriptedPubSub()
      const pipeline = await pipelineOver(client, streaming, undefined, 2)
      await sim.settle()
      const [stream] = client.streams
      if (stream === undefined) throw new Error('there is no stream')
      stream.deaf = true
      stream.send(5)
      const stopped = pipeline.stop()
      await sim.advance(50, { foreign: true })
      stream.send(1, 6)
      await sim.advance(50, { foreign: true })
      await stopped
      const acknowledged = client.acknowledged.flat()
      const returned = client.modified.flatMap(([given]) => given)
      expect(returned).toContain('a6')
      expect([...acknowledged, ...returned].toSorted()).toEqual(ids(...range(1, 6)))
      expect(stream.told.slice(-2)).toEqual(['end', 'cancel'])
    })
  })
})

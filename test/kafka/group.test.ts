import type { PipelineStage } from 'sluice/broadway'
import { KafkaRequestError } from 'sluice/kafka'
import { channels, type KafkaPartition, type KafkaRevoked } from 'sluice/telemetry'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Gate, inSimulation } from '../support/broadway.ts'
import { pipelineOver, placeOf, type Read, sourceOf } from '../support/kafka-pipeline.ts'
import { ScriptedKafka } from '../support/scripted-kafka.ts'

function clusterWith(...counts: readonly number[]): ScriptedKafka {
  const cluster = new ScriptedKafka()
  cluster.topic('t', counts.length)
  for (const [partition, count] of counts.entries()) cluster.append('t', partition, count)
  return cluster
}

/** A handler whose messages wait from some offset on until it is opened. */
function slowFrom(offset: number) {
  const gate = new Gate()
  const seen: string[] = []
  const handle = async (message: Read) => {
    seen.push(placeOf(message))
    if (message.metadata.offset >= offset) await gate.opened
    return message
  }
  return { gate, seen, handle }
}

const HEARTBEAT = 5000
const foreign = { foreign: true }

describe('a rebalance', () => {
  it('B168 waits until what is under way is done; meanwhile nothing is read or committed; then goes on behind it', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(30)
      const { gate, seen, handle } = slowFrom(4)
      const pipeline = await pipelineOver(cluster, handle)
      await sim.settle()
      expect(seen.length).toBe(5)
      cluster.rebalance()
      await sim.advance(HEARTBEAT, foreign)
      const before = cluster.asked.length
      cluster.append('t', 0, 1)
      await sim.advance(HEARTBEAT, foreign)
      const meanwhile = cluster.asked.slice(before).map(([request]) => request)
      expect(new Set(meanwhile)).toEqual(new Set(['heartbeat']))
      gate.open()
      await sim.settle()
      const after = cluster.asked.slice(before).filter(([request]) => request !== 'heartbeat')
      expect(after.slice(0, 3).map(([request]) => request)).toEqual(['commit', 'join', 'partitions'])
      expect(after[0]).toEqual(['commit', 't/0@10'])
      expect(seen).toEqual(Array.from({ length: 31 }, (_, offset) => `t/0@${offset}`))
      await pipeline.stop()
      expect(cluster.committed()).toEqual(['t/0@31'])
      expect(sim.logs).toEqual([])
    })
  })

  it('B168 with nothing under way is over at once, and is told', async () => {
    await inSimulation(async (sim) => {
      const told: KafkaRevoked[] = []
      const listener = (event: KafkaRevoked) => void told.push(event)
      channels.kafkaRevoked.subscribe(listener)
      onTestFinished(() => void channels.kafkaRevoked.unsubscribe(listener))
      const cluster = clusterWith(3)
      const pipeline = await pipelineOver(cluster)
      await sim.settle()
      cluster.rebalance()
      await sim.advance(HEARTBEAT)
      expect(cluster.group('g').generation).toBe(2)
      expect(told).toEqual([
        {
          process: expect.stringContaining('Producer_0'),
          partitions: [{ topic: 't', partition: 0 } satisfies KafkaPartition],
          messages: 0,
          left: 0,
          duration: 0,
        },
      ])
      await pipeline.stop()
    })
  })

  it('B168 does not wait for ever: what is left then is handled again, and its acknowledgement does not count', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(6)
      const { gate, seen, handle } = slowFrom(4)
      const pipeline = await pipelineOver(cluster, handle)
      await sim.settle()
      cluster.rebalance()
      await sim.advance(HEARTBEAT + 30_000, foreign)
      expect(cluster.committed()).toEqual([])
      expect(cluster.group('g').generation).toBe(2)
      gate.open()
      await sim.settle()
      expect(cluster.committed()).toEqual(['t/0@6'])
      expect(seen).toEqual([0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5].map((offset) => `t/0@${offset}`))
      const lines = sim.logs.map(({ level, message }) => `${level} ${message}`)
      expect(lines).toEqual([
        expect.stringMatching(/^warn 6 messages of .* took too long when its group wanted their partitions/),
        expect.stringMatching(/^error .*: 5 messages of partition t\/0 were handled after .* had lost it/),
        expect.stringMatching(/^error .*: 1 messages of partition t\/0 were handled after .* had lost it/),
      ])
      await pipeline.stop()
    })
  })

  it('what could not be committed meanwhile still counts, for who has the partition again in the next generation', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(8)
      const seen: string[] = []
      const pipeline = await pipelineOver(cluster, (message) => {
        seen.push(placeOf(message))
        return message
      })
      await sim.settle()
      cluster.append('t', 0, 2)
      cluster.failures.set('commit', [
        new KafkaRequestError(27, 'rebalancing'),
        new KafkaRequestError(27, 'rebalancing'),
      ])
      cluster.rebalance()
      await sim.advance(2000)
      expect(cluster.group('g').generation).toBe(2)
      expect(seen.length).toBe(10)
      cluster.append('t', 0, 1)
      await sim.advance(2000)
      expect(seen.length).toBe(11)
      expect(cluster.committed()).toEqual(['t/0@11'])
      await pipeline.stop()
    })
  })

  it('B168 while it is not connected a source has nothing to give back', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(3)
      cluster.isDown = true
      const pipeline = await pipelineOver(cluster)
      await sim.settle()
      cluster.rebalance()
      await pipeline.stop()
      expect(cluster.askedFor('join')).toEqual([])
    })
  })

  it('two sources share the partitions; when one leaves the other takes over its', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(5, 5, 5, 5)
      const seen: string[] = []
      const note = (name: string) => (message: Read) => {
        seen.push(`${name} ${placeOf(message)}`)
        return message
      }
      const one = await pipelineOver(cluster, note('one'), { name: 'one' })
      await sim.settle()
      expect(seen.length).toBe(20)
      const two = await pipelineOver(cluster, note('two'), { name: 'two' })
      await sim.advance(HEARTBEAT)
      seen.length = 0
      for (const partition of [0, 1, 2, 3]) cluster.append('t', partition, 1)
      await sim.advance(2000)
      expect(seen.filter((line) => line.startsWith('one')).length).toBe(2)
      expect(seen.filter((line) => line.startsWith('two')).length).toBe(2)
      await one.stop()
      await sim.advance(HEARTBEAT)
      seen.length = 0
      for (const partition of [0, 1, 2, 3]) cluster.append('t', partition, 1)
      await sim.advance(2000)
      expect(seen.sort()).toEqual([0, 1, 2, 3].map((partition) => `two t/${partition}@6`))
      await two.stop()
      expect(cluster.group('g').members.size).toBe(0)
    })
  })

  it('two sources of one pipeline keep a partition at its processor', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(40, 40, 40, 40)
      const places = new Map<number, Set<number>>()
      const seen: string[] = []
      const handle = (message: Read, { index }: PipelineStage) => {
        seen.push(placeOf(message))
        const { partition } = message.metadata
        places.set(partition, (places.get(partition) ?? new Set()).add(index))
        return message
      }
      const pipeline = await pipelineOver(cluster, handle, { sources: 2, concurrency: 4 })
      await sim.advance(2 * HEARTBEAT)
      for (const partition of [0, 1, 2, 3]) cluster.append('t', partition, 5)
      await sim.advance(HEARTBEAT)
      expect(new Set(seen).size).toBe(180)
      expect(seen.length).toBe(180)
      expect([...places.values()].map(({ size }) => size)).toEqual([1, 1, 1, 1])
      await pipeline.stop()
    })
  })
})

describe('membership', () => {
  it('that the group has ended begins anew; what is under way does not count, and comes again', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(6)
      const { gate, seen, handle } = slowFrom(4)
      const pipeline = await pipelineOver(cluster, handle)
      await sim.settle()
      cluster.evict()
      await sim.advance(HEARTBEAT, foreign)
      gate.open()
      await sim.settle()
      expect(seen.length).toBe(12)
      expect(cluster.committed()).toEqual(['t/0@6'])
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringMatching(/lost its partitions: the group takes it for dead; 6 messages that it still handles/),
        expect.stringContaining('5 messages of partition t/0 were handled after'),
        expect.stringContaining('1 messages of partition t/0 were handled after'),
      ])
      await pipeline.stop()
    })
  })

  it('survives a coordinator that does not answer for a while', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(6)
      const pipeline = await pipelineOver(cluster)
      await sim.settle()
      cluster.failures.set('heartbeat', [new KafkaRequestError(0, 'timeout'), new KafkaRequestError(16, 'elsewhere')])
      await sim.advance(3 * HEARTBEAT)
      cluster.append('t', 0, 3)
      await sim.advance(HEARTBEAT)
      expect(cluster.committed()).toEqual(['t/0@9'])
      expect(cluster.group('g').generation).toBe(1)
      await pipeline.stop()
    })
  })

  it('is given up when the coordinator is silent for the time of a session', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(6)
      const pipeline = await pipelineOver(cluster)
      await sim.settle()
      const silent = Array.from({ length: 7 }, () => new KafkaRequestError(0, 'timeout'))
      cluster.failures.set('heartbeat', silent)
      await sim.advance(7 * HEARTBEAT)
      expect(cluster.group('g').generation).toBe(2)
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringContaining('its coordinator was not heard of for 30000 ms'),
      ])
      await pipeline.stop()
    })
  })

  it('a topic that is not there is named, and is read as soon as it is', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(6)
      cluster.failures.set('partitions', [new KafkaRequestError(3, 'unknown'), new KafkaRequestError(3, 'unknown')])
      const pipeline = await pipelineOver(cluster)
      await sim.advance(2000)
      expect(cluster.committed()).toEqual(['t/0@6'])
      const text =
        'cannot join group g (localhost:9092): topic t is not there, and none is made (unknown); it tries again'
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringContaining(`${text} in 10 ms`),
        expect.stringContaining(`${text} in 20 ms`),
      ])
      await pipeline.stop()
    })
  })

  it('an attempt to join that fails is made again after rejoinDelay, and is logged', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(6)
      cluster.failures.set('join', [new KafkaRequestError(15, 'no coordinator'), new KafkaRequestError(14, 'loading')])
      const pipeline = await pipelineOver(cluster)
      await sim.advance(1999)
      expect(cluster.committed()).toEqual([])
      await sim.advance(1)
      expect(cluster.committed()).toEqual(['t/0@6'])
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringContaining('cannot join group g (localhost:9092): no coordinator; it tries again in 10 ms'),
        expect.stringContaining('cannot join group g (localhost:9092): loading; it tries again in 20 ms'),
      ])
      await pipeline.stop()
    })
  })

  it('a commit of an old generation is not repeated', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(6)
      cluster.failures.set('commit', [new KafkaRequestError(22, 'illegal generation')])
      const pipeline = await pipelineOver(cluster)
      await sim.settle()
      expect(cluster.group('g').generation).toBe(2)
      expect(cluster.committed()).toEqual(['t/0@6'])
      await pipeline.stop()
    })
  })

  it('notices new partitions', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(3)
      const seen: string[] = []
      const pipeline = await pipelineOver(cluster, (message) => {
        seen.push(placeOf(message))
        return message
      })
      await sim.settle()
      cluster.topic('t', 2)
      cluster.append('t', 1, 2)
      await sim.advance(60_000 + HEARTBEAT)
      expect(seen).toEqual(['t/0@0', 't/0@1', 't/0@2', 't/1@0', 't/1@1'])
      await pipeline.stop()
    })
  })

  it('updateTopics subscribes to others, and refuses what is none', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(3)
      cluster.topic('u', 1)
      cluster.append('u', 0, 2)
      const seen: string[] = []
      const pipeline = await pipelineOver(cluster, (message) => {
        seen.push(placeOf(message))
        return message
      })
      await sim.settle()
      const source = await sourceOf(pipeline)
      await source.call.updateTopics(['u'])
      await sim.settle()
      cluster.append('t', 0, 1)
      await sim.advance(2000)
      expect(seen).toEqual(['t/0@0', 't/0@1', 't/0@2', 'u/0@0', 'u/0@1'])
      expect(await source.call.stats()).toEqual({
        connected: true,
        waiting: 0,
        unanswered: 0,
        partitions: [{ topic: 'u', partition: 0 }],
      })
      await expect(source.call.updateTopics([])).rejects.toMatchObject({ cause: { code: 'bad_options' } })
      await pipeline.stop()
    })
  })
})

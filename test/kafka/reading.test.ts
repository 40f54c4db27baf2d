import { start } from 'sluice'
import { Broadway, type Message } from 'sluice/broadway'
import { KafkaRequestError, KafkaSource } from 'sluice/kafka'
import { type Handled, ProbeConsumer } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { Gate, inSimulation } from '../support/broadway.ts'
import { common, pipelineOver, placeOf, type Read } from '../support/kafka-pipeline.ts'
import { ScriptedKafka } from '../support/scripted-kafka.ts'

function clusterWith(counts: readonly number[], topic = 't'): ScriptedKafka {
  const cluster = new ScriptedKafka()
  cluster.topic(topic, counts.length)
  for (const [partition, count] of counts.entries()) cluster.append(topic, partition, count)
  return cluster
}

const offsetsOf = (messages: readonly Read[], partition = 0): readonly number[] =>
  messages.filter(({ metadata }) => metadata.partition === partition).map(({ metadata }) => metadata.offset)
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)

describe('a source', () => {
  it('says of each message where it comes from', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith([2])
      const seen: Read[] = []
      const pipeline = await pipelineOver(cluster, (message) => {
        seen.push(message)
        return message
      })
      await sim.settle()
      expect(seen.map(({ data, metadata, batchKey }) => ({ data: String(data), metadata, batchKey }))).toEqual(
        [0, 1].map((offset) => ({
          data: String(offset),
          batchKey: 't/0',
          metadata: {
            topic: 't',
            partition: 0,
            offset,
            key: undefined,
            timestamp: offset * 1000,
            headers: {},
            tombstone: false,
          },
        })),
      )
      await pipeline.stop()
    })
  })

  it('B165 messages of a partition go to one processor, in order; four partitions to four', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith([40, 40, 40, 40])
      const processors = new Map<string, Set<number>>()
      const seen: Read[] = []
      const pipeline = await Broadway.start({
        name: 'numbers',
        producer: { module: KafkaSource, arg: { ...common, client: cluster.client } },
        processors: {
          default: {
            concurrency: 4,
            handleMessage(message, _, stage) {
              seen.push(message)
              const { topic, partition } = message.metadata
              const key = `${topic}/${partition}`
              processors.set(key, (processors.get(key) ?? new Set()).add(stage.index))
              return message
            },
          },
        },
      })
      await sim.settle()
      expect([...processors.values()].map(({ size }) => size)).toEqual([1, 1, 1, 1])
      expect(new Set([...processors.values()].flatMap((indexes) => [...indexes])).size).toBe(4)
      for (const partition of [0, 1, 2, 3]) expect(offsetsOf(seen, partition)).toEqual(upTo(40))
      await pipeline.stop()
    })
  })

  it('B165 likewise batch processors; batchers keep their order, and no concurrency has to be said', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith([30, 30, 30, 30])
      const processors = new Map<string, Set<number>>()
      const seen = new Map<string, number[]>()
      const note = (batcher: string, messages: readonly Message[], index: number) => {
        for (const { metadata } of messages as readonly Read[]) {
          const key = `${batcher} ${metadata.partition}`
          processors.set(key, (processors.get(key) ?? new Set()).add(index))
          seen.set(key, [...(seen.get(key) ?? []), metadata.offset])
        }
        return messages
      }
      const pipeline = await Broadway.start({
        name: 'numbers',
        producer: { module: KafkaSource, arg: { ...common, client: cluster.client }, concurrency: 2 },
        processors: {
          default: {
            handleMessage: (message) => message.putBatcher(message.metadata.partition % 2 === 0 ? 'even' : 'odd'),
          },
        },
        batchers: {
          odd: {
            concurrency: 2,
            batchSize: 4,
            handleBatch: (messages, _, __, stage) => note('odd', messages, stage.index),
          },
          even: { batchSize: 4, handleBatch: (messages, _, __, stage) => note('even', messages, stage.index) },
        },
      })
      await sim.advance(5000)
      expect((await pipeline.call.producerNames()).length).toBe(2)
      expect((await pipeline.call.topology()).batchers.map(({ name }) => String(name))).toEqual([
        expect.stringContaining('odd'),
        expect.stringContaining('even'),
      ])
      expect([...processors.values()].map(({ size }) => size)).toEqual([1, 1, 1, 1])
      expect([...seen.values()]).toEqual([upTo(30), upTo(30), upTo(30), upTo(30)])
      await pipeline.stop()
    })
  })

  it('B166 fetches what is asked for, and asks again at receiveInterval when there is nothing', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith([25])
      const seen: Read[] = []
      const pipeline = await pipelineOver(cluster, (message) => {
        seen.push(message)
        return message
      })
      await sim.settle()
      expect(offsetsOf(seen)).toEqual(upTo(25))
      const fetches = () => cluster.askedFor('fetch').map(([, place]) => place)
      expect(fetches().slice(0, 3)).toEqual(['t/0@0', 't/0@10', 't/0@20'])
      const before = fetches().length
      await sim.advance(3500)
      expect(fetches().slice(before)).toEqual(['t/0@25', 't/0@25', 't/0@25'])
      cluster.append('t', 0, 1)
      await sim.advance(1000)
      expect(offsetsOf(seen).length).toBe(26)
      await pipeline.stop()
    })
  })

  it('reads no more than was asked for', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith([1000])
      const gate = new Gate()
      const seen: Read[] = []
      const pipeline = await pipelineOver(cluster, async (message) => {
        seen.push(message)
        await gate.opened
        return message
      })
      await sim.settle()
      expect(cluster.askedFor('fetch').length).toBe(1)
      gate.open()
      await sim.settle()
      expect(offsetsOf(seen)).toEqual(upTo(1000))
      await pipeline.stop()
    })
  })

  it('a full partition does not starve the others', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith([1000, 3])
      cluster.fetchLimit = 1000
      const gate = new Gate()
      const seen: string[] = []
      const pipeline = await pipelineOver(
        cluster,
        async (message) => {
          seen.push(placeOf(message))
          if (seen.length > 20) await gate.opened
          return message
        },
        { maxDemand: 5 },
      )
      await sim.settle()
      expect(seen).toContain('t/1@2')
      gate.open()
      await pipeline.stop()
    })
  })

  it('begins where its group was, and behind what is committed', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith([10, 10])
      cluster.commit('t', 1, 7)
      const seen: string[] = []
      const pipeline = await pipelineOver(cluster, (message) => {
        seen.push(placeOf(message))
        return message
      })
      await sim.settle()
      expect(seen.filter((place) => place.startsWith('t/1'))).toEqual(['t/1@7', 't/1@8', 't/1@9'])
      expect(seen.length).toBe(13)
      await pipeline.stop()
      expect(cluster.committed()).toEqual(['t/0@10', 't/1@10'])
    })
  })

  it.each([
    ['earliest', 2],
    ['latest', undefined],
    [{ timestamp: 5500 }, 6],
    [{ timestamp: 1_000_000 }, undefined],
  ] as const)('without a committed place begins as the policy says: %j', async (offsetResetPolicy, first) => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith([10])
      cluster.begin('t', 0, 2)
      const seen: Read[] = []
      const note = (message: Read) => {
        seen.push(message)
        return message
      }
      const pipeline = await pipelineOver(cluster, note, { options: { offsetResetPolicy } })
      await sim.settle()
      expect(seen[0]?.metadata.offset).toBe(first)
      cluster.append('t', 0, 1)
      await sim.advance(1000)
      expect(seen.at(-1)?.metadata.offset).toBe(10)
      await pipeline.stop()
    })
  })

  it('a place that the policy has chosen is committed at once, and what comes until a crash is not skipped', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith([10])
      const options = { offsetResetPolicy: 'latest' } as const
      const first = await pipelineOver(cluster, undefined, { options })
      await sim.settle()
      expect(cluster.committed()).toEqual(['t/0@10'])
      first.kill()
      await sim.settle()
      cluster.append('t', 0, 3)
      const seen: Read[] = []
      const note = (message: Read) => {
        seen.push(message)
        return message
      }
      const second = await pipelineOver(cluster, note, { options })
      await sim.settle()
      expect(offsetsOf(seen)).toEqual([10, 11, 12])
      await second.stop()
    })
  })

  it('beginOffset reset goes by the policy whatever was committed', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith([10])
      cluster.commit('t', 0, 5)
      const seen: Read[] = []
      const note = (message: Read) => {
        seen.push(message)
        return message
      }
      const pipeline = await pipelineOver(cluster, note, { options: { beginOffset: 'reset' } })
      await sim.settle()
      expect(offsetsOf(seen)).toEqual(upTo(10))
      await pipeline.stop()
    })
  })

  it('a committed place that is gone, before or meanwhile, is left for the policy, and that is logged', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith([30])
      cluster.commit('t', 0, 3)
      cluster.begin('t', 0, 8)
      const seen: Read[] = []
      const note = (message: Read) => {
        seen.push(message)
        return message
      }
      const pipeline = await pipelineOver(cluster, note)
      await sim.settle()
      expect(offsetsOf(seen)).toEqual(upTo(30).slice(8))
      expect(sim.logs.map(({ level, message }) => `${level} ${message}`)).toEqual([
        expect.stringMatching(/^warn partition t\/0 has no offset 3 .* goes on at 8, as offsetResetPolicy says$/),
      ])
      await pipeline.stop()
      expect(cluster.committed()).toEqual(['t/0@30'])
    })
  })

  it('gaps in a compacted topic are no matter', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith([20])
      cluster.compact('t', 0, 0, 3, 4, 5, 11, 18)
      const seen: Read[] = []
      const pipeline = await pipelineOver(cluster, (message) => {
        seen.push(message)
        return message
      })
      await sim.settle()
      expect(offsetsOf(seen)).toEqual(upTo(20).filter((offset) => ![0, 3, 4, 5, 11, 18].includes(offset)))
      await pipeline.stop()
      expect(cluster.committed()).toEqual(['t/0@20'])
    })
  })

  it('a fetch that fails is tried again, later each time, and a partition is read on where it was', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith([25])
      const broken = () => new KafkaRequestError(0, 'socket hang up')
      cluster.failures.set('fetch', [broken(), broken(), broken()])
      const seen: Read[] = []
      const pipeline = await pipelineOver(cluster, (message) => {
        seen.push(message)
        return message
      })
      await sim.settle()
      expect(seen).toEqual([])
      await sim.advance(10 + 20 + 40)
      expect(offsetsOf(seen)).toEqual(upTo(25))
      expect(sim.logs.map(({ message }) => /cannot read.*in \d+ ms/.exec(message)?.[0])).toEqual([
        'cannot read (localhost:9092): socket hang up; it tries again in 10 ms',
        'cannot read (localhost:9092): socket hang up; it tries again in 20 ms',
        'cannot read (localhost:9092): socket hang up; it tries again in 40 ms',
      ])
      await pipeline.stop()
    })
  })

  it('is a producer of events for other stages as well', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith([5])
      const source = await start(KafkaSource, { arg: { ...common, client: cluster.client } })
      const probe = sim.probe()
      const subscribeTo = [{ to: source, maxDemand: 3 }]
      const consumer = await start(ProbeConsumer<Message>, { arg: probe.ref, subscribeTo })
      const { events } = (await probe.receive()) as Handled<Message>
      expect(events.map(({ data }) => String(data))).toEqual(['0', '1'])
      await consumer.stop()
      await source.stop()
    })
  })
})

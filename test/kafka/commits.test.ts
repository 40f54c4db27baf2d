import { Broadway } from 'sluice/broadway'
import { KafkaRequestError, KafkaSource } from 'sluice/kafka'
import { channels, type KafkaCommit } from 'sluice/telemetry'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Gate, inSimulation } from '../support/broadway.ts'
import { common, pipelineOver } from '../support/kafka-pipeline.ts'
import { ScriptedKafka } from '../support/scripted-kafka.ts'

/** Partitions with 20 messages each, from 101 on. */
function clusterOf(partitions: number): ScriptedKafka {
  const cluster = new ScriptedKafka()
  cluster.topic('t', partitions)
  for (let partition = 0; partition < partitions; partition++) {
    cluster.begin('t', partition, 101)
    cluster.append('t', partition, 20)
  }
  return cluster
}

/** The commits of a partition, one after another. */
const commitsOf = (cluster: ScriptedKafka, partition: number): readonly number[] =>
  cluster
    .askedFor('commit')
    .flatMap(([, ...places]) => places)
    .flatMap((place) => (place.startsWith(`t/${partition}@`) ? [Number(place.split('@')[1])] : []))

describe('commits', () => {
  it('B167 follow what processors acknowledge', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterOf(2)
      const pipeline = await pipelineOver(cluster, (message) => message, { concurrency: 2, maxDemand: 5 })
      await sim.settle()
      for (const partition of [0, 1]) {
        const commits = commitsOf(cluster, partition)
        expect(commits).toEqual([...commits].sort((a, b) => a - b))
        expect(commits.at(-1)).toBe(121)
      }
      expect(cluster.committed()).toEqual(['t/0@121', 't/1@121'])
      await pipeline.stop()
    })
  })

  it('B167 follow each batch of batch processors', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterOf(2)
      const pipeline = await Broadway.start({
        name: 'numbers',
        producer: { module: KafkaSource, arg: { ...common, client: cluster.client } },
        processors: { default: { concurrency: 2, handleMessage: (message) => message } },
        batchers: {
          default: {
            concurrency: 2,
            batchSize: 10,
            async handleBatch(messages, _, __, stage) {
              await stage.sleep(10)
              return messages
            },
          },
        },
      })
      await sim.advance(100)
      for (const partition of [0, 1]) expect(commitsOf(cluster, partition)).toEqual([111, 121])
      await pipeline.stop()
    })
  })

  it('B167 count failed messages as done', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterOf(1)
      const pipeline = await pipelineOver(cluster, (message) => {
        if (message.metadata.offset === 110) throw new Error('a bad one')
        return message.metadata.offset % 7 === 0 ? message.failed('a seven') : message
      })
      await sim.settle()
      expect(cluster.committed()).toEqual(['t/0@121'])
      await pipeline.stop()
    })
  })

  it('many acknowledgements are few requests: one at a time, and what comes meanwhile in the next', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterOf(3)
      const gate = new Gate()
      cluster.gates.set('commit', gate.opened)
      const pipeline = await pipelineOver(cluster, (message) => message, { maxDemand: 1 })
      await sim.settle()
      expect(cluster.askedFor('commit')).toEqual([])
      cluster.gates.clear()
      gate.open()
      await sim.settle()
      expect(cluster.askedFor('commit').length).toBe(2)
      expect(cluster.committed()).toEqual(['t/0@121', 't/1@121', 't/2@121'])
      await pipeline.stop()
    })
  })

  it('come at an interval when offsetCommitOnAck is false, and at the end', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterOf(1)
      const options = { offsetCommitOnAck: false, groupConfig: { offsetCommitInterval: 3000 } }
      const pipeline = await pipelineOver(cluster, (message) => message, { options })
      await sim.settle()
      expect(cluster.committed()).toEqual([])
      await sim.advance(3000)
      expect(cluster.committed()).toEqual(['t/0@121'])
      expect(cluster.askedFor('commit').length).toBe(1)
      cluster.append('t', 0, 5)
      await sim.advance(1000)
      expect(cluster.committed()).toEqual(['t/0@121'])
      await pipeline.stop()
      expect(cluster.committed()).toEqual(['t/0@126'])
    })
  })

  it('B169 one that fails is logged, and made again with what came meanwhile', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterOf(1)
      cluster.failures.set('commit', [new KafkaRequestError(0, 'socket hang up')])
      const pipeline = await pipelineOver(cluster)
      await sim.settle()
      expect(sim.logs.map(({ level, message }) => `${level} ${message}`)).toEqual([
        expect.stringMatching(
          /^error .* could not commit 1 offsets: socket hang up; messages behind them may come again$/,
        ),
      ])
      await sim.advance(500)
      expect(cluster.committed()).toEqual(['t/0@121'])
      await pipeline.stop()
    })
  })

  it('are told', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterOf(1)
      const told: KafkaCommit[] = []
      const listener = (event: KafkaCommit) => void told.push(event)
      channels.kafkaCommit.subscribe(listener)
      onTestFinished(() => void channels.kafkaCommit.unsubscribe(listener))
      const pipeline = await pipelineOver(cluster)
      await sim.settle()
      expect(told.at(-1)).toEqual({
        process: expect.stringContaining('Producer_0'),
        offsets: [{ topic: 't', partition: 0, offset: 121 }],
      })
      await pipeline.stop()
    })
  })
})

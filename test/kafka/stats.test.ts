import { KafkaRequestError } from 'sluice/kafka'
import { describe, expect, it } from 'vitest'
import { Gate, inSimulation } from '../support/broadway.ts'
import { pipelineOver, type Read, sourceOf } from '../support/kafka-pipeline.ts'
import { ScriptedKafka } from '../support/scripted-kafka.ts'

const PARTITIONS = [
  { topic: 't', partition: 0 },
  { topic: 't', partition: 1 },
]

function clusterWith(first: number, second: number): ScriptedKafka {
  const cluster = new ScriptedKafka()
  cluster.topic('t', 2)
  cluster.append('t', 0, first)
  cluster.append('t', 1, second)
  return cluster
}

/** A handler whose messages wait until it is opened. */
function closed() {
  const gate = new Gate()
  const handle = async (message: Read) => {
    await gate.opened
    return message
  }
  return { gate, handle }
}

describe('what a source says of itself', () => {
  it('it counts what its pipeline has not been given, also what it has read ahead, and what is not done', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(30, 5)
      // Everything before is done.
      cluster.commit('t', 0, 3)
      const { gate, handle } = closed()
      const pipeline = await pipelineOver(cluster, handle, { maxDemand: 4 })
      await sim.settle()
      const source = await sourceOf(pipeline)
      expect(await source.call.stats()).toEqual({
        connected: true,
        waiting: 28,
        unanswered: 4,
        partitions: PARTITIONS,
      })
      cluster.append('t', 1, 2)
      expect(await source.call.stats()).toMatchObject({ waiting: 30, unanswered: 4 })
      gate.open()
      await sim.advance(1000)
      expect(await source.call.stats()).toMatchObject({ waiting: 0, unanswered: 0 })
      await pipeline.stop()
    })
  })

  it('it does not know what waits while it is not connected, has no partitions yet, or is not answered', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(1, 1)
      cluster.isDown = true
      const pipeline = await pipelineOver(cluster)
      await sim.settle()
      const source = await sourceOf(pipeline)
      const nothing = { waiting: undefined, unanswered: 0, partitions: [] }
      expect(await source.call.stats()).toEqual({ connected: false, ...nothing })
      const joining = new Gate()
      cluster.gates.set('join', joining.opened)
      cluster.isDown = false
      await sim.advance(10, { foreign: true })
      expect(await source.call.stats()).toEqual({ connected: true, ...nothing })
      joining.open()
      await sim.settle()
      cluster.failures.set('offset', [new KafkaRequestError(0, 'the connection is closed')])
      expect(await source.call.stats()).toMatchObject({ waiting: undefined, partitions: PARTITIONS })
      expect(await source.call.stats()).toMatchObject({ waiting: 0, partitions: PARTITIONS })
      await pipeline.stop()
    })
  })

  it('it does not know what waits when its partitions are taken away while it asks', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(1, 1)
      const pipeline = await pipelineOver(cluster)
      await sim.settle()
      const source = await sourceOf(pipeline)
      const asking = new Gate()
      cluster.gates.set('offset', asking.opened)
      const stats = source.with({ timeout: Infinity }).call.stats()
      cluster.rebalance()
      await sim.advance(5000, { foreign: true })
      asking.open()
      expect(await stats).toEqual({ connected: true, waiting: undefined, unanswered: 0, partitions: PARTITIONS })
      await pipeline.stop()
    })
  })
})

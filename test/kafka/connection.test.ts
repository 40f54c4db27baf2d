import { cpSync } from 'node:fs'
import { whereis } from 'sluice'
import { KafkaError, KafkaRequestError } from 'sluice/kafka'
import { channels, type KafkaConnectionFailure } from 'sluice/telemetry'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Gate, inSimulation, partOf } from '../support/broadway.ts'
import { pipelineOver, placeOf, type Read, sourceOf } from '../support/kafka-pipeline.ts'
import { runProgram } from '../support/program.ts'
import { ScriptedKafka } from '../support/scripted-kafka.ts'
import { tempFolder } from '../support/temp-folder.ts'

function clusterWith(...counts: readonly number[]): ScriptedKafka {
  const cluster = new ScriptedKafka()
  cluster.topic('t', counts.length)
  for (const [partition, count] of counts.entries()) cluster.append('t', partition, count)
  return cluster
}

describe('a source that is stopped', () => {
  it('B169 fetches no more, finishes what is under way, commits it, leaves its group, and disconnects', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(30)
      const gate = new Gate()
      const seen: string[] = []
      const pipeline = await pipelineOver(cluster, async (message: Read) => {
        seen.push(placeOf(message))
        await gate.opened
        return message
      })
      await sim.settle()
      const fetches = cluster.askedFor('fetch').length
      const stopping = pipeline.stop()
      await sim.settle()
      cluster.append('t', 0, 5)
      gate.open()
      await stopping
      expect(cluster.askedFor('fetch').length).toBe(fetches)
      expect(seen.length).toBe(10)
      expect(cluster.committed()).toEqual(['t/0@10'])
      expect(cluster.asked.slice(-3).map(([request]) => request)).toEqual(['commit', 'leave', 'close'])
      expect(cluster.connections).toBe(0)
      expect(sim.logs).toEqual([])
    })
  })

  it('B169 does not wait for a cluster that does not answer', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(5)
      const pipeline = await pipelineOver(cluster)
      await sim.settle()
      cluster.gates.set('leave', new Promise(() => {}))
      const stopping = pipeline.stop()
      await sim.advance(5000)
      await stopping
      expect(cluster.connections).toBe(0)
    })
  })

  it('B169 that the group distributes anew while it stops does not make it join again', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(30)
      const gate = new Gate()
      const pipeline = await pipelineOver(cluster, async (message: Read) => {
        await gate.opened
        return message
      })
      await sim.settle()
      const stopping = pipeline.stop()
      cluster.rebalance()
      await sim.advance(6000, { foreign: true })
      gate.open()
      await stopping
      expect(cluster.askedFor('join').length).toBe(1)
      expect(cluster.committed()).toEqual(['t/0@10'])
    })
  })
})

describe('the connection of a source', () => {
  it('B170 is tried until the cluster answers; then the group is joined, once', async () => {
    await inSimulation(async (sim) => {
      const failures: KafkaConnectionFailure[] = []
      const listener = (event: KafkaConnectionFailure) => void failures.push(event)
      channels.kafkaConnectionFailure.subscribe(listener)
      onTestFinished(() => void channels.kafkaConnectionFailure.unsubscribe(listener))
      const cluster = clusterWith(5)
      cluster.isDown = true
      const pipeline = await pipelineOver(cluster)
      await sim.advance(10 + 20)
      expect(cluster.asked.map(([request]) => request)).toEqual(['connect', 'connect', 'connect'])
      cluster.isDown = false
      await sim.advance(40)
      expect(cluster.askedFor('join').length).toBe(1)
      expect(cluster.committed()).toEqual(['t/0@5'])
      expect(failures.map(({ retryIn }) => retryIn)).toEqual([10, 20, 40])
      expect(sim.logs.map(({ message }) => message)[0]).toMatch(
        /cannot connect to Kafka at localhost:9092: connect ECONNREFUSED; it tries again in 10 ms$/,
      )
      await pipeline.stop()
    })
  })

  it('B170 when the cluster goes and comes back the same process goes on', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(5)
      const seen: string[] = []
      const pipeline = await pipelineOver(cluster, (message) => {
        seen.push(placeOf(message))
        return message
      })
      await sim.settle()
      const producer = partOf(sim, 'Producer_0')
      cluster.isDown = true
      cluster.evict()
      await sim.advance(40_000)
      cluster.append('t', 0, 5)
      cluster.isDown = false
      await sim.advance(10_000)
      expect(partOf(sim, 'Producer_0')).toBe(producer)
      expect(seen).toEqual(Array.from({ length: 10 }, (_, offset) => `t/0@${offset}`))
      expect(cluster.committed()).toEqual(['t/0@10'])
      await pipeline.stop()
    })
  })

  it('B170 a shared one is closed when the last source has ended', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(5, 5)
      const pipeline = await pipelineOver(cluster, undefined, { sources: 3, options: { sharedClient: true } })
      await sim.advance(15_000)
      expect(cluster.askedFor('connect').length).toBe(1)
      expect(cluster.committed()).toEqual(['t/0@5', 't/1@5'])
      const source = await sourceOf(pipeline)
      await source.stop()
      await sim.settle()
      expect(cluster.askedFor('close')).toEqual([])
      await pipeline.stop()
      expect(cluster.connections).toBe(0)
    })
  })

  it('with backoffType stop is not tried again', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(5)
      cluster.isDown = true
      const pipeline = await pipelineOver(cluster, undefined, { options: { backoffType: 'stop' } })
      await sim.advance(100_000)
      expect(cluster.asked.length).toBe(1)
      expect(sim.logs.map(({ message }) => message)).toEqual([expect.stringContaining('it does not try again')])
      await pipeline.stop()
    })
  })

  it('no secret gets into the log', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(5)
      cluster.failures.set('connect', [new KafkaRequestError(0, 'PLAIN refused: joe:s3cret', { password: 's3cret' })])
      cluster.failures.set('join', [new Error('s3cret')])
      const sasl = { mechanism: 'plain', username: 'joe', password: 's3cret' } as const
      const pipeline = await pipelineOver(cluster, undefined, { options: { clientConfig: { sasl } } })
      await sim.advance(5000)
      expect(sim.logs.map(({ message }) => message)).toEqual([
        expect.stringContaining('PLAIN refused: joe:***;'),
        expect.stringContaining(': ***;'),
      ])
      expect(JSON.stringify(sim.logs)).not.toContain('s3cret')
      expect(sim.logs.map(({ fields }) => Reflect.get(fields, 'err'))).toEqual([undefined, undefined])
      await pipeline.stop()
    })
  })

  it('a package that is missing ends the source', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(5)
      let asked = 0
      const client = () => {
        if (asked++ === 0) throw new KafkaError('missing_package', 'npm install kafkajs')
        return cluster.client()
      }
      const pipeline = await pipelineOver(cluster, undefined, { options: { client } })
      await sim.advance(1000)
      expect(sim.logs.map(({ message }) => message)).toEqual([expect.stringContaining('crashed: KafkaError')])
      expect(cluster.committed()).toEqual(['t/0@5'])
      await pipeline.stop()
    })
  })

  it('says what to install where there is no client', { timeout: 60_000 }, async () => {
    const folder = tempFolder()('src')
    cpSync('src', folder, { recursive: true })
    cpSync('package.json', `${folder}/../package.json`)
    const { stdout } = await runProgram('without-kafka', folder)
    expect(stdout).toMatch(
      /^missing_package: sluice\/kafka talks to the server with the package (kafkajs|@platformatic\/kafka), which cannot be loaded: npm install \1\n$/,
    )
  })
})

describe('what a pipeline loses', () => {
  it('when a processor dies is read again, from the oldest message that nobody acknowledged', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(20, 3)
      const seen: string[] = []
      let deaths = 0
      const pipeline = await pipelineOver(cluster, async (message: Read) => {
        seen.push(placeOf(message))
        if (message.metadata.partition === 0 && message.metadata.offset === 4 && deaths++ === 0) {
          await new Promise(() => {})
        }
        return message
      })
      await sim.settle()
      partOf(sim, 'Processor_default_0').kill()
      await sim.advance(70_000)
      expect(cluster.committed()).toEqual(['t/0@20', 't/1@3'])
      expect(new Set(seen).size).toBe(23)
      expect(sim.logs.map(({ message }) => message)).toContainEqual(
        expect.stringMatching(/messages of .* were lost when a stage died: t\/0 from \d.* on they are read again/),
      )
      await pipeline.stop()
    })
  })

  it('when the source dies is read again by its successor', async () => {
    await inSimulation(async (sim) => {
      const cluster = clusterWith(20)
      const gate = new Gate()
      const seen: string[] = []
      const pipeline = await pipelineOver(cluster, async (message: Read) => {
        seen.push(placeOf(message))
        await gate.opened
        return message
      })
      await sim.settle()
      for (const name of await pipeline.call.producerNames()) whereis(name)?.kill()
      await sim.settle()
      expect(cluster.askedFor('leave').length).toBe(1)
      gate.open()
      await sim.advance(10_000)
      expect(cluster.committed()).toEqual(['t/0@20'])
      expect(new Set(seen).size).toBe(20)
      expect(cluster.connections).toBe(1)
      await pipeline.stop()
    })
  })
})

import { KafkaRequestError } from 'sluice/kafka'
import { type Simulation, simulate } from 'sluice/testing'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/testing/random.ts'
import { partOf } from '../support/broadway.ts'
import { pipelineOver, type Read } from '../support/kafka-pipeline.ts'
import { ScriptedKafka } from '../support/scripted-kafka.ts'

const PARTITIONS = 3
const STEPS = 40
const SEEDS = Number(process.env['SEEDS'] ?? 30)

/** Codes that requests may be refused with; 0 is no answer. */
const REFUSALS: readonly (readonly [request: string, codes: readonly number[]])[] = [
  ['fetch', [0, 6, 7]],
  ['commit', [0, 14, 16, 22, 25, 27]],
  ['heartbeat', [0, 15, 22, 25, 27]],
  ['join', [0, 15, 25]],
  ['sync', [0, 22, 27]],
  ['committed', [0, 14]],
  ['partitions', [0]],
]

/** What has become of the messages of a topic. */
class Ledger {
  readonly done = Array.from({ length: PARTITIONS }, () => new Set<number>())
  /** Offsets in the order in which they were handled for the first time. */
  readonly first = Array.from({ length: PARTITIONS }, () => [] as number[])
  readonly breaches: string[] = []

  handled({ metadata: { partition, offset } }: Read): void {
    if (this.done[partition]?.has(offset)) return
    this.done[partition]?.add(offset)
    this.first[partition]?.push(offset)
  }

  committed(partition: number, next: number): void {
    for (let offset = 0; offset < next; offset++) {
      if (!this.done[partition]?.has(offset))
        this.breaches.push(`${next} of ${partition} was committed before ${offset}`)
    }
  }
}

/** A story of faults, the same for a seed. */
async function story(sim: Simulation, seed: number, kills: boolean): Promise<void> {
  const random = seededRandom(seed)
  const whole = (below: number): number => Math.floor(random() * below)
  const oneOf = <T>(list: readonly T[]): T => list[whole(list.length)] as T
  const cluster = new ScriptedKafka()
  const ledger = new Ledger()
  cluster.topic('t', PARTITIONS)
  cluster.onCommit = ({ partition, offset }) => ledger.committed(partition, offset)
  const start = (name: string) =>
    pipelineOver(
      cluster,
      async (message, stage) => {
        await stage.sleep(whole(50))
        ledger.handled(message)
        if (message.metadata.offset % 13 === 5) throw new Error('as the story wants it')
        return message
      },
      { name, concurrency: 2, options: { redeliverLostAfter: 2000 } },
    )
  const first = await start('first')
  let second: Awaited<ReturnType<typeof start>> | undefined
  for (let step = 0; step < STEPS; step++) {
    const kind = whole(kills ? 9 : 8)
    if (kind <= 1) cluster.append('t', whole(PARTITIONS), 1 + whole(20))
    else if (kind === 2) cluster.rebalance()
    else if (kind === 3) cluster.isDown = !cluster.isDown
    else if (kind === 4) cluster.evict()
    else if (kind <= 6) {
      const [request, codes] = oneOf(REFUSALS)
      cluster.failures.set(request, [new KafkaRequestError(oneOf(codes), `refused by the story`)])
    } else if (kind === 7) {
      if (second === undefined) second = await start('second')
      else {
        const stopping = second.stop()
        second = undefined
        await sim.advance(10_000)
        await stopping
      }
    } else if (partsRun(sim)) partOf(sim, 'Processor_default_0').kill()
    await sim.advance(whole(4000))
  }
  cluster.isDown = false
  cluster.failures.clear()
  // Members that could not say that they leave are forgotten in time.
  cluster.evict()
  await sim.advance(200_000)
  const ends = Array.from({ length: PARTITIONS }, (_, partition) => cluster.records('t', partition).length)
  expect(ledger.breaches).toEqual([])
  expect(ledger.done.map(({ size }) => size)).toEqual(ends)
  const committed = ends.flatMap((end, partition) => (end > 0 ? [`t/${partition}@${end}`] : []))
  expect(cluster.committed()).toEqual(committed)
  if (!kills) for (const offsets of ledger.first) expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
  await first.stop()
  await second?.stop()
  await sim.settle()
  expect(cluster.connections).toBe(0)
  expect(sim.clock.pending).toBe(0)
}

function partsRun(sim: Simulation): boolean {
  return sim.processes.some((ref) => String(ref).includes('.Broadway.Processor_default_0)'))
}

describe('whatever happens, all is handled, and nothing is committed before', () => {
  it.each(Array.from({ length: SEEDS }, (_, index) => index + 1))('and a partition keeps its order: seed %i', (seed) =>
    simulate({ seed }).run((sim) => story(sim, seed, false)),
  )

  it.each(Array.from({ length: SEEDS }, (_, index) => index + 1))('also when processors die: seed %i', (seed) =>
    simulate({ seed }).run((sim) => story(sim, seed, true)),
  )
})
